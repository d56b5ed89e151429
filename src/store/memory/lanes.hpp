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

  void park(const std::string& lane, system_time until) {
    auto& parked_until = parked_[lane];
    parked_until = std::max(parked_until, until);
  }
  void keep(const std::string& lane, lane_memory memory) { memories_[lane] = std::move(memory); }

  /// All of which something is kept; what is past is forgotten.
  [[nodiscard]] std::vector<lane_state> states(system_time now) {
    std::erase_if(parked_, [&](const auto& each) { return each.second <= now; });
    std::erase_if(memories_, [&](const auto& each) { return each.second.keep_until <= now; });
    std::map<std::string_view, lane_state> by_name;
    for (const auto& [name, until] : parked_) by_name[name].parked_until = until;
    for (const auto& name : paused_) by_name[name].paused = true;
    for (const auto& [name, memory] : memories_) by_name[name].memory = memory;
    std::vector<lane_state> all;
    for (auto& [name, state] : by_name) {
      state.lane = name;
      all.push_back(std::move(state));
    }
    return all;
  }

 private:
  std::map<std::string, system_time> parked_;
  std::set<std::string> paused_;
  std::map<std::string, lane_memory> memories_;
};

}  // namespace wherry::memory
