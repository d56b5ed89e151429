// SPDX-License-Identifier: Apache-2.0
#pragma once
// What all requests to an API have in common: limits and headers, and what an answer that is
// not what was asked for becomes. Internal to app/source.

#include <string>
#include <string_view>

#include "net/http_client.hpp"
#include "source/answer.hpp"
#include "source/source.hpp"
#include "spec/template.hpp"

namespace wherry::app {

/// A GET of that address, yet to be signed. Without credentials the headers of the spec stay away,
/// too.
[[nodiscard]] http_request request_to(const source& spec, std::string url, bool with_credentials);

/// An address or a body that cannot be made for a report. `key` is the spec's.
[[nodiscard]] source_error from_template(const template_error& wrong, std::string_view key);

/// An answer that has no rows, as an error. Requires: meant.is is not rows.
[[nodiscard]] source_error from_answer(const source& spec, const std::string& place, int status,
                                       const answer_meaning& meant);

}  // namespace wherry::app
