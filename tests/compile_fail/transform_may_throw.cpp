// SPDX-License-Identifier: Apache-2.0
// An exception inside a put of somebody else needs somebody to be told of it.
// expected: give transformed.. a handler of failures
#include "wherry/csp/transform.hpp"

const auto doubled = wherry::transformed<int>(
    wherry::fixed{1}, wherry::transforms::map([](int each) { return 2 * each; }));
