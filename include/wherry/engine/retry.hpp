// SPDX-License-Identifier: Apache-2.0
#pragma once
// How often, and how long after a failure: the policy of a state, as pure functions.

#include <cstddef>
#include <cstdint>

#include "wherry/csp/scheduler.hpp"

namespace wherry {

/// How a delay is drawn below its bound, so that machines that failed together do not come back
/// together.
enum class jitter : std::uint8_t {
  full,   ///< anywhere from nothing to the bound: spreads best
  equal,  ///< from half of the bound on: never at once
  none    ///< the bound itself
};

struct state_policy {
  /// Runs of the step before the machine becomes a dead letter. At least 1.
  std::int32_t attempts = 12;
  /// Upper bound of the delay after the first failure; doubles with each further one.
  duration first = std::chrono::milliseconds(500);
  /// Upper bound of any delay.
  duration cap = std::chrono::minutes(5);
  /// A step still running after this is unwound and counts as failed.
  duration time_limit = std::chrono::minutes(10);
  wherry::jitter jitter = jitter::full;
  /// Steps from this state at once, over all lanes; 0: as many as their lanes allow. A lane whose
  /// next machine finds no room waits, with those behind it: so later states still come first.
  std::size_t in_flight = 0;
};

/// The delay after the run number `attempt` failed: below min(cap, first * 2^(attempt-1)), as the
/// policy's jitter says. `draw` is a uniform random word.
/// Source: M. Brooker, Exponential Backoff and Jitter, AWS Architecture Blog 2015.
[[nodiscard]] duration backoff(const state_policy& policy, std::int32_t attempt,
                               std::uint64_t draw) noexcept;

}  // namespace wherry
