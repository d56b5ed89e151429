// SPDX-License-Identifier: Apache-2.0
#pragma once
// What all requests to an API have in common: limits and headers, and what an answer that is
// not what was asked for becomes. Internal to app/source.

#include <expected>
#include <optional>
#include <string>
#include <string_view>

#include "net/http_client.hpp"
#include "source/answer.hpp"
#include "source/source.hpp"
#include "spec/template.hpp"

namespace wherry::app {

/// A request to that place, yet to be signed: of JSON, if there is a body, it is a POST.
[[nodiscard]] http_request request_to(const source& spec, remote_place what);

/// Whether an answer from `here` sends on to where a request may follow (sends_on of app/net); with
/// a body that goes along, to no other origin.
[[nodiscard]] bool sends_on(const std::optional<origin>& here, const http_response& answer,
                            bool has_body);

/// Whether a body goes along to where an answer sends on: by the others a GET follows. Source: RFC
/// 9110, 15.4.
[[nodiscard]] bool keeps_body(int status) noexcept;

/// How the spec says that something is asked for, and what its parts are called there.
struct request_template {
  std::string_view url;
  std::string_view url_key;  ///< "source.url"
  std::string_view body;
  std::string_view body_key;
};

/// Where and how to ask for a report, with the credentials.
[[nodiscard]] std::expected<remote_place, source_error> place_for(const source& spec,
                                                                  const request_template& how,
                                                                  const client& of, day on,
                                                                  const template_values& values);

/// An address or a body that cannot be made for a report. `key` is the spec's.
[[nodiscard]] source_error from_template(const template_error& wrong, std::string_view key);

/// An answer that has no rows, as an error. Requires: meant.is is not rows.
[[nodiscard]] source_error from_answer(const source& spec, const std::string& place, int status,
                                       const answer_meaning& meant);

}  // namespace wherry::app
