// SPDX-License-Identifier: Apache-2.0
// Backoff: exponential, full jitter, capped.

#include "wherry/engine/retry.hpp"

#include <algorithm>

namespace wherry {

duration backoff(const state_policy& policy, std::int32_t attempt, std::uint64_t draw) noexcept {
  duration bound = policy.first;
  for (std::int32_t step = 1; step < attempt && bound < policy.cap; ++step) bound *= 2;
  bound = std::min(bound, policy.cap);
  // 53 bits of the draw as a fraction in [0, 1]: as exact as a double can be.
  const double fraction = static_cast<double>(draw >> 11) / static_cast<double>((1ull << 53) - 1);
  return duration{static_cast<duration::rep>(fraction * static_cast<double>(bound.count()))};
}

}  // namespace wherry
