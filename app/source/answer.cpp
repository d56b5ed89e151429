// SPDX-License-Identifier: Apache-2.0
#include "source/answer.hpp"

#include <algorithm>
#include <array>
#include <boost/json.hpp>
#include <charconv>
#include <cstdio>
#include <string>

#include "source/json_path.hpp"

namespace wherry::app {
namespace {

using meaning = answer_rule::meaning;
using std::chrono::milliseconds;

constexpr milliseconds retry_after_limit = std::chrono::days{1};

// Parses a body at most once, and only if some rule asks for it.
class lazy_json {
 public:
  explicit lazy_json(const answer& given) : given_(given) {}

  bool holds(const std::map<std::string, std::string>& conditions) {
    if (conditions.empty()) return true;
    if (!tried_ && given_.body_is_whole) body_ = parse_json(given_.body_prefix);
    tried_ = true;
    return body_ && std::ranges::all_of(conditions, [&](const auto& each) {
             return text_at(*body_, each.first) == each.second;
           });
  }

 private:
  const answer& given_;
  bool tried_ = false;
  std::optional<boost::json::value> body_;
};

meaning meaning_of(int status) {
  if (status == 204) return meaning::empty;
  if (status >= 200 && status < 300) return meaning::rows;
  if (status == 429) return meaning::throttled;
  if (status == 408 || status == 425 || status >= 500) return meaning::transient;
  return meaning::permanent;
}

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
  auto count = std::sscanf(text.c_str(), "%*3[A-Za-z], %2d %3[A-Za-z] %4d %2d:%2d:%2d GMT%n",
                           &read.day, read.month.data(), &read.year, &read.hour, &read.minute,
                           &read.second, &end);
  if (whole(count, end)) return read;
  end = 0;
  count = std::sscanf(text.c_str(), "%*[A-Za-z], %2d-%3[A-Za-z]-%2d %2d:%2d:%2d GMT%n", &read.day,
                      read.month.data(), &read.year, &read.hour, &read.minute, &read.second, &end);
  if (whole(count, end)) {
    read.year += read.year < 70 ? 2000 : 1900;
    return read;
  }
  end = 0;
  count = std::sscanf(text.c_str(), "%*3[A-Za-z] %3[A-Za-z] %2d %2d:%2d:%2d %4d%n",
                      read.month.data(), &read.day, &read.hour, &read.minute, &read.second,
                      &read.year, &end);
  if (whole(count, end)) return read;
  return std::nullopt;
}

std::optional<std::chrono::sys_seconds> parse_http_date(const std::string& text) {
  const auto read = split_http_date(text);
  if (!read) return std::nullopt;
  const auto month = month_of(read->month.data());
  if (!month || read->hour > 23 || read->minute > 59 || read->second > 60) return std::nullopt;
  const std::chrono::year_month_day date{
      std::chrono::year{read->year}, std::chrono::month{static_cast<unsigned>(*month)},
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
    constexpr std::uint32_t longest = std::chrono::seconds{std::chrono::years{10}}.count();
    std::uint32_t seconds = 0;
    const auto read = std::from_chars(value.data(), value.data() + value.size(), seconds);
    if (read.ec != std::errc{}) seconds = longest;  // more digits than fit
    return std::chrono::seconds{std::min(seconds, longest)};
  }
  const auto until = parse_http_date(std::string{value});
  if (!until) return std::nullopt;
  const auto left = std::chrono::ceil<milliseconds>(*until - now);
  return std::max(left, milliseconds{0});
}

bool looks_at_bodies(const std::vector<answer_rule>& rules) noexcept {
  return std::ranges::any_of(rules, [](const answer_rule& rule) {
    return !rule.body_contains.empty() || !rule.json.empty();
  });
}

answer_meaning classify(const std::vector<answer_rule>& rules, const answer& given,
                        std::chrono::system_clock::time_point now) {
  lazy_json json{given};
  const auto holds = [&](const answer_rule& rule) {
    return (!rule.status || *rule.status == given.status) &&
           (rule.body_contains.empty() || given.body_prefix.contains(rule.body_contains)) &&
           json.holds(rule.json);
  };
  const auto rule = std::ranges::find_if(rules, holds);
  answer_meaning result{meaning_of(given.status), std::nullopt, std::nullopt};
  if (rule != rules.end()) {
    result.is = rule->is;
    result.wait = rule->wait;
    result.rule = static_cast<std::size_t>(rule - rules.begin());
  }
  if (result.is != meaning::transient && result.is != meaning::throttled) {
    result.wait.reset();
    return result;
  }
  const auto asked = parse_retry_after(find_header(given.headers, "retry-after"), now);
  if (asked) {
    result.wait = std::max(result.wait.value_or(milliseconds{0}), std::min(*asked, retry_after_limit));
  }
  return result;
}

}  // namespace wherry::app
