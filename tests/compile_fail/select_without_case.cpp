// SPDX-License-Identifier: Apache-2.0
// A select of nothing would wait for ever.
// expected: no matching function for call to 'select'
// because: because 'sizeof.*Operations. > 0'
#include "wherry/csp/select.hpp"

wherry::task<> wait() { co_await wherry::select(); }
