// SPDX-License-Identifier: Apache-2.0
#pragma once
// Forms of what a lane bears (quotas, breaker, weight) and of how long the store keeps things.
// Internal to app/spec.

#include <cstdint>
#include <expected>
#include <string_view>
#include <vector>

#include "spec/forms.hpp"

namespace wherry::app::toml_file {

constexpr std::int64_t most_quota_calls = 1'000'000'000;

/// Says why a text is no quota.
enum class quota_fault : std::uint8_t { shape, zero, too_large };

/// Reads "100/min" or "10000/day": a whole number of calls, and s, min, h or day.
[[nodiscard]] std::expected<quota, quota_fault> parse_quota(std::string_view text);

/// Quotas of one lane, at most one of each window.
struct quota_list {
  static constexpr unsigned takes = list;
  static constexpr std::string_view wanted = R"(quotas = ["100/min", "10000/day"])";
  static constexpr std::string_view schema =
      R"({"type":"array","minItems":1,"maxItems":4,"items":{"type":"string",)"
      R"("pattern":"^0*[1-9][0-9]*/(s|min|h|day)$|\\$\\{"}})";
  static void read(reader& r, const value& from, std::vector<quota>& to);
};

/// A number within the bounds in which the engine shares its window.
struct weight_number {
  static constexpr unsigned takes = whole | real;
  static constexpr std::string_view wanted = "a number such as 2 or 0.5";
  static constexpr std::string_view schema = R"({"type":"number","minimum":0.001,"maximum":1000})";
  static void read(reader& r, const value& from, double& to);
};

/// How long to keep: a duration, or for ever, which is zero.
struct keeping_time : any_text {
  static constexpr std::string_view wanted = R"(a duration such as "30d", or "forever")";
  static constexpr std::string_view schema =
      R"({"type":"string","pattern":"^([0-9]+(ms|s|m|h|d)|forever)$|\\$\\{"})";
  static void read(reader& r, const value& from, std::chrono::milliseconds& to);
};

/// Reports a breaker whose first time is longer than its longest.
void check_times(reader& r, const value& from, const breaker& of);

}  // namespace wherry::app::toml_file
