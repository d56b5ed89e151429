// SPDX-License-Identifier: Apache-2.0
#pragma once
// What must hold of every history, however large: for runs on threads with so many operations at
// once that no search for an explanation would end.
//
// 1. A value is taken only from the channel that accepted it, and once (a promise: the same for
//    all).
// 2. What a channel accepted was taken in the end, unless it may drop. (The program ends by a
//    search: add_last_search.)
// 3. Values of one putter come to one taker in the order in which they were put.
// 4. A put that begins after a close has ended is not accepted; nobody is told of an end before a
//    close has begun.
// 5. A value is at its putter exactly if it was not accepted.

#include <string>

#include "../reference/history.hpp"

namespace wherry::reference {

/// Empty if all hold; else what does not.
std::string broken_invariant(const program& played, const history& seen);

}  // namespace wherry::reference
