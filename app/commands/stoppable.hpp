// SPDX-License-Identifier: Apache-2.0
#pragma once
// A command whose work waits, and ends at the first SIGINT or SIGTERM with nothing done.

#include "wherry/csp/task.hpp"

namespace wherry::app {

/// Runs work on a scheduler of its own. Returns what it returns, or 130 if a signal came first;
/// then it has been unwound. Requires: block_stop_signals was called, first thing.
[[nodiscard]] int run_until_stopped(task<int> work);

}  // namespace wherry::app
