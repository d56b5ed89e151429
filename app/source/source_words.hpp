// SPDX-License-Identifier: Apache-2.0
#pragma once
// What a person reads when there are no rows: which report, which server, what it said, what to do.
// Internal to app/source. Nothing here may quote a URL's path or query, a header, or a body.

#include <string>

#include "net/http_client.hpp"
#include "source/answer.hpp"
#include "source/source.hpp"

namespace wherry::app {

/// Explains an answer that is not rows.
[[nodiscard]] std::string explain_answer(const source& spec, const std::string& place, int status,
                                         const answer_meaning& meant);

/// Turns a transfer's failure into the source's, with the keys of the spec to look at.
[[nodiscard]] source_error explain_failure(const source& spec, const net_error& wrong);

}  // namespace wherry::app
