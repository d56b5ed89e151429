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
  /// The machine's version when it came into this state: another one each time that it does.
  std::int64_t entered = 0;

  /// The time of the engine's clock, real or virtual.
  [[nodiscard]] system_time now() const { return scheduler::current().system_now(); }

  /// The same for every run of this step since the machine came into this state, also after a crash
  /// or a redrive, and for no other: give it to what must not act twice. A machine that comes into
  /// the state again (from itself, or by going back) has another one.
  [[nodiscard]] std::string idempotency_key() const {
    return id + "/" + std::to_string(generation) + "/" + state + "/" + std::to_string(entered);
  }
};

}  // namespace wherry
