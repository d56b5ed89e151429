// SPDX-License-Identifier: Apache-2.0
// Who was given the side to put into cannot take what others put.
// expected: no member named 'take' in 'wherry::put_channel<int>'
#include "wherry/csp/direction.hpp"

wherry::task<> echo(wherry::put_channel<int> to) { co_await to.take(); }
