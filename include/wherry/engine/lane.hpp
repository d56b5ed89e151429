// SPDX-License-Identifier: Apache-2.0
#pragma once
// A lane: machines that share a limit. It gives out permits to run a step: so many per time, so many
// at once, none while it is parked. Pure: time is an argument. Threads: one at a time.

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
  explicit lane(lane_limits limits) noexcept : limits_(limits) {}

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
  [[nodiscard]] std::size_t in_flight() const noexcept { return in_flight_; }
  [[nodiscard]] const lane_limits& limits() const noexcept { return limits_; }

 private:
  // The rate is a leaky bucket by virtual scheduling: `full_at_` is when the bucket would be empty
  // again. Source: ITU-T I.371, generic cell rate algorithm.
  [[nodiscard]] duration interval() const noexcept;
  [[nodiscard]] system_time rate_allows_at() const noexcept;

  lane_limits limits_;
  std::size_t in_flight_ = 0;
  system_time parked_until_{};
  std::chrono::sys_time<duration> theoretical_arrival_{};
};

}  // namespace wherry
