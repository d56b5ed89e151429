// SPDX-License-Identifier: Apache-2.0
#include "source/answer.hpp"

#include <algorithm>
#include <boost/json.hpp>
#include <charconv>
#include <cmath>
#include <string>

#include "source/json_path.hpp"

namespace wherry::app {
namespace {

using meaning = answer_rule::meaning;
using std::chrono::milliseconds;

// Parses a body at most once, and only if some rule asks for it.
class lazy_json {
 public:
  explicit lazy_json(const answer& given) : given_(given) {}

  /// Null: it is none.
  const boost::json::value* value() {
    if (!tried_ && given_.body_is_whole) body_ = parse_json(given_.body_prefix);
    tried_ = true;
    return body_ ? &*body_ : nullptr;
  }

  bool holds(const std::map<std::string, std::string>& conditions) {
    if (conditions.empty()) return true;
    const auto* const body = value();
    return body != nullptr && std::ranges::all_of(conditions, [&](const auto& each) {
             return text_at(*body, each.first) == each.second;
           });
  }

 private:
  const answer& given_;
  bool tried_ = false;
  std::optional<boost::json::value> body_;
};

bool hold(const std::map<std::string, std::string>& conditions, const http_headers& headers) {
  return std::ranges::all_of(conditions, [&](const auto& each) {
    return find_header(headers, each.first) == each.second;
  });
}

constexpr std::chrono::duration<double> longest_wait = std::chrono::hours{24};

/// "30", "1.5" and "30s" in that unit; at most a day, none if it is past.
std::optional<milliseconds> read_wait(std::string_view text, wait_place::unit in,
                                      std::chrono::system_clock::time_point now) {
  using seconds = std::chrono::duration<double>;
  double number = 0;
  const auto end = text.data() + text.size();
  const auto [rest, error] = std::from_chars(text.data(), end, number);
  const bool has_letter = rest + 1 == end && (*rest == 's' || *rest == 'm');
  if (error != std::errc{} || !(rest == end || has_letter) || !std::isfinite(number)) {
    return std::nullopt;
  }
  seconds wait{number};
  switch (in) {
    case wait_place::unit::milliseconds: wait = seconds{number / 1'000}; break;
    case wait_place::unit::seconds: break;
    case wait_place::unit::minutes: wait = seconds{number * 60}; break;
    case wait_place::unit::epoch: wait -= now.time_since_epoch(); break;
  }
  if (!(wait > seconds{0})) return milliseconds{0};
  return std::chrono::ceil<milliseconds>(std::min(wait, longest_wait));
}

std::optional<milliseconds> wait_at(const wait_place& place, const answer& given, lazy_json& json,
                                    std::chrono::system_clock::time_point now) {
  std::optional<std::string> text;
  if (!place.header.empty()) {
    const auto header = find_header(given.headers, place.header);
    if (place.json.empty()) {
      text = header;
    } else if (const auto value = parse_json(header)) {
      text = text_at(*value, place.json);
    }
  } else if (const auto* const body = json.value()) {
    text = text_at(*body, place.json);
  }
  return text ? read_wait(*text, place.in, now) : std::nullopt;
}

bool may_wait(meaning is) {
  return is == meaning::pending || is == meaning::transient || is == meaning::throttled;
}

meaning meaning_of(int status) {
  if (status == 204) return meaning::empty;
  if (means_rows(status)) return meaning::rows;
  if (status == 401) return meaning::credentials;
  if (status == 429) return meaning::throttled;
  if (status == 202 || status == 408 || status == 425 || status >= 500) return meaning::transient;
  return meaning::permanent;
}

}  // namespace

// 202: not ready yet. 206: a part, though nobody asked for one.
bool means_rows(int status) noexcept {
  return status >= 200 && status < 300 && status != 202 && status != 204 && status != 206;
}

bool looks_at_bodies(const std::vector<answer_rule>& rules) noexcept {
  return std::ranges::any_of(rules, [](const answer_rule& rule) {
    const bool waits_by_body = rule.wait_from && rule.wait_from->header.empty();
    return !rule.body_contains.empty() || !rule.json.empty() || waits_by_body;
  });
}

answer_meaning classify(const std::vector<answer_rule>& rules, const answer& given,
                        std::chrono::system_clock::time_point now) {
  lazy_json json{given};
  const auto holds = [&](const answer_rule& rule) {
    return (!rule.status || *rule.status == given.status) && hold(rule.headers, given.headers) &&
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
  if (!may_wait(result.is)) {
    result.wait.reset();
    return result;
  }
  const auto at_least = [&](std::optional<milliseconds> asked) {
    if (asked) result.wait = std::max(result.wait.value_or(milliseconds{0}), *asked);
  };
  if (rule != rules.end() && rule->wait_from) at_least(wait_at(*rule->wait_from, given, json, now));
  at_least(parse_retry_after(find_header(given.headers, "retry-after"), now));
  return result;
}

}  // namespace wherry::app
