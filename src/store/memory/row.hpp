// SPDX-License-Identifier: Apache-2.0
#pragma once
// A machine in memory: what people see of it, its history, its lease, and where it stands.

#include <cstdint>
#include <optional>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include "wherry/engine/store.hpp"

namespace wherry::memory {

struct lease_data {
  std::uint64_t token = 0;
  system_time expires{};
};

struct row {
  std::int64_t key = 0;
  std::int32_t rank = 0;
  std::int64_t entered = 0;
  machine_view view;
  std::vector<history_entry> history;
  std::optional<lease_data> lease;
};

/// Where a row stands in its lane: the smallest is leased first.
using turn = std::tuple<std::int32_t, std::int32_t, system_time, std::int64_t>;

inline turn turn_of(const row& each) {
  return {-each.view.priority, -each.rank, each.view.due, each.key};
}

inline bool matches(const machine_view& view, const machine_filter& filter) {
  return (!filter.phase || *filter.phase == view.phase) &&
         (filter.state.empty() || filter.state == view.state) &&
         (filter.id.empty() || filter.id == view.id) && view.id.starts_with(filter.id_prefix) &&
         (!filter.lane || *filter.lane == view.lane);
}

/// Adds a line; throttled or postponed again, it becomes one with the line before.
inline void log(std::vector<history_entry>& history, history_entry line) {
  if (!history.empty() && is_repeatable(line.outcome)) {
    auto& before = history.back();
    if (before.outcome == line.outcome && before.generation == line.generation) {
      line.runs += before.runs;
      line.started = before.started;
      history.pop_back();
    }
  }
  history.push_back(std::move(line));
}

}  // namespace wherry::memory
