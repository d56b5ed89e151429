// SPDX-License-Identifier: Apache-2.0
#pragma once
// report_loader: brings the rows of uploaded reports into the table of [warehouse].
//
// 1. The table holds of each (client, day) the rows of exactly one object, or none: what is loaded
//    anew takes the place of what was there, in one transaction with its line in wherry_loads.
// 2. Loading the same report again does nothing; an older generation does nothing, too.
// 3. A report that is to blame for a load that failed is found, by halves if need be, and fails
//    alone.
// 4. No error holds the password.

#include <memory>

#include "aws/credentials.hpp"
#include "net/http_client.hpp"
#include "spec/spec.hpp"
#include "spool/spool.hpp"
#include "warehouse/queue.hpp"

namespace wherry::app {

/// Threads: any.
class report_loader {
 public:
  virtual ~report_loader() = default;

  /// Suspends: until the table holds what the report says. Errors: load_error; `cancelled`: it may
  /// come to hold it all the same.
  [[nodiscard]] virtual task<load_outcome> load(load_item item) = 0;
};

/// Makes the loader that the spec asks for. Requires: all four outlive it; the spec has a
/// warehouse.
[[nodiscard]] std::unique_ptr<report_loader> make_loader(const spec& whole, http_client& client,
                                                         aws_credentials& keys, spool& files);

}  // namespace wherry::app
