// SPDX-License-Identifier: Apache-2.0
#pragma once
// Exchange rates that are fetched from an address (`rates = "https://…"` of [transform]) before
// anything else begins, and kept as a file beside the store. The transform itself has no network.
//
//   1. The file is whole, and rates, or is what it was before: a new one is read first, then takes
//      its name.
//   2. When they cannot be fetched, a copy of at most three days (a weekend) is used, with a
//      warning; without one that is an error, since money would be converted at an old rate.

#include <chrono>
#include <expected>
#include <optional>
#include <string>

#include "net/http_client.hpp"
#include "spec/spec.hpp"
#include "wherry/csp/task.hpp"

namespace wherry::app {

inline constexpr std::chrono::hours rates_good_for{72};

/// Fetches the rates of a spec, if it says where they are. Returns what to warn of, or nothing.
/// Suspends: for the transfer. Requires: the client outlives it.
/// Errors: why, and what to do; of the address no more than its origin.
[[nodiscard]] task<std::expected<std::optional<std::string>, std::string>> fetch_rates(
    http_fetcher* client, transform of, std::chrono::system_clock::time_point now);

/// The same for a command that has no scheduler yet; prints the warning. `client`: null: its own.
[[nodiscard]] std::expected<void, std::string> fetch_rates_first(const transform& of,
                                                                 http_fetcher* client);

}  // namespace wherry::app
