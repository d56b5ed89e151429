// SPDX-License-Identifier: Apache-2.0
#pragma once
// Networks of combinators out of a seed (sources, pipe, transforms, pipeline, merge, mult, split,
// pub, map), and what must come out of them: computed along with the network, without it.

#include <cstdint>
#include <string>

#include "wherry/csp/scheduler.hpp"

namespace wherry::reference {

struct network_seen {
  long values = 0;
  std::string fault;  // empty: what came out is what must
};

/// Builds the network of `seed` on `home`, takes all that comes out of it, or cancels it halfway.
/// What cannot be cancelled, `thread(fn)`, may hold values until `home` goes.
network_seen run_network(scheduler& home, std::uint64_t seed);

}  // namespace wherry::reference
