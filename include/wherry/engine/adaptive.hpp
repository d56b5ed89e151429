// SPDX-License-Identifier: Apache-2.0
#pragma once
// How many may be in flight where nobody knows the limit: found by trying. Each step that ends well
// adds 1/n to n, so that a round of n adds one; a step that was throttled halves it. Pure: time is
// an argument. Threads: one at a time.
//
// It begins at half of what is allowed at most, also after a restart: what was learnt is not
// stored, for it is soon found again. All steps of a round trip are throttled together: only the
// first counts.
// Source: D. Chiu and R. Jain, Analysis of the Increase and Decrease Algorithms for Congestion
// Avoidance in Computer Networks, 1989 (AIMD).

#include <algorithm>
#include <cstddef>

#include "wherry/csp/scheduler.hpp"

namespace wherry::detail {

class adaptive_limit {
 public:
  /// At most `most`; at least 1.
  explicit adaptive_limit(std::size_t most) noexcept
      : most_(static_cast<double>(std::max<std::size_t>(most, 1))),
        now_(std::max(most_ / 2, 1.0)) {}

  [[nodiscard]] std::size_t value() const noexcept { return static_cast<std::size_t>(now_); }

  void ended_well(system_time at) noexcept {
    now_ = std::min(most_, now_ + 1 / now_);
    changed_at_ = at;
  }

  /// A step that began at `began` was throttled at `at`.
  void throttled(system_time began, system_time at) noexcept {
    const bool was_set_back = cut_at_ > at;
    if (began <= cut_at_ && !was_set_back) return;
    now_ = std::max(1.0, now_ / 2);
    cut_at_ = changed_at_ = at;
  }

  /// When it last learnt something.
  [[nodiscard]] system_time changed_at() const noexcept { return changed_at_; }

 private:
  double most_;
  double now_;
  system_time cut_at_{};
  system_time changed_at_{};
};

}  // namespace wherry::detail
