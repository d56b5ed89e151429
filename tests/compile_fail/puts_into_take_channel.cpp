// SPDX-License-Identifier: Apache-2.0
// Who was given the side to take from cannot put into it.
// expected: no member named 'put' in 'wherry::take_channel<int>'
#include "wherry/csp/direction.hpp"

wherry::task<> reply(wherry::take_channel<int> from) { co_await from.put(1); }
