// SPDX-License-Identifier: Apache-2.0
// `wherry check`: every mistake of a spec that can be found without the API, and the plan: how many
// reports, from where to where, under which limits.

#include <fmt/core.h>
#include <unistd.h>

#include <boost/json.hpp>
#include <map>

#include "commands/commands.hpp"
#include "commands/progress.hpp"
#include "commands/session.hpp"
#include "spec/template.hpp"

namespace wherry::app {
namespace {

struct plan {
  std::size_t clients = 0;
  std::size_t reports = 0;  // 0: no days were given
  std::string from{};       // of the first report, without what might be secret
  std::string to{};
  std::map<std::string, lane_limits> lanes{};
};

// A query may hold a key: the plan shows addresses up to it.
std::string without_query(std::string url) { return url.substr(0, url.find('?')); }

plan plan_of(const spec& spec, const backlog& wanted) {
  plan made{.clients = spec.clients.size(), .reports = wanted.size()};
  const auto& first = spec.clients.front();
  const day on = wanted.size() > 0
                     ? wanted[0].day
                     : day{std::chrono::year(2025), std::chrono::month(1), std::chrono::day(31)};
  if (auto url = expand_url(spec.source.url, first, on)) made.from = without_query(*url);
  if (auto url = expand_url(spec.sink.url, first, on)) made.to = *url;
  const auto options = options_of(spec);
  for (const auto& each : spec.clients) {
    for (const auto* of : {&spec.source.limit, &spec.sink.limit}) {
      if (auto name = expand_lane(of->lane, each)) made.lanes[*name] = options.limits(*name);
    }
  }
  return made;
}

std::string rate_of(const lane_limits& limits) {
  if (limits.rate <= 0) return "any rate";
  return fmt::format("{:g} calls per {:g} s", limits.rate,
                     std::chrono::duration<double>(limits.per).count());
}

void print(const plan& made, const spec& spec) {
  constexpr std::size_t lanes_shown = 20;
  fmt::print("import {}: {} clients", spec.name, grouped(static_cast<std::int64_t>(made.clients)));
  if (made.reports > 0) {
    fmt::print(", {} reports", grouped(static_cast<std::int64_t>(made.reports)));
  }
  fmt::print("\n  from   {}\n  to     {}\n  store  {}\n  spool  {}\n", made.from, made.to,
             spec.store, spec.spool);
  std::size_t shown = 0;
  for (const auto& [name, limits] : made.lanes) {
    if (shown++ == lanes_shown) {
      fmt::print("  and {} more lanes\n", made.lanes.size() - lanes_shown);
      break;
    }
    fmt::print("  lane   {}: {}, {} in flight\n", name, rate_of(limits), limits.in_flight);
  }
}

void print_json(const plan& made, const spec& spec) {
  boost::json::array lanes;
  for (const auto& [name, limits] : made.lanes) {
    lanes.push_back(boost::json::object{
        {"lane", name},
        {"rate", limits.rate},
        {"per_ms", std::chrono::duration_cast<std::chrono::milliseconds>(limits.per).count()},
        {"in_flight", limits.in_flight}});
  }
  fmt::print("{}\n", boost::json::serialize(boost::json::object{{"import", spec.name},
                                                                {"clients", made.clients},
                                                                {"reports", made.reports},
                                                                {"from", made.from},
                                                                {"to", made.to},
                                                                {"store", spec.store},
                                                                {"spool", spec.spool},
                                                                {"lanes", std::move(lanes)}}));
}

}  // namespace

int check_spec(const check_call& call) {
  const auto spec = read_or_complain(call.spec);
  if (!spec) return spec.error();
  backlog wanted;
  if (!call.range.from.empty() || !call.range.to.empty()) {
    auto made = backlog::make(call.range, spec->clients);
    if (!made) return complain(made.error().message + "; " + made.error().remedy), mistake_made;
    wanted = *made;
  }
  const auto transformer = app::transformer::open(spec->source, spec->transform, spec->sink);
  if (!transformer) return complain(transformer.error().message), mistake_made;
  const auto made = plan_of(*spec, wanted);
  if (call.json) {
    print_json(made, *spec);
  } else {
    print(made, *spec);
  }
  return all_well;
}

}  // namespace wherry::app
