// SPDX-License-Identifier: Apache-2.0
#pragma once
// A table that stands for the file of a live_state: it changes at once, and its effects are applied
// when the case says so; a query of it sees what is not applied yet.

#include <deque>
#include <functional>
#include <map>
#include <set>

#include "store/sqlite/live_state.hpp"

namespace wherry::test {

using namespace wherry::sqlite;
using namespace std::chrono_literals;

inline constexpr system_time late{24h};
inline constexpr system_time later{48h};

struct table_row {
  std::int64_t generation = 1;
  std::int64_t version = 0;
  std::string lane;
  turn at;
  phase in = phase::ready;
};

/// The committed rows, and the effects that are not applied yet.
class table {
 public:
  std::map<std::int64_t, table_row> rows;
  std::deque<effect> pending;
  std::function<void()> between;  // called when a query has read, and is not used yet

  void add(std::int64_t key, const std::string& lane, std::int64_t precedence = 0) {
    rows[key] = {1, 0, lane, {precedence, 0, key}, phase::ready};
    note(key, {});
  }
  /// Commits a change of `key` to phase `to`.
  void change(std::int64_t key, phase to, std::int64_t precedence = 0) {
    auto& row = rows.at(key);
    const auto before = row;
    ++row.version;
    row.in = to;
    row.at.precedence = precedence;
    note(key, before);
  }
  /// Commits another priority of `key`, which is no new version. Requires: it is ready.
  void prioritize(std::int64_t key, std::int64_t precedence) {
    auto& row = rows.at(key);
    const auto before = row;
    row.at.precedence = precedence;
    note(key, before);
    pending.back().new_priority = static_cast<std::int32_t>(precedence);
    pending.back().contents.reset();
  }
  /// Commits a newer generation of `key`. Requires: it is finished.
  void supersede(std::int64_t key, const std::string& lane, std::int64_t precedence = 0) {
    auto& row = rows.at(key);
    const auto before = row;
    row = {before.generation + 1, 0, lane, {precedence, 0, key}, phase::ready};
    note(key, before);
  }
  void apply_all(live_state& to) {
    std::vector<effect> effects(pending.begin(), pending.end());
    pending.clear();
    to.apply(effects);
  }
  void apply_one(live_state& to) {
    std::vector<effect> effects;
    effects.push_back(std::move(pending.front()));
    pending.pop_front();
    to.apply(effects);
  }

  /// What a query finds.
  found_rows read(const refill_plan& plan) {
    std::set<turn> places;
    for (const auto& [key, row] : rows) {
      if (row.lane == plan.lane && row.in == phase::ready && row.at >= plan.from) {
        places.insert(row.at);
      }
    }
    found_rows found;
    for (const auto& at : places) {
      if (plan.is_leased(at.key)) continue;
      if (found.rows.size() == plan.room) {
        found.bound = at;
        break;
      }
      found.rows.push_back({at, contents_of(at.key)});
    }
    if (between) between();
    return found;
  }

 private:
  leased_machine contents_of(std::int64_t key) {
    leased_machine machine;
    machine.key = key;
    machine.generation = rows.at(key).generation;
    machine.version = rows.at(key).version;
    machine.lane = rows.at(key).lane;
    return machine;
  }
  void note(std::int64_t key, std::optional<table_row> before) {
    const auto& row = rows.at(key);
    effect change;
    change.key = key;
    change.generation = row.generation;
    change.version = row.version;
    change.after = {row.in, "state", row.lane, row.at};
    if (before) {
      change.version_before = before->version;
      change.before = place{before->in, "state", before->lane, before->at};
    }
    // Both ways to arrive: with the contents at hand, and without.
    if (row.in == phase::ready && key % 2 == 0) change.contents = contents_of(key);
    pending.push_back(std::move(change));
  }
};

inline void refill(live_state& of, table& file, const std::string& lane, std::size_t count) {
  of.refill(lane, count, [&](const refill_plan& plan) { return file.read(plan); });
}

inline std::vector<leased_machine> lease(live_state& from, table& file, const std::string& lane,
                                         std::size_t count) {
  if (from.wants_refill(lane, count)) refill(from, file, lane, count);
  return from.lease(lane, count, late);
}

/// Takes over all leases and releases them, their contents unknown.
inline void give_back_all(live_state& from) {
  for (const auto& lost : from.reclaim(late, later)) {
    leased_machine machine;
    machine.key = lost.taken.key;
    machine.token = lost.taken.token;
    machine.generation = lost.generation;
    machine.version = lost.version;
    from.release({machine});
  }
}

inline transition outcome_of(const leased_machine& leased) {
  transition outcome;
  outcome.key = leased.key;
  outcome.token = leased.token;
  outcome.generation = leased.generation;
  outcome.version = leased.version;
  return outcome;
}

}  // namespace wherry::test
