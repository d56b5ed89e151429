// SPDX-License-Identifier: Apache-2.0
#pragma once
// What a store in memory keeps of lanes: parks, pauses, memories.

#include <algorithm>
#include <cstddef>
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "wherry/engine/store.hpp"

namespace wherry::memory {

class kept_lanes {
 public:
  [[nodiscard]] bool is_paused(const std::string& lane) const { return paused_.contains(lane); }
  /// How many lanes it changed.
  std::size_t pause(const std::string& lane) { return paused_.insert(lane).second ? 1 : 0; }
  std::size_t resume(const std::string& lane) { return paused_.erase(lane); }

  /// As that outcome says.
  void park(const transition& by) {
    auto& kept = parked_[by.ran_in];
    if (kept.parked_until >= *by.lane_parked_until) return;
    kept.parked_until = *by.lane_parked_until;
    kept.error = cut_error(by.error);
    kept.is_stopped = by.lane_is_stopped;
  }
  /// `error`: of the run that it is of; empty: of none.
  void keep(const std::string& lane, lane_memory memory, std::string_view error) {
    auto& kept = memories_[lane];
    kept.memory = std::move(memory);
    if (kept.memory.open_until == system_time{}) kept.error.clear();
    if (kept.memory.open_until != system_time{} && !error.empty()) kept.error = error;
  }

  /// All of which something is kept; what is past is forgotten.
  [[nodiscard]] std::vector<lane_state> states(system_time now) {
    std::erase_if(parked_, [&](const auto& each) { return each.second.parked_until <= now; });
    std::erase_if(memories_,
                  [&](const auto& each) { return each.second.memory.keep_until <= now; });
    std::map<std::string_view, lane_state> by_name;
    for (const auto& [name, park] : parked_) by_name[name] = park;
    for (const auto& name : paused_) by_name[name].paused = true;
    for (const auto& [name, kept] : memories_) {
      auto& state = by_name[name];
      state.memory = kept.memory;
      if (state.error.empty()) state.error = kept.error;
    }
    std::vector<lane_state> all;
    for (auto& [name, state] : by_name) {
      state.lane = name;
      all.push_back(std::move(state));
    }
    return all;
  }

 private:
  std::map<std::string, lane_state> parked_;
  std::set<std::string> paused_;
  std::map<std::string, lane_state> memories_;
};

}  // namespace wherry::memory
