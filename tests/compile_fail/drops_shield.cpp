// SPDX-License-Identifier: Apache-2.0
// A shield that nobody holds shields nothing.
// expected: ignoring return value of function declared with 'nodiscard' attribute
#include "wherry/csp/scope.hpp"

wherry::task<> clean_up() { co_await wherry::shield(); }
