// SPDX-License-Identifier: Apache-2.0
// A case says whether it puts or takes.
// expected: no matching function for call to 'select'
// because: because 'wherry::channel<int>' does not satisfy 'selectable'
#include "wherry/csp/select.hpp"

wherry::task<> wait(wherry::channel<int> numbers) { co_await wherry::select(numbers); }
