// SPDX-License-Identifier: Apache-2.0
// One side does not become both again.
// expected: no viable conversion .* type '[a-z:]*take_channel<int>' to .* '[a-z:]*channel<int>'
#include "wherry/csp/direction.hpp"

wherry::channel<int> both(wherry::take_channel<int> from) { return from; }
