// SPDX-License-Identifier: Apache-2.0
// `wherry check`: every mistake of a spec that can be found without the API, and the plan: how many
// reports, from where to where, under which limits; with --probe, what source and sink say to it.

#include <unistd.h>

#include <algorithm>
#include <boost/json.hpp>
#include <csignal>
#include <map>
#include <tuple>
#include <vector>

#include "commands/commands.hpp"
#include "commands/output.hpp"
#include "commands/plan_lines.hpp"
#include "commands/probe.hpp"
#include "commands/progress.hpp"
#include "commands/session.hpp"
#include "commands/signals.hpp"
#include "spec/closing.hpp"
#include "spec/template.hpp"

namespace wherry::app {
namespace {

struct plan {
  std::size_t clients = 0;
  std::size_t reports = 0;  // 0: no days were given
  std::string from{};       // of the first report; without what variables say, which may be secret
  std::string to{};
  std::string keys{};  // where those of the sink come from; empty: it needs none
  std::string store{};
  std::string spool{};
  std::map<std::string, lane_limits> lanes{};
};

// A query may hold a key: the plan shows addresses up to it.
std::string without_query(std::string url) { return url.substr(0, url.find('?')); }

plan plan_of(const prepared_spec& prepared, const backlog& wanted) {
  const auto& spec = prepared.spec();
  const auto shown = [&](const std::string& text) {
    return without_variables(text, spec.variables);
  };
  plan made{.clients = spec.clients.size(),
            .reports = wanted.size(),
            .keys = prepared.keys_from(),
            .store = shown(spec.store),
            .spool = shown(spec.spool)};
  const auto& first = spec.clients.front();
  const day on = wanted.size() > 0
                     ? wanted[0].day
                     : day{std::chrono::year(2025), std::chrono::month(1), std::chrono::day(31)};
  // Of a report in pages or parts: the first page, the whole.
  const template_values of_the_first{
      {"cursor", ""}, {"offset", "0"}, {"page", "1"}, {"size", ""}, {"part", ""}};
  const auto address = [&](const std::string& url, const template_values& more) {
    return expand_url(template_without_variables(url, spec.variables), first, on, more)
        .value_or("");
  };
  made.from = without_query(address(spec.source.url, of_the_first));
  made.to = address(spec.sink.url, no_object_yet);
  const auto options = options_of(spec);
  for (const auto& each : spec.clients) {
    for (const auto* of : {&spec.source.limit, &spec.sink.limit}) {
      if (auto name = expand_lane(of->lane, each)) made.lanes[*name] = options.limits(*name);
    }
  }
  if (spec.warehouse) made.lanes["warehouse"] = options.limits("warehouse");
  return made;
}

void print(const plan& made, const spec& spec) {
  constexpr std::size_t lanes_shown = 20;
  say("import {}: {} clients", spec.name, grouped(made.clients));
  if (made.reports > 0) {
    say(", {} reports", grouped(made.reports));
  }
  say("\n  from   {}\n  to     {}\n", made.from, made.to);
  if (!made.keys.empty()) say("  keys   {}; region {}\n", made.keys, spec.sink.region);
  say("  store  {}\n  spool  {}\n", made.store, made.spool);
  std::size_t shown = 0;
  for (const auto& [name, limits] : made.lanes) {
    if (shown++ == lanes_shown) {
      say("  and {} more lanes\n", made.lanes.size() - lanes_shown);
      break;
    }
    say("  lane   {}: {}\n", name, line_of(limits));
  }
  if (spec.sink.url.starts_with("s3:")) {
    say("  note   parts of an upload that is killed stay in the bucket, and cost, until a lifecycle"
        " rule removes them: AbortIncompleteMultipartUpload\n");
  }
}

void print(const std::vector<probe_line>& probed) {
  for (const auto& [side, is_well, says] : probed) {
    say("  probe  {} {}: {}\n", side, is_well ? "ok" : "FAILED", says);
  }
}

boost::json::array lines_of(const std::vector<probe_line>& probed) {
  boost::json::array lines;
  for (const auto& [side, is_well, says] : probed) {
    lines.push_back({{"side", side}, {"ok", is_well}, {"says", says}});
  }
  return lines;
}

void print_json(const plan& made, const spec& spec, const std::vector<probe_line>& probed) {
  boost::json::array lanes;
  for (const auto& [name, limits] : made.lanes) lanes.push_back(json_of(name, limits));
  boost::json::object shown{{"import", spec.name},     {"clients", made.clients},
                            {"reports", made.reports}, {"from", made.from},
                            {"to", made.to},           {"store", made.store},
                            {"spool", made.spool},     {"lanes", std::move(lanes)}};
  if (!made.keys.empty()) {
    shown["keys"] = made.keys;
    shown["region"] = spec.sink.region;
  }
  if (!probed.empty()) shown["probes"] = lines_of(probed);
  say("{}\n", boost::json::serialize(shown));
}

// The first client's of the newest day that is asked for, or else that has ended there.
report_id probed_report(const backlog& wanted, const spec& spec) {
  if (wanted.size() > 0) {
    const auto newest = std::max(wanted[0].day, wanted[wanted.size() - 1].day);
    return {wanted[0].client, newest};
  }
  const auto now = std::chrono::floor<std::chrono::seconds>(std::chrono::system_clock::now());
  return {0, newest_ended(now, spec.clients.front().timezone)};
}

}  // namespace

int check_spec(const check_call& call) {
  if (call.probe) block_stop_signals();
  auto spec = read_or_complain(call.spec);
  if (!spec) return spec.error();
  backlog wanted;
  if (!call.range.from.empty() || !call.range.to.empty()) {
    auto made = backlog::make(call.range, spec->clients);
    if (!made) return complain(made.error().message + "; " + made.error().remedy), mistake_made;
    wanted = *made;
  }
  const auto prepared = prepared_spec::make(std::move(*spec), call.spec);
  if (!prepared) return complain(prepared.error()), mistake_made;
  const auto made = plan_of(*prepared, wanted);
  if (!call.json) print(made, prepared->spec());
  std::vector<probe_line> probed;
  if (call.probe) {
    std::ignore = flush_out();  // the plan can be read while the calls are under way
    probed = probe_sides(*prepared, probed_report(wanted, prepared->spec()));
    if (probed.empty()) return stopped_by_signal;
    if (!call.json) print(probed);
  }
  if (call.json) print_json(made, prepared->spec(), probed);
  return std::ranges::all_of(probed, &probe_line::is_well) ? all_well : some_dead;
}

}  // namespace wherry::app
