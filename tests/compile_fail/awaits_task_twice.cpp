// SPDX-License-Identifier: Apache-2.0
// A task that has a name could be awaited twice; the second time there is nothing to run.
// expected: invalid operands|no member named 'await_ready'|no viable|expects an rvalue
#include "wherry/csp/task.hpp"

wherry::task<int> one();

wherry::task<int> two() {
  auto once = one();
  co_return co_await once;
}
