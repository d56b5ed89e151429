// SPDX-License-Identifier: Apache-2.0
#pragma once
// A recording: a directory of exchanges with an API, in order, each a file (exchange.hpp), and a
// file `recording.txt` that says when it began and what stands for the variables of the spec.
//
// 1. Who writes one touches no file but its own: those of a recording that was there go first.
// 2. Its files are for their owner alone (0600, the directory 0700).
// Threads: one at a time.

#include <expected>
#include <filesystem>
#include <string>
#include <vector>

#include "recording/exchange.hpp"
#include "recording/stand_ins.hpp"
#include "wherry/csp/clock.hpp"

namespace wherry::app {

struct recorded_exchange {
  std::string file;  ///< its name
  exchange said;
};

struct recording {
  std::filesystem::path directory;
  system_time begun{};
  stand_ins variables;
  std::vector<recorded_exchange> exchanges;
};

/// Reads a recording. Errors: which file is wrong, how, and what to do.
[[nodiscard]] std::expected<recording, std::string> read_recording(
    const std::filesystem::path& directory);

class recording_writer {
 public:
  /// Opens a directory that is made, empty, or holds a recording.
  /// Errors: why it cannot be, and what to do.
  [[nodiscard]] static std::expected<recording_writer, std::string> open(
      std::filesystem::path directory, system_time begun, stand_ins variables);

  /// Adds an exchange; the first one replaces the recording that was there.
  /// Requires: `said` has been redacted. Errors: as above.
  [[nodiscard]] std::expected<void, std::string> add(const exchange& said);

 private:
  recording_writer(std::filesystem::path directory, system_time begun, stand_ins variables)
      : directory_(std::move(directory)), begun_(begun), variables_(std::move(variables)) {}
  [[nodiscard]] std::expected<void, std::string> begin();

  std::filesystem::path directory_;
  system_time begun_;
  stand_ins variables_;
  int written_ = 0;
};

}  // namespace wherry::app
