// SPDX-License-Identifier: Apache-2.0
#pragma once
// Clients whom a list elsewhere names: a file, what a command prints, what an API answers. It is
// read anew at the start of each run; what is wrong in it is told with its place there, and nothing
// is begun.
//
// An empty list is an error: it is more often a fault of whoever made it than the truth, and every
// report that is under way would die of it.

#include <expected>
#include <string>
#include <vector>

#include "net/http_client.hpp"
#include "spec/spec.hpp"
#include "wherry/csp/task.hpp"

namespace wherry::app {

/// Why there are no clients.
struct listing_error {
  bool stopped = false;                 ///< by SIGINT or SIGTERM
  std::vector<std::string> mistakes{};  ///< each with place and remedy; without secrets
};

/// Reads the list that the spec names, and checks its clients as those of a spec are.
/// Suspends: while an API answers; blocks while a command runs. Requires: spec and client outlive
/// it; the spec has a list.
[[nodiscard]] task<std::expected<std::vector<client>, listing_error>> list_clients(
    const spec* of, http_client* client);

}  // namespace wherry::app
