// SPDX-License-Identifier: Apache-2.0
#pragma once
// Days, as people write them. A report belongs to a calendar day and not to an instant, so there is
// no clock and no time zone here; std::chrono counts, this reads and writes.

#include <chrono>
#include <optional>
#include <string>
#include <string_view>

namespace wherry::app {

using day = std::chrono::year_month_day;

/// Reads "2025-01-31", and nothing looser. Errors: empty for another shape or a day that no
/// calendar has, such as 2025-02-30.
[[nodiscard]] std::optional<day> parse_day(std::string_view text);

/// Writes a day as "2025-01-31". Requires: 0 <= year <= 9999.
[[nodiscard]] std::string to_string(day value);

/// Writes a day by a pattern of %Y, %m and %d. Requires: day_pattern_fault is empty.
[[nodiscard]] std::string format_day(day value, std::string_view pattern);

/// Finds the first part of a pattern that format_day does not know, such as "%H".
[[nodiscard]] std::optional<std::string_view> day_pattern_fault(std::string_view pattern);

}  // namespace wherry::app
