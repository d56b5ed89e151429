// SPDX-License-Identifier: Apache-2.0
// Days by hand: libstdc++ 12 has neither chrono::parse nor chrono's formatting.
#include "spec/day.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>

namespace wherry::app {
namespace {

std::optional<int> digits(std::string_view text) {
  const bool all = std::ranges::all_of(text, [](char c) { return c >= '0' && c <= '9'; });
  int number = 0;
  if (!all) return std::nullopt;
  std::from_chars(text.data(), text.data() + text.size(), number);
  return number;
}

}  // namespace

std::optional<day> parse_day(std::string_view text) {
  if (text.size() != 10 || text[4] != '-' || text[7] != '-') return std::nullopt;
  const auto year = digits(text.substr(0, 4));
  const auto month = digits(text.substr(5, 2));
  const auto date = digits(text.substr(8, 2));
  if (!year || !month || !date) return std::nullopt;
  const day value{std::chrono::year{*year}, std::chrono::month{static_cast<unsigned>(*month)},
                  std::chrono::day{static_cast<unsigned>(*date)}};
  return value.ok() ? std::optional{value} : std::nullopt;
}

std::string to_string(day value) { return format_day(value, "%Y-%m-%d"); }

std::string format_day(day value, std::string_view pattern) {
  std::string out;
  for (std::size_t i = 0; i < pattern.size(); ++i) {
    if (pattern[i] != '%' || i + 1 == pattern.size()) {
      out += pattern[i];
      continue;
    }
    switch (pattern[++i]) {
      case 'Y': out += fmt::format("{:04}", static_cast<int>(value.year())); break;
      case 'm': out += fmt::format("{:02}", static_cast<unsigned>(value.month())); break;
      case 'd': out += fmt::format("{:02}", static_cast<unsigned>(value.day())); break;
      default: out += pattern[i];
    }
  }
  return out;
}

std::optional<std::string_view> day_pattern_fault(std::string_view pattern) {
  for (std::size_t i = 0; i < pattern.size(); ++i) {
    if (pattern[i] != '%') continue;
    const auto part = pattern.substr(i++, 2);
    if (part != "%Y" && part != "%m" && part != "%d") return part;
  }
  return std::nullopt;
}

}  // namespace wherry::app
