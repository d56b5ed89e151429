// SPDX-License-Identifier: Apache-2.0
#pragma once
// What follows from the outcome of a step: the machine's next situation. Pure.

#include <cstdint>

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

/// Errors are cut to this many bytes before they are stored.
inline constexpr std::size_t error_limit_bytes = 2000;

/// Requires: `machine` as it was leased, `outcome` what its step said.
[[nodiscard]] transition decide(const leased_machine& machine, raw_outcome outcome,
                                const state_policy& policy, const step_run& run);

}  // namespace wherry::detail
