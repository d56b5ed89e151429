// SPDX-License-Identifier: Apache-2.0
#pragma once
// The rows of the benchmark: each is a process of its own on a fresh store, and prints its figures.

#include <cstdint>
#include <filesystem>

namespace enginebench {

struct settings {
  std::filesystem::path store;  ///< made anew, and deleted at the end
  std::int64_t machines = 100'000;
  int failing_percent = 0;
  std::int64_t window = 2'048;  ///< engine_options::window
  int lanes = 16;
  int threads = 0;                 ///< of the scheduler; 0: one a core
  double machines_per_second = 0;  ///< latency: how many come due
  double seconds = 10;             ///< latency: for how long
};

/// All machines of the run, written by a bare loop over SQLite.
void bare_loop(const settings& of);
/// All machines, run by the engine.
void run(const settings& of);
/// What a machine that waits costs in memory.
void waiting(const settings& of);
/// From due to started, machines coming due at an even rate.
void latency(const settings& of);
/// As run, for millions: the rate at the start and at the end, peak memory, disk.
void scale(const settings& of);

}  // namespace enginebench
