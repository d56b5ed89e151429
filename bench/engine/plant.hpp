// SPDX-License-Identifier: Apache-2.0
#pragma once
// A store with an engine on it, as a program would have them, and the ways to fill it.

#include <sqlite3.h>

#include <memory>
#include <string>

#include "gauge.hpp"
#include "haul.hpp"
#include "rows.hpp"
#include "wherry/csp/scheduler.hpp"
#include "wherry/store/sqlite.hpp"

namespace enginebench {

/// Machines in one call of submit: memory stays bounded however many there are.
inline constexpr std::int64_t submitted_at_once = 2'000;

/// The store that every row begins with. Ends the program if it cannot be opened.
[[nodiscard]] inline std::unique_ptr<wherry::store> open_store(const settings& of) {
  auto opened = wherry::open_sqlite_store(of.store, {.purpose = "bench-engine"});
  require(opened.has_value(), opened ? std::string() : opened.error().message);
  return std::move(*opened);
}

/// Limits wide enough that only the window holds machines back.
[[nodiscard]] inline wherry::engine_options options_of(const settings& of) {
  const auto window = static_cast<std::size_t>(of.window);
  wherry::engine_options options;
  options.window = window;
  options.limits = [window](std::string_view) { return wherry::lane_limits{.in_flight = window}; };
  return options;
}

inline wherry::task<> submit(haul_engine& to, std::int64_t first, std::int64_t end,
                             wherry::system_time due = {}) {
  for (auto at = first; at < end; at += submitted_at_once) {
    const auto done = co_await to.submit(hauls(at, std::min(at + submitted_at_once, end), due));
    require(done.has_value(), done ? std::string() : done.error().message);
    require(done->added == static_cast<std::size_t>(std::min(at + submitted_at_once, end) - at),
            "a machine was known before it was submitted");
  }
}

inline wherry::task<> run_engine(haul_engine& all, wherry::run_until until) {
  const auto ended = co_await all.run(until);
  require(ended.has_value(), ended ? std::string() : ended.error().message);
}

/// One number from the store's file, by SQLite itself: what was done is not counted by who did it.
[[nodiscard]] inline std::int64_t counted(const std::filesystem::path& file, const char* sql) {
  sqlite3* handle = nullptr;
  sqlite3_stmt* query = nullptr;
  require(sqlite3_open_v2(file.c_str(), &handle, SQLITE_OPEN_READONLY, nullptr) == SQLITE_OK &&
              sqlite3_prepare_v2(handle, sql, -1, &query, nullptr) == SQLITE_OK &&
              sqlite3_step(query) == SQLITE_ROW,
          std::string("counting: ") + sqlite3_errmsg(handle));
  const auto number = sqlite3_column_int64(query, 0);
  sqlite3_finalize(query);
  sqlite3_close(handle);
  return number;
}

/// Ends the program unless the file holds that many machines, all completed, and prints how many
/// transitions brought them there.
inline std::int64_t require_completed(const settings& of) {
  require(counted(of.store,
                  "SELECT count(*) FROM machines WHERE phase = 'completed' "
                  "AND state = 'delivered'") == of.machines,
          "not all machines are completed");
  require(counted(of.store, "SELECT count(*) FROM machines") == of.machines, "machines too many");
  const auto transitions = counted(of.store, "SELECT sum(runs) FROM history");
  require(transitions >= of.machines * steps, "history is not whole");
  print("transitions", static_cast<double>(transitions));
  return transitions;
}

}  // namespace enginebench
