// SPDX-License-Identifier: Apache-2.0
#include "net/retry_after.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <cstdint>
#include <cstdio>
#include <string>

namespace wherry::app {
namespace {

using std::chrono::milliseconds;

constexpr std::chrono::seconds longest = std::chrono::days{1};

std::optional<int> month_of(std::string_view name) {
  constexpr std::array names{"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                             "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
  const auto found = std::ranges::find(names, name);
  if (found == names.end()) return std::nullopt;
  return static_cast<int>(found - names.begin()) + 1;
}

struct fields {
  int year = 0, day = 0, hour = 0, minute = 0, second = 0;
  std::array<char, 4> month{};
};

// The three shapes of RFC 9110 5.6.7; a sender makes the first, a receiver takes all.
std::optional<fields> split_http_date(const std::string& text) {
  fields read;
  const auto whole = [&](int count, int end) {
    return count == 6 && end == static_cast<int>(text.size());
  };
  int end = 0;
  auto count =
      std::sscanf(text.c_str(), "%*3[A-Za-z], %2d %3[A-Za-z] %4d %2d:%2d:%2d GMT%n", &read.day,
                  read.month.data(), &read.year, &read.hour, &read.minute, &read.second, &end);
  if (whole(count, end)) return read;
  end = 0;
  count = std::sscanf(text.c_str(), "%*[A-Za-z], %2d-%3[A-Za-z]-%2d %2d:%2d:%2d GMT%n", &read.day,
                      read.month.data(), &read.year, &read.hour, &read.minute, &read.second, &end);
  if (whole(count, end)) {
    read.year += read.year < 70 ? 2000 : 1900;
    return read;
  }
  end = 0;
  count =
      std::sscanf(text.c_str(), "%*3[A-Za-z] %3[A-Za-z] %2d %2d:%2d:%2d %4d%n", read.month.data(),
                  &read.day, &read.hour, &read.minute, &read.second, &read.year, &end);
  if (whole(count, end)) return read;
  return std::nullopt;
}

std::optional<std::chrono::sys_seconds> parse_http_date(const std::string& text) {
  const auto read = split_http_date(text);
  if (!read) return std::nullopt;
  const auto month = month_of(read->month.data());
  if (!month || read->hour > 23 || read->minute > 59 || read->second > 60) return std::nullopt;
  const std::chrono::year_month_day date{std::chrono::year{read->year},
                                         std::chrono::month{static_cast<unsigned>(*month)},
                                         std::chrono::day{static_cast<unsigned>(read->day)}};
  if (!date.ok()) return std::nullopt;
  return std::chrono::sys_days{date} + std::chrono::hours{read->hour} +
         std::chrono::minutes{read->minute} + std::chrono::seconds{read->second};
}

}  // namespace

std::optional<milliseconds> parse_retry_after(std::string_view value,
                                              std::chrono::system_clock::time_point now) {
  if (value.empty()) return std::nullopt;
  if (value.find_first_not_of("0123456789") == value.npos) {
    std::int64_t seconds = 0;
    const auto read = std::from_chars(value.data(), value.data() + value.size(), seconds);
    if (read.ec != std::errc{}) return longest;  // more digits than fit
    return std::min(std::chrono::seconds{seconds}, longest);
  }
  const auto until = parse_http_date(std::string{value});
  if (!until) return std::nullopt;
  const auto left = std::chrono::ceil<milliseconds>(*until - now);
  return std::clamp(left, milliseconds{0}, milliseconds{longest});
}

}  // namespace wherry::app
