// SPDX-License-Identifier: Apache-2.0
// `wherry status`, `list` and `show`: what is in a store, beside whoever works on it.

#include <boost/json.hpp>
#include <chrono>

#include "commands/commands.hpp"
#include "commands/output.hpp"
#include "commands/progress.hpp"
#include "commands/store_file.hpp"
#include "commands/views.hpp"
#include "wherry/store/sqlite.hpp"

namespace wherry::app {
namespace json = boost::json;

namespace {

// Runs `act` on the store that the call means; prints what hinders.
template <class Act>
int with_store(const inspect_call& call, Act act) {
  const auto file = find_store(call.store);
  if (!file) return complain(file.error()), mistake_made;
  auto store = inspect_sqlite_store(*file);
  if (!store) return complain(store.error().message), mistake_made;
  auto done = act(**store);
  if (!done) return complain(done.error().message), mistake_made;
  return *done;
}

using status_or_error = std::expected<int, store_error>;

// Says of each also what stopped it.
void print_lanes(const std::vector<lane_state>& blocked, system_time now) {
  constexpr std::size_t lanes_shown = 20;
  if (blocked.empty()) return;
  say("lanes that begin nothing now:\n");
  for (std::size_t i = 0; i < blocked.size() && i < lanes_shown; ++i) {
    say("  {}\n", line_of(blocked[i], now));
    if (!blocked[i].error.empty()) say("    {}\n", blocked[i].error);
  }
  if (blocked.size() > lanes_shown) {
    say("  and {} more: all with --json\n", grouped(blocked.size() - lanes_shown));
  }
}

status_or_error print_status(sqlite_inspector& store, bool as_json) {
  const auto counts = store.count();
  if (!counts) return std::unexpected(counts.error());
  auto lanes = store.lanes();
  if (!lanes) return std::unexpected(lanes.error());
  const auto now = std::chrono::floor<std::chrono::milliseconds>(std::chrono::system_clock::now());
  std::erase_if(*lanes, [&](const lane_state& each) { return !is_blocked(each, now); });
  const auto since = store.waiting_since();
  if (!since) return std::unexpected(since.error());
  if (const auto note = clock_note(*since, now); !note.empty()) tell("{}\n", note);
  const auto owner = store.owner();
  if (as_json) {
    auto all = json_of(*counts, owner);
    json::array told;
    for (const auto& each : *lanes) told.push_back(json_of(each));
    all["lanes"] = std::move(told);
    say("{}\n", json::serialize(all));
    return all_well;
  }
  say("{}\n", owner.empty() ? "nobody works on it now" : "worked on by " + owner);
  for (const auto& [of, number] : counts->by) {
    say("{:>12}  {} {}\n", grouped(number), to_string(of.first), of.second);
  }
  say("{:>12}  in all\n", grouped(counts->all()));
  print_lanes(*lanes, now);
  return all_well;
}

status_or_error print_list(sqlite_inspector& store, const inspect_call& call,
                           const machine_filter& filter) {
  const auto found = store.query(filter, call.limit, "");
  if (!found) return std::unexpected(found.error());
  if (call.json) {
    json::array all;
    for (const auto& each : *found) all.push_back(json_of(each));
    say("{}\n", json::serialize(all));
    return all_well;
  }
  for (const auto& each : *found) say("{}\n", line_of(each));
  if (found->size() == call.limit) {
    tell("the first {}; more with --limit N\n", call.limit);
  }
  return all_well;
}

status_or_error print_machine(sqlite_inspector& store, const std::string& id, bool as_json) {
  const auto found = store.query({.id = id}, 1, "");
  if (!found) return std::unexpected(found.error());
  if (found->empty()) {
    return std::unexpected(store_error{store_error::kind::missing,
                                       "no report \"" + id + "\" in this store; see: wherry list"});
  }
  const auto history = store.history(id);
  if (!history) return std::unexpected(history.error());
  if (as_json) {
    say("{}\n", json::serialize(json_of(found->front(), *history)));
    return all_well;
  }
  say("{}", page_of(found->front(), *history));
  return all_well;
}

}  // namespace

int show_status(const inspect_call& call) {
  return with_store(call, [&](sqlite_inspector& store) { return print_status(store, call.json); });
}

int list_machines(const inspect_call& call) {
  machine_filter filter{.phase = std::nullopt, .state = call.state, .id = {}, .id_prefix = {}};
  if (!call.phase.empty()) {
    filter.phase = phase_from(call.phase);
    if (!filter.phase) {
      complain("no phase \"" + call.phase + "\": waiting, ready, completed, dead or cancelled");
      return mistake_made;
    }
  }
  return with_store(call, [&](sqlite_inspector& store) { return print_list(store, call, filter); });
}

int show_machines(const inspect_call& call) {
  return with_store(call, [&](sqlite_inspector& store) -> status_or_error {
    for (const auto& id : call.ids) {
      if (auto shown = print_machine(store, id, call.json); !shown) return shown;
    }
    return all_well;
  });
}

}  // namespace wherry::app
