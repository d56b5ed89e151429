// SPDX-License-Identifier: Apache-2.0
// A lane's arithmetic.

#include "wherry/engine/lane.hpp"

#include <algorithm>
#include <utility>

#include "wherry/csp/assert.hpp"

namespace wherry {
namespace {

/// Sums of a calendar time and a few of these stay far from overflow.
constexpr duration longest = std::chrono::hours(24 * 365);
/// For so long without news an adaptive lane remembers what it has learnt.
constexpr std::chrono::milliseconds learnt_for = std::chrono::minutes(10);

/// `count` nanoseconds, at most `longest`. Requires: not NaN.
duration bounded(double count) noexcept {
  if (count >= static_cast<double>(longest.count())) return longest;
  return duration{static_cast<duration::rep>(count)};
}

lane_limits within_bounds(lane_limits limits) {
  constexpr double least = 0.001, most = 1000;
  limits.in_flight = std::max<std::size_t>(limits.in_flight, 1);
  limits.weight = limits.weight >= least ? std::min(limits.weight, most) : least;  // nor NaN
  return limits;
}

}  // namespace

lane::lane(lane_limits limits)
    : limits_(within_bounds(std::move(limits))),
      quotas_(limits_.quotas.begin(), limits_.quotas.end()),
      adaptive_(limits_.in_flight),
      breaker_(limits_.breaker) {
  if (!(limits_.rate > 0)) return;  // nor is NaN a limit
  const double interval = static_cast<double>(limits_.per.count()) / limits_.rate;
  interval_ = bounded(interval);
  if (limits_.burst > 1) tolerance_ = bounded(interval * (limits_.burst - 1));
}

// As the calls paid for say, unless the clock was set back: further ahead they never go.
lane::precise_time lane::arrival_at(system_time now) const noexcept {
  constexpr auto tick = std::chrono::milliseconds(1);
  return std::min<precise_time>(theoretical_arrival_, now + tick + tolerance_ + interval_);
}

// The tick of the clock in which one more call keeps to the rate.
system_time lane::rate_allows_at(system_time now) const noexcept {
  if (interval_ == duration::zero()) return {};
  return std::chrono::floor<std::chrono::milliseconds>(arrival_at(now) - tolerance_);
}

std::size_t lane::room() const noexcept {
  return limits_.adaptive ? adaptive_.value() : limits_.in_flight;
}

std::optional<permit> lane::try_acquire(system_time now) noexcept {
  if (in_flight_ >= room() || !breaker_.allows(now) || !try_call(now)) return std::nullopt;
  ++in_flight_;
  return permit{.at = now, .is_probe = breaker_.pass()};
}

bool lane::try_call(system_time now) noexcept {
  theoretical_arrival_ = arrival_at(now);
  if (next_call(now) > now) return false;
  theoretical_arrival_ = std::max<precise_time>(theoretical_arrival_, now) + interval_;
  for (auto& each : quotas_) each.spend(now);
  return true;
}

system_time lane::next_call(system_time now) noexcept {
  auto at = std::max({now, parked_until_, rate_allows_at(now)});
  for (auto& each : quotas_) at = std::max(at, each.next_call(now));
  return at;
}

void lane::release(const permit& used, lane_news news, system_time now) noexcept {
  WHERRY_ASSERT(in_flight_ > 0, "a lane got back a permit that it never gave");
  --in_flight_;
  switch (news) {
    case lane_news::good:
      adaptive_.ended_well(now);
      breaker_.succeeded(used.is_probe);
      break;
    case lane_news::throttled:
      adaptive_.throttled(used.at, now);
      breaker_.neither(used.is_probe);
      break;
    case lane_news::failed: breaker_.failed(used.is_probe, now); break;
    case lane_news::nothing: breaker_.neither(used.is_probe); break;
  }
}

void lane::release_unused(const permit& unused) noexcept {
  release(unused, lane_news::nothing, unused.at);
  theoretical_arrival_ -= interval_;
  for (auto& each : quotas_) each.give_back(unused.at);
}

void lane::park(system_time until) noexcept { parked_until_ = std::max(parked_until_, until); }

std::optional<system_time> lane::next_permit(system_time now) noexcept {
  if (in_flight_ >= room()) return std::nullopt;
  const auto breaker = breaker_.next(now);
  if (!breaker) return std::nullopt;
  return std::max(*breaker, next_call(now));
}

bool lane::is_as_new(system_time now) const noexcept {
  return in_flight_ == 0 && parked_until_ <= now && theoretical_arrival_ <= now &&
         (!limits_.adaptive || adaptive_.changed_at() + learnt_for <= now) &&
         breaker_.forgotten_at() <= now &&
         std::ranges::all_of(quotas_, [&](const auto& each) { return each.empty_at() <= now; });
}

bool lane::has_memory() const noexcept { return !quotas_.empty() || limits_.breaker.failures > 0; }

lane_memory lane::keep() const {
  const auto [failures, open_until] = breaker_.keep();
  lane_memory kept{.quotas = detail::keep(quotas_),
                   .failures = failures,
                   .open_until = open_until,
                   .keep_until = breaker_.forgotten_at()};
  for (const auto& each : quotas_) kept.keep_until = std::max(kept.keep_until, each.empty_at());
  return kept;
}

void lane::restore(const lane_memory& kept, system_time now) {
  detail::restore(quotas_, kept.quotas);
  breaker_.restore({kept.failures, kept.open_until}, now);
}

}  // namespace wherry
