// SPDX-License-Identifier: Apache-2.0
// A lane's arithmetic.

#include "wherry/engine/lane.hpp"

#include <algorithm>

#include "wherry/csp/assert.hpp"

namespace wherry {

duration lane::interval() const noexcept {
  if (limits_.rate <= 0) return duration::zero();
  return duration{
      static_cast<duration::rep>(static_cast<double>(limits_.per.count()) / limits_.rate)};
}

// The earliest time at which one more permit keeps to the rate.
system_time lane::rate_allows_at() const noexcept {
  if (limits_.rate <= 0) return {};
  const auto tolerance = duration{static_cast<duration::rep>(
      static_cast<double>(interval().count()) * (std::max(limits_.burst, 1.0) - 1))};
  return std::chrono::ceil<std::chrono::milliseconds>(theoretical_arrival_ - tolerance);
}

bool lane::try_acquire(system_time now) noexcept {
  if (in_flight_ >= limits_.in_flight || now < parked_until_ || now < rate_allows_at()) {
    return false;
  }
  theoretical_arrival_ = std::max<std::chrono::sys_time<duration>>(theoretical_arrival_, now) +
                         interval();
  ++in_flight_;
  return true;
}

void lane::release() noexcept {
  WHERRY_ASSERT(in_flight_ > 0, "a lane got back a permit that it never gave");
  --in_flight_;
}

void lane::release_unused() noexcept {
  release();
  theoretical_arrival_ -= interval();
}

void lane::park(system_time until) noexcept { parked_until_ = std::max(parked_until_, until); }

std::optional<system_time> lane::next_permit(system_time now) const noexcept {
  if (in_flight_ >= limits_.in_flight) return std::nullopt;
  return std::max({now, parked_until_, rate_allows_at()});
}

}  // namespace wherry
