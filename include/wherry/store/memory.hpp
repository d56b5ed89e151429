// SPDX-License-Identifier: Apache-2.0
#pragma once
// A store that keeps machines in memory: for tests, simulation, and work that may be lost.

#include <memory>

#include "wherry/engine/simulated_disk.hpp"
#include "wherry/engine/store.hpp"

namespace wherry {

/// Makes an empty store.
std::unique_ptr<store> open_memory_store();

/// Makes a disk for simulations with an empty store on it.
std::unique_ptr<simulated_disk> simulated_memory_disk();

}  // namespace wherry
