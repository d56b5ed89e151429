// SPDX-License-Identifier: Apache-2.0
#pragma once
// Retry-After: how long a server asks to be left alone. Pure.

#include <chrono>
#include <optional>
#include <string_view>

namespace wherry::app {

/// Reads the header: seconds, or an HTTP date (a past one is zero). At most a day, so that no
/// server can park a report for good. Empty: neither. Source: RFC 9110, 10.2.3 and 5.6.7.
[[nodiscard]] std::optional<std::chrono::milliseconds> parse_retry_after(
    std::string_view value, std::chrono::system_clock::time_point now);

}  // namespace wherry::app
