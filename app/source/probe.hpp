// SPDX-License-Identifier: Apache-2.0
#pragma once
// One small call that tells whether the API is there and takes the credentials: for `wherry check
// --probe`, before an import has begun.
//
// 1. Nothing is made at the API: a report that is made on request is not asked for; in its place
//    the call asks how a report comes along that does not exist. "No such report" is then the good
//    answer.
// 2. Nothing is kept: of a report the first 64 KiB are looked at, and the transfer ends there.
// 3. As of app/source: redirects lead no credentials astray, and no text holds a secret.

#include <expected>
#include <string>
#include <string_view>

#include "net/http_client.hpp"
#include "spec/day.hpp"
#include "spec/spec.hpp"
#include "wherry/csp/task.hpp"

namespace wherry::app {

/// The id that is asked for where reports are made on request.
inline constexpr std::string_view no_report = "wherry-probe-of-no-report";

/// Makes the call for a report of that client and day; says what was tried and what came of it.
/// Requires: spec and client outlive it. Suspends: until there is an answer. Errors: the same, with
/// the remedy; `cancelled`.
[[nodiscard]] task<std::expected<std::string, std::string>> probe_source(const source& spec,
                                                                         http_client& client,
                                                                         app::client of, day on);

}  // namespace wherry::app
