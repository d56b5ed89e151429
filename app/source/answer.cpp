// SPDX-License-Identifier: Apache-2.0
#include "source/answer.hpp"

#include <algorithm>
#include <boost/json.hpp>
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
  if (means_rows(status)) return meaning::rows;
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
    result.wait = std::max(result.wait.value_or(milliseconds{0}), *asked);
  }
  return result;
}

}  // namespace wherry::app
