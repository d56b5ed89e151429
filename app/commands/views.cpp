// SPDX-License-Identifier: Apache-2.0
#include "commands/views.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "report/report.hpp"
#include "spec/object_name.hpp"
#include "wherry/engine/kind.hpp"

namespace wherry::app {
namespace json = boost::json;

namespace {

std::int64_t milliseconds(system_time at) { return at.time_since_epoch().count(); }

// The epoch stands for "never".
json::value milliseconds_or_null(system_time at) {
  return at == system_time{} ? json::value(nullptr) : json::value(milliseconds(at));
}

// The stored state as JSON; as a string should it not be JSON.
json::value data_of(const machine_view& machine) {
  boost::system::error_code error;
  auto parsed = json::parse(machine.data, error);
  return error ? json::value(machine.data) : parsed;
}

// Of a report that completed: how many of its rows were put aside, and where they are.
std::string put_aside(const machine_view& machine) {
  if (machine.phase != phase::completed) return {};
  const auto last = read_state<report>({machine.state, machine.data, machine.shape});
  const auto* const at = last ? std::get_if<completed>(&*last) : nullptr;
  if (at == nullptr || at->rejected_rows == 0) return {};
  return fmt::format("{} rows in {}", at->rejected_rows, rejected_name(at->url));
}

json::object json_of(const history_entry& entry) {
  return {{"generation", entry.generation},
          {"version", entry.version},
          {"from", entry.from},
          {"to", entry.to},
          {"phase", to_string(entry.phase)},
          {"outcome", to_string(entry.outcome)},
          {"attempt", entry.attempt},
          {"started_ms", milliseconds(entry.started)},
          {"ended_ms", milliseconds(entry.ended)},
          {"error", entry.error}};
}

}  // namespace

json::object json_of(const machine_counts& counts, const std::string& owner) {
  json::object phases;
  for (const auto each :
       {phase::waiting, phase::ready, phase::completed, phase::dead, phase::cancelled}) {
    phases[to_string(each)] = counts.in(each);
  }
  json::array states;
  for (const auto& [of, number] : counts.by) {
    states.push_back(
        json::object{{"phase", to_string(of.first)}, {"state", of.second}, {"count", number}});
  }
  return {{"all", counts.all()},
          {"unfinished", counts.unfinished()},
          {"phases", std::move(phases)},
          {"states", std::move(states)},
          {"owner", owner}};
}

bool is_blocked(const lane_state& lane, system_time now) {
  return lane.paused || lane.parked_until > now || lane.memory.open_until != system_time{};
}

json::object json_of(const lane_state& lane) {
  return {{"lane", lane.lane},
          {"paused", lane.paused},
          {"parked_until_ms", milliseconds_or_null(lane.parked_until)},
          {"error", lane.error},
          {"failures", lane.memory.failures},
          {"open_until_ms", milliseconds_or_null(lane.memory.open_until)}};
}

std::string line_of(const lane_state& lane, system_time now) {
  std::vector<std::string> why;
  if (lane.paused) why.push_back("paused until: wherry resume " + lane.lane);
  if (lane.parked_until > now) {
    why.push_back((lane.is_stopped ? "stopped until a new run begins, or " : "parked until ") +
                  spoken(lane.parked_until));
  }
  if (lane.memory.open_until != system_time{}) {
    why.push_back(fmt::format("broken: {} failures in a row, tried again {}", lane.memory.failures,
                              lane.memory.open_until > now ? "at " + spoken(lane.memory.open_until)
                                                           : "now, one report at a time"));
  }
  return fmt::format("{:<14} {}", lane.lane, fmt::join(why, "; "));
}

json::object json_of(const machine_view& machine) {
  return {{"id", machine.id},
          {"generation", machine.generation},
          {"version", machine.version},
          {"phase", to_string(machine.phase)},
          {"state", machine.state},
          {"shape", machine.shape},
          {"data", data_of(machine)},
          {"lane", machine.lane},
          {"priority", machine.priority},
          {"attempt", machine.attempt},
          {"setbacks", machine.setbacks},
          {"due_ms", milliseconds(machine.due)},
          {"deadline_ms", milliseconds_or_null(machine.deadline)},
          {"created_ms", milliseconds(machine.created)},
          {"updated_ms", milliseconds(machine.updated)},
          {"error", machine.error}};
}

json::object json_of(const machine_view& machine, const std::vector<history_entry>& history) {
  auto object = json_of(machine);
  json::array entries;
  for (const auto& each : history) entries.push_back(json_of(each));
  object["history"] = std::move(entries);
  return object;
}

std::string clock_note(system_time waiting_since, system_time now) {
  constexpr auto of_no_matter = std::chrono::minutes(1);  // as time servers correct a clock
  if (waiting_since <= now + of_no_matter) return {};
  return fmt::format(
      "note: the clock was set back: it says {}, and reports began to wait at {}. They run when it "
      "comes to their time: set it right, or cancel and redrive those that shall not wait",
      spoken(now), spoken(waiting_since));
}

std::string spoken(system_time at) {
  const auto day = std::chrono::floor<std::chrono::days>(at);
  const std::chrono::year_month_day date(day);
  const std::chrono::hh_mm_ss time(at - day);
  return fmt::format("{:04}-{:02}-{:02} {:02}:{:02}:{:02}.{:03}Z", static_cast<int>(date.year()),
                     static_cast<unsigned>(date.month()), static_cast<unsigned>(date.day()),
                     time.hours().count(), time.minutes().count(), time.seconds().count(),
                     time.subseconds().count());
}

std::string line_of(const machine_view& machine) {
  auto line = fmt::format("{:<32} {:<9} {:<14} attempt {}", machine.id, to_string(machine.phase),
                          machine.state, machine.attempt);
  if (machine.phase == phase::waiting) line += "  due " + spoken(machine.due);
  if (const auto aside = put_aside(machine); !aside.empty()) line += "  put aside: " + aside;
  if (!machine.error.empty()) line += "  " + machine.error;
  return line;
}

std::string line_of_failure(const machine_view& machine) {
  return fmt::format("{} ({}, attempt {}): {}", machine.id, machine.state, machine.attempt,
                     machine.error);
}

std::string page_of(const machine_view& machine, const std::vector<history_entry>& history) {
  auto page = fmt::format("{}\n  phase    {}\n  state    {} {}\n  attempt  {}\n  lane     {}\n",
                          machine.id, to_string(machine.phase), machine.state, machine.data,
                          machine.attempt, machine.lane);
  if (machine.phase == phase::waiting) page += "  due      " + spoken(machine.due) + "\n";
  if (machine.deadline != system_time{}) {
    page += "  deadline " + spoken(machine.deadline) + "\n";
  }
  if (machine.priority != 0) page += fmt::format("  priority {}\n", machine.priority);
  if (const auto aside = put_aside(machine); !aside.empty()) page += "  aside    " + aside + "\n";
  if (!machine.error.empty()) page += "  error    " + machine.error + "\n";
  if (const auto now = read_state<report>({machine.state, machine.data, machine.shape}); !now) {
    page += "  note     " + now.error().why + "\n";
  }
  page += "  history\n";
  for (const auto& each : history) {
    page += fmt::format("    {}  {:>6} ms  {} -> {}  {}", spoken(each.started),
                        (each.ended - each.started).count(), each.from, each.to,
                        to_string(each.outcome));
    if (each.attempt > 1) page += fmt::format(", attempt {}", each.attempt);
    if (!each.error.empty()) page += ": " + each.error;
    page += "\n";
  }
  return page;
}

}  // namespace wherry::app
