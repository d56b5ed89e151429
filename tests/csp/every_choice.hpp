// SPDX-License-Identifier: Apache-2.0
#pragma once
// All runs of what is repeatable but for some choices: depth first. The last choice that has an
// untried alternative takes it; what follows begins at the first again.
//
//   every_choice choices;
//   while (choices.next()) run_once([&](std::size_t count) { return choices.choose(count); });
//
// Requires: the same choices lead to the same questions. Asserted, since nothing holds without it.

#include <cstddef>
#include <vector>

#include "wherry/csp/assert.hpp"

namespace wherry::test {

class every_choice {
 public:
  /// Begins the next run. False: all were made.
  bool next() {
    position_ = 0;
    if (runs_ > 0) {
      while (!script_.empty() && ++script_.back().chosen == script_.back().count) {
        script_.pop_back();
      }
      if (script_.empty()) return false;
    }
    ++runs_;
    return true;
  }

  /// Requires: count > 0.
  std::size_t choose(std::size_t count) {
    if (count == 1) return 0;
    if (position_ == script_.size()) script_.push_back({0, count});
    WHERRY_ASSERT(script_[position_].count == count, "a run that is repeated was another one");
    return script_[position_++].chosen;
  }

  /// How many runs were begun.
  [[nodiscard]] long runs() const { return runs_; }

 private:
  struct choice {
    std::size_t chosen;
    std::size_t count;
  };
  std::vector<choice> script_;
  std::size_t position_ = 0;
  long runs_ = 0;
};

}  // namespace wherry::test
