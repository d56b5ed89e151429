// SPDX-License-Identifier: Apache-2.0
// Backoff: exponential, capped, with jitter.

#include "wherry/engine/retry.hpp"

#include <algorithm>

namespace wherry {

duration backoff(const state_policy& policy, std::int32_t attempt, std::uint64_t draw) noexcept {
  const duration cap = std::max(policy.cap, duration::zero());
  duration bound = std::clamp(policy.first, duration::zero(), cap);
  for (std::int32_t step = 1; step < attempt && bound < cap && bound > duration::zero(); ++step) {
    bound = bound > cap / 2 ? cap : bound * 2;
  }
  const duration surely = policy.jitter == jitter::none    ? bound
                          : policy.jitter == jitter::equal ? bound / 2
                                                           : duration::zero();
  const duration open = bound - surely;
  // 53 bits of the draw as a fraction in [0, 1]: as exact as a double can be.
  const double fraction = static_cast<double>(draw >> 11) / static_cast<double>((1ull << 53) - 1);
  const double drawn = fraction * static_cast<double>(open.count());
  // A double may round the largest counts up, beyond what a duration holds.
  return drawn < static_cast<double>(open.count())
             ? surely + duration{static_cast<duration::rep>(drawn)}
             : bound;
}

}  // namespace wherry
