// SPDX-License-Identifier: Apache-2.0
#pragma once
// One round of the soak: a seed says what is run, where, and so what is checked.

#include <cstdint>
#include <string>

namespace wherry::reference {

/// What has been seen so far.
struct tally {
  long programs = 0;      // under virtual time: each history is exactly the model's
  long small_crowds = 0;  // on threads: each history has an explanation
  long concurrent = 0;    // of those: none as if one operation came after the other as called
  long large_crowds = 0;  // on threads: the invariants hold
  long networks = 0;      // of combinators, under virtual time and on threads
  long operations = 0;
};

struct round_seen {
  bool repeatable = true;  // false: on threads, where the same seed is another order each time
  std::string fault;       // empty: none
};

/// Runs the round of `seed`, and adds to `all`. Threads: one round at a time.
round_seen run_round(std::uint64_t seed, tally& all);

}  // namespace wherry::reference
