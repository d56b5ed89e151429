// SPDX-License-Identifier: Apache-2.0
#pragma once
// Stores that are wrong on purpose, each in one way in which an engine with its store goes wrong:
// so that it is known that the simulation finds it.

#include <memory>

#include "wherry/engine/simulated_disk.hpp"

namespace wherry::test {

enum class flaw {
  commits_late,        ///< an outcome is answered at once, and committed after the next step
  does_not_fence,      ///< an outcome is accepted from whoever once held the lease
  counts_throttling,   ///< a run that was throttled spends an attempt
  forgets_its_timers,  ///< what waited before a restart is not thought of after it
};

/// A disk whose store has that flaw.
[[nodiscard]] std::unique_ptr<simulated_disk> flawed(std::unique_ptr<simulated_disk> sound,
                                                     flaw which);

}  // namespace wherry::test
