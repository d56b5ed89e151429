// SPDX-License-Identifier: Apache-2.0
#pragma once
// What a store stands on: the real world, or a simulated one.

#include <chrono>
#include <cstdint>
#include <expected>
#include <filesystem>
#include <functional>
#include <memory>

#include "wherry/csp/scheduler.hpp"
#include "wherry/store/sqlite.hpp"

namespace wherry::sqlite {

inline system_time real_calendar() {
  return std::chrono::floor<std::chrono::milliseconds>(std::chrono::system_clock::now());
}

inline constexpr std::int64_t usual_bulk_of_log = 4'000;

struct surroundings {
  const char* vfs = nullptr;  ///< of SQLite, by name; null: its default
  /// Writer and reader have a thread each; else the scheduler runs what they do.
  bool has_threads = true;
  std::function<system_time()> calendar = real_calendar;
  /// Pages in the write-ahead log from which on it is brought into the file.
  std::int64_t bulk_of_log = usual_bulk_of_log;
};

/// open_sqlite_store in a world of one's own.
std::expected<std::unique_ptr<store>, store_error> open_in(const surroundings& world,
                                                           const std::filesystem::path& file,
                                                           const sqlite_options& options);

}  // namespace wherry::sqlite
