// SPDX-License-Identifier: Apache-2.0
#pragma once
// What of a store may go, and how it goes. The history of a machine that still moves is bounded
// when a line is added (trimmer); what has ended is looked for by a sweep over the keys, a few rows
// at a time (tidy_command, and the reader's query that finds work for it).
//
// Invariant: the runs of the lines of a machine's generation, and what was trimmed of it, add up to
// its version, before and after.

#include <cstdint>
#include <vector>

#include "database.hpp"
#include "wherry/store/sqlite.hpp"

namespace wherry::sqlite {

/// The moments before which things may go; 0: nothing may.
struct cutoffs {
  std::int64_t history_ms = 0;
  std::int64_t completed_ms = 0;

  [[nodiscard]] bool any() const noexcept { return history_ms > 0 || completed_ms > 0; }
};

/// Threads: any. `keep` of zero is for ever, so is one beyond the calendar.
[[nodiscard]] cutoffs cutoffs_at(const sqlite_retention& keep, system_time now) noexcept;

/// How long after a sweep has seen all machines the next one begins: a tenth of the shortest time
/// that is kept, within a second and an hour.
[[nodiscard]] std::chrono::milliseconds rest_between(const sqlite_retention& keep) noexcept;

/// Takes lines out of the middle of a history.
class trimmer {
 public:
  trimmer(database& file, const sqlite_retention& keep);

  /// Call for each version that a machine gets, after its line is written.
  void bound(std::int64_t key, std::int64_t generation, std::int64_t version);
  /// The same for all generations before `generation`, taken together; how many lines went. Call
  /// when it begins.
  std::int64_t bound_older(std::int64_t key, std::int64_t generation);
  /// As bound, but now; how many lines went.
  std::int64_t cut(std::int64_t key, std::int64_t generation);
  /// Lines of a generation at most; 0: any number.
  [[nodiscard]] std::int64_t limit() const noexcept { return limit_; }

 private:
  /// Lines are taken out so many at a time, not one by one.
  [[nodiscard]] std::int64_t stride() const noexcept;

  database& file_;
  std::int64_t limit_;
  statement first_, oldest_kept_, runs_between_, cut_between_, note_;
  statement oldest_of_older_, cut_older_;
};

/// What a part of the sweep found.
struct sweep_part {
  std::vector<std::int64_t> keys;  ///< of machines of which something may go
  std::int64_t last_key = 0;       ///< all up to it were looked at
  bool at_end = false;
};

/// Finds work for the sweep. Threads: the reader's.
class sweep_query {
 public:
  explicit sweep_query(database& file);
  /// Looks at a bounded number of machines after `key`. Errors: throws database_failure.
  [[nodiscard]] sweep_part after(std::int64_t key, const cutoffs& may_go);

 private:
  statement rows_;
};

}  // namespace wherry::sqlite
