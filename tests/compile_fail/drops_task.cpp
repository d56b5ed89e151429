// SPDX-License-Identifier: Apache-2.0
// A task that is neither awaited nor started does not run.
// expected: ignoring return value of function declared with 'nodiscard' attribute
#include "wherry/csp/task.hpp"

wherry::task<> work();
void forget() { work(); }
