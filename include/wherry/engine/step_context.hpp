// SPDX-License-Identifier: Apache-2.0
#pragma once
// What a step is told about the run that it is: by value, it may keep it.

#include <cstdint>
#include <string>

#include "wherry/csp/scheduler.hpp"

namespace wherry {

struct step_context {
  std::string id;
  std::int64_t generation = 1;
  std::string state;  ///< tag of the state that the step takes
  /// From 1; above 1 the step has failed before in this state.
  std::int32_t attempt = 1;
  /// When the run began.
  system_time started{};

  /// The time of the engine's clock, real or virtual.
  [[nodiscard]] system_time now() const { return scheduler::current().system_now(); }

  /// The same for every run of this step in this generation of the machine, also after a crash, and
  /// for no other: give it to what must not act twice.
  [[nodiscard]] std::string idempotency_key() const {
    return id + "/" + std::to_string(generation) + "/" + state;
  }
};

}  // namespace wherry
