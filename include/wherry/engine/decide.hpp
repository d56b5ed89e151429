// SPDX-License-Identifier: Apache-2.0
#pragma once
// What follows from the outcome of a step: the machine's next situation. Pure.

#include <cstdint>

#include "wherry/engine/lane.hpp"
#include "wherry/engine/machine.hpp"
#include "wherry/engine/raw_kind.hpp"
#include "wherry/engine/retry.hpp"

namespace wherry::detail {

/// The run of a step that ended.
struct step_run {
  system_time started{};
  system_time ended{};
  std::uint64_t draw = 0;  ///< a uniform random word, for the backoff's jitter
};

/// What an outcome says about the other side of the lane. A dead letter, going back, and a wait for
/// our own limits say nothing.
[[nodiscard]] lane_news news_of(const raw_outcome& outcome) noexcept;

/// Whether the machine's deadline has passed at `now`.
[[nodiscard]] bool is_late(const leased_machine& machine, system_time now) noexcept;
/// What becomes of such a machine: a dead letter that names the deadline. `while_running`: its step
/// was unwound.
[[nodiscard]] raw_outcome late_outcome(const leased_machine& machine, bool while_running);

/// Requires: `machine` as it was leased, `outcome` what its step said. What comes out is never
/// beyond a limit of machine.hpp: a next state that is makes a dead letter of the machine in its
/// old one.
[[nodiscard]] transition decide(const leased_machine& machine, raw_outcome outcome,
                                const state_policy& policy, const step_run& run);

}  // namespace wherry::detail
