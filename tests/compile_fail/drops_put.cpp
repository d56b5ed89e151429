// SPDX-License-Identifier: Apache-2.0
// A put that is not awaited does nothing.
// expected: ignoring return value of function declared with 'nodiscard' attribute
#include "wherry/csp/channel.hpp"

wherry::task<> forget(wherry::channel<int> to) {
  to.put(1);
  co_return;
}
