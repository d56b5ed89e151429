// SPDX-License-Identifier: Apache-2.0
// A select that is not awaited does nothing.
// expected: ignoring return value of function declared with 'nodiscard' attribute
#include "wherry/csp/select.hpp"

wherry::task<> forget(wherry::channel<int> from) {
  wherry::select(from.take());
  co_return;
}
