// SPDX-License-Identifier: Apache-2.0
#pragma once
// What a lane must not forget over a restart, as the store keeps it. Its park and its pause are the
// store's own and not in here.

#include <cstdint>
#include <string>

#include "wherry/csp/scheduler.hpp"

namespace wherry {

struct lane_memory {
  std::string quotas{};       ///< calls spent, as JSON; empty: none
  std::int32_t failures = 0;  ///< of the breaker, in a row
  system_time open_until{};   ///< of the breaker
  /// From then on the lane is as a new one, and this may be forgotten.
  system_time keep_until{};

  friend bool operator==(const lane_memory&, const lane_memory&) = default;
};

}  // namespace wherry
