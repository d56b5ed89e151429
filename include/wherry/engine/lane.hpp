// SPDX-License-Identifier: Apache-2.0
#pragma once
// A lane: machines that share a limit. It gives out permits to run a step: so many at once, so many
// calls per time, none while it is parked or its breaker is open. A permit pays for the step's
// first call; try_call pays for each further one. Pure: time is an argument. Threads: one at a
// time.
//
// A rate is kept exactly over time, also one that does not divide a second into whole milliseconds
// or that is above a thousand a second; a single permit may come up to a millisecond, the clock's
// tick, early. Quotas are never exceeded. A clock that is set back delays nobody for longer than
// the limits themselves ask, and a tick.

#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

#include "wherry/csp/scheduler.hpp"
#include "wherry/engine/adaptive.hpp"
#include "wherry/engine/breaker.hpp"
#include "wherry/engine/lane_memory.hpp"
#include "wherry/engine/quota.hpp"

namespace wherry {

struct lane_limits {
  /// Permits out at once. At least 1.
  std::size_t in_flight = 16;
  /// Calls per `per`, evenly; 0: as many as asked for.
  double rate = 0;
  duration per = std::chrono::seconds(1);
  /// Calls that may be made at once after a quiet time, at least 1.
  double burst = 1;
  /// Calls per window, however they are spread; all hold at once. Their counts survive a restart.
  /// If steps make several calls, let in_flight be fewer than a long window has: else all of them
  /// may be begun, none ended, and so again in the next window.
  std::vector<quota> quotas{};
  /// Find out by trying how many of `in_flight` the other side bears: fewer when it throttles.
  bool adaptive = false;
  /// Off by default. Its state survives a restart.
  breaker_limits breaker{};
  /// Share of the engine's window beside other lanes that have work, relative to theirs.
  double weight = 1;
};

/// The right to run one step.
struct permit {
  system_time at{};
  bool is_probe = false;  ///< the one that an open breaker lets through
};

/// What the end of a step says about the other side.
enum class lane_news : std::uint8_t { nothing, good, throttled, failed };

class lane {
 public:
  explicit lane(lane_limits limits);

  /// Takes a permit, and pays for one call, if that is free at `now`.
  [[nodiscard]] std::optional<permit> try_acquire(system_time now) noexcept;
  /// Pays for one more call of a step that has a permit. An open breaker does not hinder it.
  [[nodiscard]] bool try_call(system_time now) noexcept;
  /// Gives a permit back after its step, which began when the permit was had.
  void release(const permit& used, lane_news news, system_time now) noexcept;
  /// Gives a permit back that no step used: also its call.
  void release_unused(const permit& unused) noexcept;
  /// No permits and no calls before `until`; an earlier call for a later time stands.
  void park(system_time until) noexcept;

  /// When to ask again, if what is missing is time; empty if it is a release.
  [[nodiscard]] std::optional<system_time> next_permit(system_time now) noexcept;
  /// When try_call may succeed; `now`: at once.
  [[nodiscard]] system_time next_call(system_time now) noexcept;
  /// Whether a new lane would do the same from `now` on: this one may be forgotten.
  [[nodiscard]] bool is_as_new(system_time now) const noexcept;
  [[nodiscard]] std::size_t in_flight() const noexcept { return in_flight_; }
  /// How many may be in flight now.
  [[nodiscard]] std::size_t room() const noexcept;
  [[nodiscard]] const lane_limits& limits() const noexcept { return limits_; }

  /// Whether `keep` ever has anything to say.
  [[nodiscard]] bool has_memory() const noexcept;
  [[nodiscard]] lane_memory keep() const;
  void restore(const lane_memory& kept, system_time now);

 private:
  // The rate is a leaky bucket by virtual scheduling: a call is due at `theoretical_arrival_` and
  // may be made `tolerance_` before. Source: ITU-T I.371, generic cell rate algorithm.
  using precise_time = std::chrono::sys_time<duration>;
  [[nodiscard]] precise_time arrival_at(system_time now) const noexcept;
  [[nodiscard]] system_time rate_allows_at(system_time now) const noexcept;

  lane_limits limits_;
  duration interval_{};  // zero: no limit
  duration tolerance_{};
  std::size_t in_flight_ = 0;
  system_time parked_until_{};
  precise_time theoretical_arrival_{};
  std::vector<detail::quota_window> quotas_;
  detail::adaptive_limit adaptive_;
  detail::breaker breaker_;
};

}  // namespace wherry
