// SPDX-License-Identifier: Apache-2.0
#pragma once
// The rows of a list of clients: CSV with a header, a JSON document, or a JSON object a line; which
// of them, the first byte says. Pure. Internal to app/clients.
//
// A row of JSON may also be the id alone. What a row does not say has its default; a column that
// the spec names must be there. Fields are not checked here (spec/clients.hpp).

#include <expected>
#include <string>
#include <string_view>
#include <vector>

#include "spec/spec.hpp"

namespace wherry::app {

struct listed_client {
  client of;
  std::string place;  ///< "line 3", "row 3"
};

struct client_rows {
  std::vector<listed_client> rows;
  std::string next;  ///< the next page's address, as it stands there; empty: this was the last
};

/// Reads a list. Errors: where it is none, and what to write.
[[nodiscard]] std::expected<client_rows, std::string> read_client_rows(std::string_view text,
                                                                       const client_list& how);

}  // namespace wherry::app
