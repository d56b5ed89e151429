// SPDX-License-Identifier: Apache-2.0
#pragma once
// A lane: machines that share a limit. It gives out permits to run a step: so many per time, so
// many at once, none while it is parked. Pure: time is an argument. Threads: one at a time.
//
// A rate is kept exactly over time, also one that does not divide a second into whole milliseconds
// or that is above a thousand a second; a single permit may come up to a millisecond, the clock's
// tick, early. A clock that is set back delays nobody for longer than the rate itself asks, and a
// tick.

#include <cstddef>
#include <optional>

#include "wherry/csp/scheduler.hpp"

namespace wherry {

struct lane_limits {
  /// Permits out at once. At least 1.
  std::size_t in_flight = 16;
  /// Permits per `per`; 0: as many as asked for.
  double rate = 0;
  duration per = std::chrono::seconds(1);
  /// Permits that may be taken at once after a quiet time, at least 1.
  double burst = 1;
};

class lane {
 public:
  explicit lane(lane_limits limits) noexcept;

  /// Takes a permit if one is free at `now`.
  [[nodiscard]] bool try_acquire(system_time now) noexcept;
  /// Gives a permit back after its step.
  void release() noexcept;
  /// Gives a permit back that no step used: also its share of the rate.
  void release_unused() noexcept;
  /// No permits before `until`; an earlier call for a later time stands.
  void park(system_time until) noexcept;

  /// When to ask again, if what is missing is time; empty if it is a release.
  [[nodiscard]] std::optional<system_time> next_permit(system_time now) const noexcept;
  /// Whether a new lane would do the same from `now` on: this one may be forgotten.
  [[nodiscard]] bool is_as_new(system_time now) const noexcept;
  [[nodiscard]] std::size_t in_flight() const noexcept { return in_flight_; }
  [[nodiscard]] const lane_limits& limits() const noexcept { return limits_; }

 private:
  // The rate is a leaky bucket by virtual scheduling: a permit is due at `theoretical_arrival_` and
  // may be taken `tolerance_` before. Source: ITU-T I.371, generic cell rate algorithm.
  using precise_time = std::chrono::sys_time<duration>;
  [[nodiscard]] precise_time arrival_at(system_time now) const noexcept;
  [[nodiscard]] system_time rate_allows_at(system_time now) const noexcept;

  lane_limits limits_;
  duration interval_{};  // zero: no limit
  duration tolerance_{};
  std::size_t in_flight_ = 0;
  system_time parked_until_{};
  precise_time theoretical_arrival_{};
};

}  // namespace wherry
