// SPDX-License-Identifier: Apache-2.0
// A reader does not end what it reads.
// expected: no member named 'close' in 'wherry::take_channel<int>'
#include "wherry/csp/direction.hpp"

void stop(wherry::take_channel<int> from) { from.close(); }
