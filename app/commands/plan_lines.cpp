// SPDX-License-Identifier: Apache-2.0
#include "commands/plan_lines.hpp"

#include <fmt/format.h>

namespace wherry::app {
namespace {

namespace json = boost::json;
using std::chrono::milliseconds;

std::string time_of(milliseconds time) {
  return fmt::format("{:g} s", std::chrono::duration<double>(time).count());
}

// The units that a spec has, the longest that fits first.
std::string window_of(milliseconds per) {
  if (per == std::chrono::days(1)) return "day";
  if (per == std::chrono::hours(1)) return "h";
  if (per == std::chrono::minutes(1)) return "min";
  if (per == std::chrono::seconds(1)) return "s";
  return time_of(per);
}

std::string rate_of(const lane_limits& limits) {
  if (limits.rate <= 0) return "any rate";
  return fmt::format("{:g} calls per {:g} s", limits.rate,
                     std::chrono::duration<double>(limits.per).count());
}

}  // namespace

std::string line_of(const lane_limits& limits) {
  auto line = fmt::format("{}, {} in flight", rate_of(limits), limits.in_flight);
  if (limits.adaptive) line += " or fewer (adaptive)";
  for (std::size_t i = 0; i < limits.quotas.size(); ++i) {
    const auto& each = limits.quotas[i];
    line += fmt::format("{}{} per {}", i == 0 ? ", at most " : " and ", each.calls,
                        window_of(each.per));
  }
  if (const auto& breaker = limits.breaker; breaker.failures > 0) {
    line += fmt::format(", rests for {} to {} after {} failures", time_of(breaker.open_for),
                        time_of(breaker.longest), breaker.failures);
  }
  if (limits.weight != 1) line += fmt::format(", weight {:g}", limits.weight);
  return line;
}

json::object json_of(const std::string& lane, const lane_limits& limits) {
  json::array quotas;
  for (const auto& each : limits.quotas) {
    quotas.push_back(json::object{{"calls", each.calls}, {"per_ms", each.per.count()}});
  }
  json::value breaker;  // null: there is none
  if (const auto& of = limits.breaker; of.failures > 0) {
    breaker = json::object{{"failures", of.failures},
                           {"open_for_ms", of.open_for.count()},
                           {"longest_ms", of.longest.count()}};
  }
  return {{"lane", lane},
          {"rate", limits.rate},
          {"per_ms", std::chrono::duration_cast<milliseconds>(limits.per).count()},
          {"in_flight", limits.in_flight},
          {"quotas", std::move(quotas)},
          {"adaptive", limits.adaptive},
          {"breaker", std::move(breaker)},
          {"weight", limits.weight}};
}

}  // namespace wherry::app
