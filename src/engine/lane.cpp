// SPDX-License-Identifier: Apache-2.0
// A lane's arithmetic.

#include "wherry/engine/lane.hpp"

#include <algorithm>

#include "wherry/csp/assert.hpp"

namespace wherry {
namespace {

/// Sums of a calendar time and a few of these stay far from overflow.
constexpr duration longest = std::chrono::hours(24 * 365);

/// `count` nanoseconds, at most `longest`. Requires: not NaN.
duration bounded(double count) noexcept {
  if (count >= static_cast<double>(longest.count())) return longest;
  return duration{static_cast<duration::rep>(count)};
}

}  // namespace

lane::lane(lane_limits limits) noexcept : limits_(limits) {
  limits_.in_flight = std::max<std::size_t>(limits_.in_flight, 1);
  if (!(limits_.rate > 0)) return;  // nor is NaN a limit
  const double interval = static_cast<double>(limits_.per.count()) / limits_.rate;
  interval_ = bounded(interval);
  if (limits_.burst > 1) tolerance_ = bounded(interval * (limits_.burst - 1));
}

// As the permits given out say, unless the clock was set back: further ahead they never go.
lane::precise_time lane::arrival_at(system_time now) const noexcept {
  constexpr auto tick = std::chrono::milliseconds(1);
  return std::min<precise_time>(theoretical_arrival_, now + tick + tolerance_ + interval_);
}

// The tick of the clock in which one more permit keeps to the rate.
system_time lane::rate_allows_at(system_time now) const noexcept {
  if (interval_ == duration::zero()) return {};
  return std::chrono::floor<std::chrono::milliseconds>(arrival_at(now) - tolerance_);
}

bool lane::try_acquire(system_time now) noexcept {
  theoretical_arrival_ = arrival_at(now);
  if (in_flight_ >= limits_.in_flight || now < parked_until_ || now < rate_allows_at(now)) {
    return false;
  }
  theoretical_arrival_ = std::max<precise_time>(theoretical_arrival_, now) + interval_;
  ++in_flight_;
  return true;
}

void lane::release() noexcept {
  WHERRY_ASSERT(in_flight_ > 0, "a lane got back a permit that it never gave");
  --in_flight_;
}

void lane::release_unused() noexcept {
  release();
  theoretical_arrival_ -= interval_;
}

bool lane::is_as_new(system_time now) const noexcept {
  return in_flight_ == 0 && parked_until_ <= now && theoretical_arrival_ <= now;
}

void lane::park(system_time until) noexcept { parked_until_ = std::max(parked_until_, until); }

std::optional<system_time> lane::next_permit(system_time now) const noexcept {
  if (in_flight_ >= limits_.in_flight) return std::nullopt;
  return std::max({now, parked_until_, rate_allows_at(now)});
}

}  // namespace wherry
