// SPDX-License-Identifier: Apache-2.0
// Submit, record, promote: the statements of a running import.

#include "commands.hpp"

#include <algorithm>
#include <map>

#include "views.hpp"
#include "wherry/csp/assert.hpp"

namespace wherry::sqlite {
namespace {

constexpr std::int64_t promote_limit = 500;
constexpr std::size_t promote_byte_limit = 4 << 20;

std::int64_t wide(std::int32_t number) { return number; }

}  // namespace

transaction::transaction(database& of, std::function<system_time()> calendar,
                         const sqlite_retention& keep)
    : file(of),
      insert(of,
             "INSERT INTO machines (id, generation, version, phase, state, lane, priority, rank, "
             "due_ms, attempt, created_ms, updated_ms, data, error, deadline_ms, shape) "
             "VALUES (?1, ?2, 0, ?3, ?4, ?5, ?6, ?7, ?8, 1, ?9, ?9, ?10, '', ?11, ?12) "
             "ON CONFLICT (id) DO NOTHING"),
      find(of, "SELECT key, generation, version, phase, state FROM machines WHERE id = ?"),
      supersede(
          of,
          "UPDATE machines SET generation = ?2, version = 0, phase = ?3, state = ?4, lane = ?5, "
          "priority = ?6, rank = ?7, due_ms = ?8, attempt = 1, setbacks = 0, "
          "entered = 0, created_ms = ?9, updated_ms = ?9, trimmed = 0, data = ?10, error = '', "
          "deadline_ms = ?11, shape = ?12 WHERE id = ?1"),
      update(of,
             "UPDATE machines SET version = version + 1, phase = ?4, state = ?5, lane = ?6, "
             "rank = ?7, due_ms = ?8, attempt = ?9, updated_ms = ?10, data = ?11, error = ?12, "
             "setbacks = ?13, entered = ?14, shape = ?15 "
             "WHERE key = ?1 AND generation = ?2 AND version = ?3"),
      // Phase and its indexes stay as they are: most transitions are of this kind.
      stay(of,
           "UPDATE machines SET version = version + 1, state = ?4, lane = ?5, rank = ?6, "
           "due_ms = ?7, attempt = ?8, updated_ms = ?9, data = ?10, error = ?11, setbacks = ?12, "
           "entered = ?13, shape = ?14 WHERE key = ?1 AND generation = ?2 AND version = ?3"),
      promotable(of,
                 "SELECT key, id, generation, version, state, data, lane, priority, rank, due_ms, "
                 "attempt, setbacks, entered, deadline_ms, shape FROM machines "
                 "WHERE phase = 'waiting' AND due_ms <= ?1 "
                 "ORDER BY due_ms LIMIT ?2"),
      promote(of, "UPDATE machines SET phase = 'ready' WHERE key = ?"),
      redrive(of,
              "UPDATE machines SET version = version + 1, phase = 'ready', attempt = 1, "
              "setbacks = 0, due_ms = ?2, updated_ms = ?2, error = '', deadline_ms = 0 "
              "WHERE key = ?1"),
      cancel(of,
             "UPDATE machines SET version = version + 1, phase = 'cancelled', updated_ms = ?2 "
             "WHERE key = ?1"),
      prioritize(of, "UPDATE machines SET priority = ?2 WHERE key = ?1"),
      log(of, "INSERT INTO history VALUES (?, ?, ?, 1, ?, ?, ?, ?, ?, ?, ?, ?)"),
      log_again(of,
                "UPDATE history SET version = version + 1, runs = runs + 1, ended_ms = ?4, "
                "error = ?5 WHERE machine = ?1 AND generation = ?2 AND version = ?3 "
                "AND outcome = ?6"),
      park(of,
           "INSERT INTO lanes (lane, ready, parked_until_ms, error, stopped) "
           "VALUES (?1, 0, ?2, ?3, ?4) ON CONFLICT (lane) DO UPDATE "
           "SET parked_until_ms = ?2, error = ?3, stopped = ?4 WHERE parked_until_ms < ?2"),
      keep(of,
           "INSERT INTO lanes (lane, ready, parked_until_ms, quotas, failures, open_until_ms, "
           "keep_until_ms, error) VALUES (?1, 0, 0, ?2, ?3, ?4, ?5, ?6) ON CONFLICT (lane) DO "
           "UPDATE SET quotas = ?2, failures = ?3, open_until_ms = ?4, keep_until_ms = ?5, "
           "error = CASE ?6 WHEN '' THEN error ELSE ?6 END"),
      pause(of,
            "INSERT INTO lanes (lane, ready, parked_until_ms, paused) VALUES (?1, 0, 0, 1) "
            "ON CONFLICT (lane) DO UPDATE SET paused = 1 WHERE paused = 0"),
      resume(of, "UPDATE lanes SET paused = 0 WHERE lane = ?1 AND paused = 1"),
      count(of, "UPDATE counts SET n = n + ?3 WHERE phase = ?1 AND state = ?2"),
      count_new(of, "INSERT INTO counts VALUES (?1, ?2, ?3)"),
      lane(of, "UPDATE lanes SET ready = ready + ?2 WHERE lane = ?1"),
      lane_new(of, "INSERT INTO lanes (lane, ready, parked_until_ms) VALUES (?1, ?2, 0)"),
      lane_idle(of,
                "DELETE FROM lanes WHERE lane = ?1 AND ready = 0 AND paused = 0 "
                "AND parked_until_ms <= ?2 AND keep_until_ms <= ?2"),
      done_with(of, "DELETE FROM inbox WHERE key = ?"),
      ended(of,
            "SELECT generation, version, phase, state, updated_ms, trimmed FROM machines "
            "WHERE key = ?"),
      forget(of, "DELETE FROM machines WHERE key = ?"),
      forget_lines(of, "DELETE FROM history WHERE machine = ?"),
      forget_older(of,
                   "DELETE FROM history WHERE machine = ?1 AND generation < ?2 "
                   "AND ended_ms < ?3"),
      all_trimmed(of, "UPDATE machines SET trimmed = version WHERE key = ?"),
      trim(of, keep),
      earliest_(of, earliest_due),
      calendar_(std::move(calendar)) {}

void transaction::begin() {
  effects.clear();
  moved_waiting_ = false;
}

void transaction::settle() {
  const auto now = calendar_();
  std::map<std::pair<phase, std::string_view>, std::int64_t> by_state;
  std::map<std::string_view, std::int64_t> by_lane;
  const auto note = [&](const place& at, std::int64_t sign) {
    by_state[{at.phase, at.state}] += sign;
    if (at.phase == phase::waiting) moved_waiting_ = true;
    if (at.phase == phase::ready) by_lane[at.lane] += sign;
  };
  for (const auto& each : effects) {
    if (each.before) note(*each.before, -1);
    if (each.after) note(*each.after, 1);
  }
  for (const auto& [key, change] : by_state) {
    if (change == 0) continue;
    count.with(to_string(key.first), key.second, change).run();
    if (file.changes() == 0) count_new.with(to_string(key.first), key.second, change).run();
  }
  for (const auto& [name, change] : by_lane) {
    if (change == 0) continue;
    lane.with(name, change).run();
    if (file.changes() == 0) lane_new.with(name, change).run();
    if (change < 0) lane_idle.with(name, to_ms(now)).run();
  }
  if (!moved_waiting_) return;
  next_due_ = earliest_.next() ? std::optional(earliest_.time(0)) : std::nullopt;
  earliest_.reset();
}

void submit_command::run(transaction& changes) {
  answer_ = {};
  for (auto& each : wanted_) add(changes, each);
}

void submit_command::add(transaction& changes, submission& wanted) {
  const auto due = std::max(wanted.due, now_);
  const phase in = wanted.due > now_ ? phase::waiting : phase::ready;
  const auto write = [&](statement& to) {
    to.with(wanted.id, wanted.generation, to_string(in), wanted.state, wanted.lane,
            wide(wanted.priority), wide(wanted.rank), to_ms(due), to_ms(now_), wanted.data,
            to_ms(wanted.deadline), wide(wanted.shape))
        .run();
    return changes.file.changes() == 1;
  };
  effect done;
  done.generation = wanted.generation;
  if (write(changes.insert)) {
    done.key = changes.file.last_key();
    ++answer_.added;
  } else {
    auto& found = changes.find.with(wanted.id);
    const bool exists = found.next();
    WHERRY_ASSERT(exists, "an id that conflicts exists");
    const auto before = phase_from(found.text(3)).value_or(phase::ready);
    const bool stays = found.integer(1) >= wanted.generation || !is_finished(before);
    done.key = found.integer(0);
    done.version_before = found.integer(2);
    done.before = place{before, found.text(4), {}, {}};
    found.reset();
    if (stays) {
      answer_.add_known(before);
      return;
    }
    write(changes.supersede);
    changes.trim.bound_older(done.key, wanted.generation);
    ++answer_.superseded;
  }
  done.after = place{in,
                     wanted.state,
                     wanted.lane,
                     {precedence(wanted.priority, wanted.rank), to_ms(due), done.key}};
  if (in == phase::ready) {
    done.contents = leased_machine{.key = done.key,
                                   .id = std::move(wanted.id),
                                   .generation = wanted.generation,
                                   .version = 0,
                                   .state = std::move(wanted.state),
                                   .data = std::move(wanted.data),
                                   .lane = std::move(wanted.lane),
                                   .priority = wanted.priority,
                                   .rank = wanted.rank,
                                   .attempt = 1,
                                   .deadline = wanted.deadline,
                                   .shape = wanted.shape};
  }
  changes.effects.push_back(std::move(done));
}

void record_command::run(transaction& changes) {
  claims_ = live_.begin_commit(outcomes_);
  take_new_priorities(changes);
  answer_.assign(outcomes_.size(), false);
  for (std::size_t i = 0; i < outcomes_.size(); ++i) {
    keep_lane(changes, outcomes_[i]);
    if (!claims_[i]) continue;
    answer_[i] = commit(changes, outcomes_[i], *claims_[i]);
    if (!answer_[i]) give_up(i);
  }
}

void record_command::fail(const store_error& why) {
  for (std::size_t i = 0; i < claims_.size(); ++i) give_up(i);
  asking::fail(why);
}

// Those that a command has given in this very transaction: memory does not know them yet.
void record_command::take_new_priorities(const transaction& changes) {
  std::map<std::int64_t, std::int32_t> given;
  for (const auto& each : changes.effects) {
    if (each.new_priority) given[each.key] = *each.new_priority;
  }
  if (given.empty()) return;
  for (std::size_t i = 0; i < outcomes_.size(); ++i) {
    const auto found = given.find(outcomes_[i].key);
    if (claims_[i] && found != given.end()) claims_[i]->priority = found->second;
  }
}

void record_command::keep_lane(transaction& changes, const transition& outcome) {
  const auto keep = [&](const std::string& lane, const lane_memory& memory,
                        std::string_view error) {
    const bool is_broken = memory.open_until != system_time{};
    changes.keep
        .with(lane, memory.quotas, wide(memory.failures), to_ms(memory.open_until),
              to_ms(memory.keep_until), is_broken ? error : std::string_view())
        .run();
  };
  if (outcome.lane_memory) keep(outcome.ran_in, *outcome.lane_memory, cut_error(outcome.error));
  for (const auto& [lane, memory] : outcome.other_memories) keep(lane, memory, {});
}

// No commit is under way for that lease any more: it can be released, and run out.
void record_command::give_up(std::size_t at) {
  if (!claims_[at]) return;
  live_.abort_commit(outcomes_[at]);
  claims_[at].reset();
}

bool record_command::commit(transaction& changes, transition& outcome,
                            const live_state::claim& claim) {
  const auto due = to_ms(outcome.due == system_time{} ? outcome.ended : outcome.due);
  const auto error = cut_error(outcome.error);
  if (outcome.phase == claim.before.phase) {
    changes.stay
        .with(outcome.key, outcome.generation, outcome.version, outcome.to, outcome.lane,
              wide(outcome.rank), due, wide(outcome.next_attempt), to_ms(outcome.ended),
              outcome.data, error, wide(outcome.setbacks), outcome.entered, wide(outcome.shape))
        .run();
  } else {
    changes.update
        .with(outcome.key, outcome.generation, outcome.version, to_string(outcome.phase),
              outcome.to, outcome.lane, wide(outcome.rank), due, wide(outcome.next_attempt),
              to_ms(outcome.ended), outcome.data, error, wide(outcome.setbacks), outcome.entered,
              wide(outcome.shape))
        .run();
  }
  // Cancelled in this very transaction, or the lease is of a version that is no more.
  if (changes.file.changes() == 0) return false;
  log(changes, outcome);
  changes.trim.bound(outcome.key, outcome.generation, outcome.version + 1);
  if (outcome.lane_parked_until) {
    changes.park
        .with(outcome.ran_in, to_ms(*outcome.lane_parked_until), error,
              wide(outcome.lane_is_stopped))
        .run();
  }

  effect done{.key = outcome.key,
              .generation = outcome.generation,
              .version = outcome.version + 1,
              .version_before = outcome.version,
              .before = claim.before,
              .after = place{outcome.phase,
                             outcome.to,
                             outcome.lane,
                             {precedence(claim.priority, outcome.rank), due, outcome.key}},
              .contents = {}};
  if (outcome.phase == phase::ready) {
    done.contents = leased_machine{.key = outcome.key,
                                   .id = outcome.id,
                                   .generation = outcome.generation,
                                   .version = outcome.version + 1,
                                   .state = std::move(outcome.to),
                                   .data = std::move(outcome.data),
                                   .lane = std::move(outcome.lane),
                                   .priority = claim.priority,
                                   .rank = outcome.rank,
                                   .attempt = outcome.next_attempt,
                                   .setbacks = outcome.setbacks,
                                   .entered = outcome.entered,
                                   .deadline = claim.deadline,
                                   .shape = outcome.shape};
  }
  changes.effects.push_back(std::move(done));
  return true;
}

void record_command::log(transaction& changes, const transition& outcome) {
  const auto ended = to_ms(outcome.ended);
  const auto error = cut_error(outcome.error);
  if (is_repeatable(outcome.outcome)) {
    changes.log_again
        .with(outcome.key, outcome.generation, outcome.version, ended, error,
              to_string(outcome.outcome))
        .run();
    if (changes.file.changes() > 0) return;
  }
  changes.log
      .with(outcome.key, outcome.generation, outcome.version + 1, outcome.from, outcome.to,
            to_string(outcome.phase), to_string(outcome.outcome), wide(outcome.attempt),
            to_ms(outcome.started), ended, error)
      .run();
}

void promote_command::run(transaction& changes) {
  std::size_t bytes = 0;
  std::vector<effect> due;
  auto& found = changes.promotable.with(to_ms(now_), promote_limit);
  while (found.next()) {
    leased_machine machine{.key = found.integer(0),
                           .id = found.text(1),
                           .generation = found.integer(2),
                           .version = found.integer(3),
                           .state = found.text(4),
                           .data = found.text(5),
                           .lane = found.text(6),
                           .priority = static_cast<std::int32_t>(found.integer(7)),
                           .rank = static_cast<std::int32_t>(found.integer(8)),
                           .attempt = static_cast<std::int32_t>(found.integer(10)),
                           .setbacks = static_cast<std::int32_t>(found.integer(11)),
                           .entered = found.integer(12),
                           .deadline = found.time(13),
                           .shape = shape_at(found, 14)};
    const turn at{precedence(machine.priority, machine.rank), found.integer(9), machine.key};
    bytes += read_ahead::weight(machine);
    due.push_back({.key = machine.key,
                   .generation = machine.generation,
                   .version = machine.version,
                   .version_before = machine.version,
                   .before = place{phase::waiting, machine.state, machine.lane, at},
                   .after = place{phase::ready, machine.state, machine.lane, at},
                   .contents = std::move(machine)});
    if (bytes > promote_byte_limit) break;
  }
  found.reset();
  for (auto& each : due) {
    changes.promote.with(each.key).run();
    changes.effects.push_back(std::move(each));
  }
  answer_ = due.size();
}

}  // namespace wherry::sqlite
