// SPDX-License-Identifier: Apache-2.0
// The side to put into does not become the one to take from.
// expected: no viable conversion .* type '[a-z:]*put_channel<int>' to .* '[a-z:]*take_channel<int>'
#include "wherry/csp/direction.hpp"

wherry::take_channel<int> other(wherry::put_channel<int> to) { return to; }
