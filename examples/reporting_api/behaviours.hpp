// SPDX-License-Identifier: Apache-2.0
#pragma once
// The behaviours of real reporting APIs, each under a prefix of its own, all with the same flights
// behind them; README.md says which API each is like. A behaviour speaks as its API does: the form
// of its answers, how it says that a limit is reached, and what it does with credentials.
//
// One file a behaviour; `make_behaviours` is their table. Threads: routes are called on any.

#include "front.hpp"

#include <memory>
#include <vector>

namespace example {

class behaviour {
 public:
  virtual ~behaviour() = default;

  /// Adds its routes. Requires: it outlives the server.
  virtual void route(httplib::Server& server) = 0;
};

/// Makes all of them. Requires: `shared` outlives them.
std::vector<std::unique_ptr<behaviour>> make_behaviours(front& shared);

std::unique_ptr<behaviour> make_sync_quota(front& shared);   // GA4: quota in the body
std::unique_ptr<behaviour> make_error_quota(front& shared);  // GA4: so many server errors an hour
std::unique_ptr<behaviour> make_run_id(front& shared);       // Meta: a run, then its pages
std::unique_ptr<behaviour> make_duplicate(front& shared);    // Amazon Ads: 425 with the id
std::unique_ptr<behaviour> make_error_code(front& shared);   // TikTok: always 200
std::unique_ptr<behaviour> make_slots(front& shared);        // Microsoft: so many at once
std::unique_ptr<behaviour> make_expiring(front& shared);     // Criteo: reports that expire

}  // namespace example
