// SPDX-License-Identifier: Apache-2.0
// Lanes and policies of an import, from its spec.

#include <algorithm>
#include <memory>
#include <utility>

#include "report/report.hpp"
#include "sink/object_parts.hpp"
#include "spec/template.hpp"

namespace wherry::app {
namespace {

const std::string transform_lane = "transform";
const std::string warehouse_lane = "warehouse";

std::string requests_of(const std::string& api_lane) { return api_lane + " requests"; }

// read_spec has expanded every client's lanes once: they cannot fail here.
std::string lane_name(const limit& of, const client* who) {
  if (who == nullptr) return of.lane;  // not in the spec any more: the step will say so
  auto name = expand_lane(of.lane, *who);
  return name ? std::move(*name) : of.lane;
}

// A busy machine wakes late now and then: what came due in so long is caught up with, not lost.
constexpr duration catch_up = std::chrono::milliseconds(50);

lane_limits limits_of(const limit& from) {
  lane_limits limits{
      .in_flight = static_cast<std::size_t>(from.in_flight),
      .rate = from.calls,
      .per = from.per,
      .burst = 1 + from.calls * (std::chrono::duration<double>(catch_up) / from.per),
      .adaptive = from.adaptive,
      .breaker = {from.breaker.failures, from.breaker.open_for, from.breaker.longest},
      .weight = from.weight};
  for (const auto& each : from.quotas) limits.quotas.push_back({each.calls, each.per});
  return limits;
}

// Of two breakers the one that opens sooner, for the longer of their times.
void tighten(breaker_limits& to, const breaker_limits& by) {
  if (by.failures == 0) return;
  if (to.failures == 0) {
    to = by;
    return;
  }
  to = {std::min(to.failures, by.failures), std::max(to.open_for, by.open_for),
        std::max(to.longest, by.longest)};
}

// Source and sink may name the same lane: then the tighter limits of the two hold for both.
void tighten(lane_limits& to, const lane_limits& by) {
  to.in_flight = std::min(to.in_flight, by.in_flight);
  const auto interval = [](const lane_limits& of) {
    return of.rate > 0 ? static_cast<double>(of.per.count()) / of.rate : 0.0;
  };
  if (interval(by) > interval(to)) {
    to.rate = by.rate;
    to.per = by.per;
    to.burst = by.burst;
  }
  for (const auto& each : by.quotas) {
    const auto same = std::ranges::find(to.quotas, each.per, &wherry::quota::per);
    if (same == to.quotas.end()) {
      to.quotas.push_back(each);
    } else {
      same->calls = std::min(same->calls, each.calls);
    }
  }
  to.adaptive = to.adaptive || by.adaptive;
  tighten(to.breaker, by.breaker);
  constexpr double unsaid = 1;  // a weight that one of them says is not undone by the default
  to.weight = to.weight == unsaid   ? by.weight
              : by.weight == unsaid ? to.weight
                                    : std::min(to.weight, by.weight);
}

}  // namespace

task<> report::pay_shared(const client& of, const step_context& context) const {
  for (const auto& each : parts_.spec.source.shared) {
    co_await context.call_in(lane_name(each, &of));
  }
}

std::string report::source_lane(const std::string& client) const {
  return lane_name(parts_.spec.source.limit, find_client(client));
}

// With slots, requests wait for themselves: who is pending goes on being polled.
std::string report::lane(const requestable& now) const {
  const auto api = source_lane(now.client);
  return parts_.slots != nullptr ? requests_of(api) : api;
}
std::string report::lane(const pending& now) const { return source_lane(now.client); }
std::string report::lane(const downloadable& now) const { return source_lane(now.client); }
std::string report::lane(const downloading& now) const { return source_lane(now.client); }

std::string report::lane(const transformable&) const { return transform_lane; }

std::string report::lane(const uploadable& now) const {
  return lane_name(parts_.spec.sink.limit, find_client(now.client));
}

std::string report::lane(const loadable&) const { return warehouse_lane; }

std::map<std::string, state_policy, std::less<>> policies_of(const spec& spec) {
  const auto policy = [&](std::chrono::milliseconds limit) {
    return state_policy{.attempts = spec.retry.attempts,
                        .first = spec.retry.first,
                        .cap = spec.retry.cap,
                        .time_limit = limit};
  };
  // The parts have timeouts of their own, with better messages: the engine's come well after.
  constexpr auto slack = std::chrono::minutes(1);
  auto transform = policy(std::chrono::minutes(30));
  transform.attempts = std::min(transform.attempts, 5);  // each may cost a download

  // A batch may be loaded in parts, to find who is to blame.
  const auto& to = spec.warehouse;
  const auto load = to ? to->linger + to->timeout * 4 + slack : std::chrono::milliseconds(slack);

  return {{std::string(requestable::tag), policy(spec.source.timeout + slack)},
          {std::string(pending::tag), policy(spec.source.timeout * 2 + slack)},
          {std::string(downloadable::tag), policy(spec.source.timeout * 2 + slack)},
          {std::string(downloading::tag), policy(spec.source.timeout * 2 + slack)},
          {std::string(transformable::tag), transform},
          {std::string(uploadable::tag),
           policy(longest_put(spec.spool_budget_bytes, spec.sink) + slack)},
          {std::string(loadable::tag), policy(load)}};
}

engine_options options_of(const spec& spec) {
  std::map<std::string, lane_limits, std::less<>> lanes;
  const auto add = [&](std::string name, const lane_limits& limits) {
    const auto [place, fresh] = lanes.emplace(std::move(name), limits);
    if (!fresh) tighten(place->second, limits);
  };
  add(transform_lane, {.in_flight = static_cast<std::size_t>(spec.transform.threads)});
  if (spec.warehouse) {
    add(warehouse_lane, {.in_flight = static_cast<std::size_t>(spec.warehouse->batch)});
  }
  for (const auto& each : spec.clients) {
    const auto api = lane_name(spec.source.limit, &each);
    add(api, limits_of(spec.source.limit));
    if (spec.source.request && spec.source.request->slots > 0) {
      add(requests_of(api), {.in_flight = static_cast<std::size_t>(spec.source.request->slots)});
    }
    for (const auto& shared : spec.source.shared) {
      add(lane_name(shared, &each), limits_of(shared));
    }
    add(lane_name(spec.sink.limit, &each), limits_of(spec.sink.limit));
  }

  engine_options options;
  options.window = static_cast<std::size_t>(spec.window);
  options.limits = [lanes = std::move(lanes)](std::string_view name) {
    const auto found = lanes.find(name);
    return found == lanes.end() ? lane_limits{} : found->second;
  };
  options.policies = policies_of(spec);
  return options;
}

}  // namespace wherry::app
