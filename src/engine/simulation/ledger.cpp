// SPDX-License-Identifier: Apache-2.0
#include "ledger.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace wherry::detail {
namespace {

/// A machine that could run is leased within this: the engine's ticks and slow stores are shorter.
constexpr auto patience = std::chrono::minutes(2);

}  // namespace

std::string ledger::situation::to_string() const {
  return fmt::format("generation {} version {} {} in \"{}\", attempt {}, setbacks {}", generation,
                     version, wherry::to_string(phase), state, attempt, setbacks);
}

ledger::situation ledger::seen(const machine_view& row) {
  return {.generation = row.generation,
          .version = row.version,
          .phase = row.phase,
          .state = row.state,
          .data = row.data,
          .attempt = row.attempt,
          .setbacks = row.setbacks,
          .due = row.due,
          .lane = row.lane};
}

ledger::situation ledger::after(const transition& outcome, const situation& before) {
  return {.generation = before.generation,
          .version = before.version + 1,
          .phase = outcome.phase,
          .state = outcome.to,
          .data = outcome.data,
          .attempt = outcome.next_attempt,
          .setbacks = outcome.setbacks,
          .due = outcome.due,
          .lane = outcome.lane};
}

// Waiting and ready are one: a machine that is due is made ready without a new version.
bool ledger::same(const situation& a, const situation& b) {
  const bool same_phase = a.phase == b.phase || (!is_finished(a.phase) && !is_finished(b.phase));
  return same_phase && a.generation == b.generation && a.version == b.version &&
         a.state == b.state && a.data == b.data && a.attempt == b.attempt &&
         a.setbacks == b.setbacks && a.lane == b.lane;
}

// The store has shown that a machine is at this version: false if nobody ever asked for it.
bool ledger::settle(entry& of, std::int64_t generation, std::int64_t version) {
  const auto is_it = [&](const situation& each) {
    return each.generation == generation && each.version == version;
  };
  if (of.now && is_it(*of.now)) return true;
  const auto found = std::ranges::find_if(of.perhaps, is_it);
  if (found == of.perhaps.end()) {
    return of.was_commanded && of.now && of.now->version >= version;
  }
  of.now = std::move(*found);
  of.token = 0;  // what made it so has ended the lease
  of.perhaps.erase(of.perhaps.begin(), found + 1);
  return true;
}

void ledger::submit_asked(const std::vector<submission>& wanted, system_time now) {
  for (const auto& each : wanted) {
    auto& machine = machines_[each.id];
    if (machine.now &&
        (!is_finished(machine.now->phase) || machine.now->generation >= each.generation)) {
      continue;
    }
    machine.perhaps.push_back({.generation = each.generation,
                               .version = 0,
                               .phase = each.due > now ? phase::waiting : phase::ready,
                               .state = each.state,
                               .data = each.data,
                               .due = each.due,
                               .lane = each.lane});
  }
}

void ledger::submit_answered(const std::vector<submission>& wanted) {
  for (const auto& each : wanted) {
    auto& machine = machines_[each.id];
    if (machine.now && machine.now->generation >= each.generation) continue;
    if (!settle(machine, each.generation, 0)) {
      violate(fmt::format("{}: submitted, but not as it was asked for", each.id));
    }
  }
}

void ledger::leased(const leased_machine& machine, system_time now) {
  saw(now);
  auto& known = machines_[machine.id];
  const auto asked =
      fmt::format("{}: leased at generation {} version {} in \"{}\", attempt {}", machine.id,
                  machine.generation, machine.version, machine.state, machine.attempt);
  if (!settle(known, machine.generation, machine.version)) {
    const bool by_command = known.commands > 0 && known.now &&  // whose answer is still to come
                            known.now->generation == machine.generation &&
                            known.now->version < machine.version;
    if (!by_command) return violate(asked + ", which nobody recorded");
    known.now->version = machine.version;
    known.now->phase = phase::ready;
    known.now->attempt = machine.attempt;
    known.now->due = {};
    known.token = 0;
  }
  if (known.now->version != machine.version && known.was_commanded) return;
  const auto& now_at = *known.now;
  if (is_finished(now_at.phase)) return violate(asked + ", although it has ended");
  if (now_at.state != machine.state || now_at.data != machine.data ||
      now_at.attempt != machine.attempt || now_at.lane != machine.lane) {
    return violate(asked + ", but it is at " + now_at.to_string());
  }
  const auto paused = paused_.find(now_at.lane);
  if (paused != paused_.end() && paused->second)
    return violate(asked + ", of a lane that is paused");
  if (now_at.due > latest_) return violate(asked + ", before it was due");
  if (known.token != 0 && known.commands == 0) return violate(asked + ", while it has a lease");
  known.token = machine.token;
  known.has_begun = false;
  known.was_commanded = known.commands > 0;
  known.idle_since.reset();
}

void ledger::reclaimed(const leased_machine& machine) {
  auto& known = machines_[machine.id];
  known.asked_with.erase(known.token);
  known.token = machine.token;
}

void ledger::released(const leased_machine& machine) {
  auto& known = machines_[machine.id];
  if (known.token == machine.token) known.token = 0;
}

void ledger::step_begins(const step_context& run, std::string_view data) {
  auto& known = machines_[run.id];
  const auto begins =
      fmt::format("{}: a step began in \"{}\", attempt {}", run.id, run.state, run.attempt);
  if (known.runs > 0) violate(begins + ", while another one runs");
  ++known.runs;
  known.has_begun = true;
  if (!known.now) return violate(begins + ", of a machine that was never recorded");
  if (known.was_commanded) return;
  const auto& now = *known.now;
  if (now.generation != run.generation || now.state != run.state || now.attempt != run.attempt ||
      now.data != data || is_finished(now.phase)) {
    violate(begins + ", but what is durable is " + now.to_string());
  }
}

void ledger::step_ends(const std::string& id) { --machines_[id].runs; }

// Said again, in other words than decide.cpp: a try that failed counts, one that was throttled
// or postponed does not, and a state that is new begins at 1.
void ledger::check_attempt(const transition& outcome, const situation& before) {
  std::int32_t next = before.attempt;
  if (outcome.outcome == outcome_kind::advanced || outcome.outcome == outcome_kind::went_back) {
    next = 1;
  }
  if (outcome.outcome == outcome_kind::retried) ++next;
  if (outcome.outcome != outcome_kind::died && outcome.next_attempt != next) {
    violate(fmt::format("{}: {} at attempt {}, and the next one is {}", outcome.id,
                        to_string(outcome.outcome), before.attempt, outcome.next_attempt));
  }
}

void ledger::record_asked(const std::vector<transition>& outcomes) {
  for (const auto& each : outcomes) {
    auto& known = machines_[each.id];
    const bool holds = known.token == each.token && known.now &&
                       known.now->version == each.version &&
                       known.now->generation == each.generation;
    if (!holds) continue;
    check_attempt(each, *known.now);
    known.asked_with.insert(each.token);
    known.perhaps.push_back(after(each, *known.now));
  }
}

void ledger::record_answered(const std::vector<transition>& outcomes,
                             const std::vector<bool>& accepted) {
  for (std::size_t i = 0; i < outcomes.size(); ++i) {
    const auto& each = outcomes[i];
    auto& known = machines_[each.id];
    const bool held = known.asked_with.erase(each.token) > 0;
    const auto told = fmt::format("{}: {} at generation {} version {}", each.id,
                                  to_string(each.outcome), each.generation, each.version);
    if (accepted[i]) {
      ++commits_;
      if (!held) violate(told + " was accepted without a lease");
      if (!known.committed.emplace(each.generation, each.version).second) {
        violate(told + " was accepted a second time");
      }
      // Of two batches under way the second may be answered first.
      const bool is_past = held && known.now && known.now->generation == each.generation &&
                           known.now->version > each.version + 1;
      if (!is_past && !settle(known, each.generation, each.version + 1)) {
        violate(told + " was accepted, but that is not where the machine was");
      }
      if (each.lane_parked_until) {
        auto& until = parked_[each.ran_in];
        until = std::max(until, *each.lane_parked_until);
      }
    } else {
      ++refused_;
      if (held && !known.was_commanded) violate(told + " was refused, although it had its lease");
      std::erase_if(known.perhaps, [&](const situation& never) {
        return never.generation == each.generation && never.version == each.version + 1;
      });
    }
    if (known.token == each.token) known.token = 0;
  }
}

void ledger::record_repeated(const std::vector<transition>& outcomes,
                             const std::vector<bool>& accepted) {
  for (std::size_t i = 0; i < outcomes.size(); ++i) {
    if (!accepted[i]) continue;
    violate(fmt::format("{}: an outcome that had reached the store already was accepted again",
                        outcomes[i].id));
  }
}

void ledger::command_asked(const std::string& id) {
  auto& known = machines_[id];
  ++known.commands;
  known.was_commanded = true;
}

void ledger::command_answered(const machine_view& row) {
  auto& known = machines_[row.id];
  --known.commands;
  if (known.now && row.generation == known.now->generation && row.version < known.now->version) {
    violate(fmt::format("{}: after a command it is back at version {}", row.id, row.version));
  }
  if (!known.now || row.version != known.now->version) known.token = 0;
  known.now = seen(row);
  std::erase_if(known.perhaps, [&](const situation& each) { return each.version <= row.version; });
}

void ledger::opened(const std::vector<machine_view>& rows) {
  std::set<std::string_view> found;
  for (const auto& row : rows) {
    found.insert(row.id);
    auto& known = machines_[row.id];
    const auto is = seen(row);
    const bool unknown_command = known.commands > 0 && known.now &&
                                 is.generation == known.now->generation &&
                                 is.version >= known.now->version;
    const bool explained =
        unknown_command || (known.now && same(*known.now, is)) ||
        std::ranges::any_of(known.perhaps, [&](const auto& each) { return same(each, is); });
    if (!explained) {
      violate(fmt::format("{}: it is {}, but what was answered last is {}", row.id, is.to_string(),
                          known.now ? known.now->to_string() : "nothing"));
    }
    known.now = is;
  }
  for (auto& [id, known] : machines_) {
    if (known.now && !found.contains(id)) violate(fmt::format("{}: it is not there any more", id));
    known.perhaps.clear();
    known.token = 0;
    known.asked_with.clear();
    known.runs = known.commands = 0;
    known.was_commanded = false;
    known.idle_since.reset();
  }
}

bool ledger::may_run(const entry& each, system_time now, const engine_options& options) {
  if (!each.now || is_finished(each.now->phase) || each.token != 0 || each.commands > 0 ||
      each.now->due > now) {
    return false;
  }
  const auto parked = parked_.find(each.now->lane);
  if (parked != parked_.end() && parked->second > now) return false;
  if (paused_.contains(each.now->lane)) return false;
  // What counts calls, or failures, may let it wait.
  const auto limits = options.limits ? options.limits(each.now->lane) : lane_limits{};
  return limits.rate == 0 && limits.quotas.empty() && !limits.adaptive &&
         limits.breaker.failures == 0;
}

std::size_t ledger::holds(const entry& each) {
  return static_cast<std::size_t>(each.runs) + (each.token != 0 && !each.has_begun ? 1u : 0u);
}

void ledger::audit(system_time now, steady_time at, const engine_options& options) {
  std::map<std::string_view, std::size_t> busy;  // leases by lane
  std::size_t in_window = 0;
  for (const auto& [id, each] : machines_) {
    if (!each.now) continue;
    in_window += holds(each);
    busy[each.now->lane] += holds(each);
  }
  for (auto& [id, each] : machines_) {
    const auto limit = [&] {
      return options.limits ? options.limits(each.now->lane).in_flight : lane_limits{}.in_flight;
    };
    if (!may_run(each, now, options) || in_window >= options.window ||
        busy[each.now->lane] >= limit()) {
      each.idle_since.reset();
    } else if (!each.idle_since) {
      each.idle_since = at;
    } else if (at - *each.idle_since > patience) {
      violate(fmt::format("{}: nothing kept it from running, and it did not: {}", id,
                          each.now->to_string()));
    }
  }
}

bool ledger::all_ended() const {
  return std::ranges::all_of(machines_, [](const auto& each) {
    return each.second.now && is_finished(each.second.now->phase);
  });
}

void ledger::closed(
    const std::vector<machine_view>& rows,
    const std::function<std::vector<history_entry>(const std::string&)>& history_of) {
  opened(rows);
  for (const auto& row : rows) {
    if (!is_finished(row.phase)) violate(fmt::format("{}: it never came to an end", row.id));
    std::int64_t version = 0;
    auto last = row.phase;
    for (const auto& line : history_of(row.id)) {
      if (line.generation != row.generation) continue;
      version += line.runs;
      last = line.phase;
      if (version != line.version) {
        violate(fmt::format("{}: its history has no line for version {}", row.id,
                            std::min(version, line.version)));
      }
    }
    if (version != row.version || last != row.phase) {
      violate(fmt::format("{}: its history ends at version {} ({}), it is at {} ({})", row.id,
                          version, to_string(last), row.version, to_string(row.phase)));
    }
  }
}

}  // namespace wherry::detail
