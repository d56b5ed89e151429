// SPDX-License-Identifier: Apache-2.0
#pragma once
// What a program prints: run without a shell, within a time and a size, and gone when we are told
// to stop. Internal to app/clients.
//
// 1. It is a process group of its own, and none of it is left when `output_of` returns.
// 2. SIGINT and SIGTERM, where they are blocked, end the wait and stay pending.

#include <chrono>
#include <cstddef>
#include <expected>
#include <string>
#include <vector>

namespace wherry::app {

struct command_call {
  std::vector<std::string> words;  ///< the program, as execvp finds it, and its arguments
  std::string directory{};         ///< where it runs; empty: here
  std::chrono::milliseconds timeout{60'000};
  std::size_t most_bytes = 64u << 20;
};

/// Says why there is no output. `message` has the end of what the program wrote to stderr.
struct command_error {
  bool stopped = false;  ///< by a signal to us
  std::string message;
};

/// Runs a program and gives what it wrote to stdout, if it ends with 0. Blocks.
[[nodiscard]] std::expected<std::string, command_error> output_of(const command_call& call);

}  // namespace wherry::app
