// SPDX-License-Identifier: Apache-2.0
#pragma once
// A request for an access token, and what its answer says. Pure. Internal to app/source.

#include <chrono>
#include <expected>
#include <optional>
#include <string>

#include "net/http_client.hpp"
#include "source/source.hpp"
#include "spec/spec.hpp"

namespace wherry::app {

/// Asks for a token, by that refresh token or, if it is empty, by client credentials.
[[nodiscard]] http_request token_request(const oauth2_auth& how, const source& spec,
                                         const std::string& refresh_token);

struct given_token {
  std::string access_token;
  std::optional<std::chrono::seconds> lives_for;
  std::string refresh_token;  ///< that replaces the one which was used; empty: it stays
};

/// Reads the answer. Errors: why there is no token; permanent if the request was refused.
/// Requires: called from a process.
[[nodiscard]] std::expected<given_token, source_error> read_token(const oauth2_auth& how,
                                                                  const http_response& answer);

/// Says why there is no answer.
[[nodiscard]] source_error explain_token_failure(const net_error& wrong);

}  // namespace wherry::app
