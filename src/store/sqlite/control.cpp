// SPDX-License-Identifier: Apache-2.0
// Redrive, cancel and prioritize, in steps that look at a bounded number of machines, whether they
// match or not: so a command on millions neither fills memory nor keeps the running import from
// committing. Pause and resume, which are about one row.

#include "commands.hpp"
#include "views.hpp"

namespace wherry::sqlite {
namespace {

constexpr std::size_t visit_limit = 500;

/// The index must serve: without it a step would look at all machines that ended.
std::string_view source_of(control_verb verb) {
  return verb == control_verb::redrive ? "machines INDEXED BY machines_failed"
                                       : "machines INDEXED BY machines_unfinished";
}

std::string_view condition_of(control_verb verb) {
  return indexed_with(verb == control_verb::redrive ? phase::dead : phase::waiting);
}

}  // namespace

bool control_command::matches(const place& at) const {
  const auto& filter = step_.asked.filter;
  return (!filter.phase || *filter.phase == at.phase) &&
         (filter.state.empty() || filter.state == at.state) &&
         (!filter.lane || *filter.lane == at.lane);
}

// What matches of the next machines, as it is before; and where they end.
std::vector<effect> control_command::visit(database& file) {
  const auto verb = step_.asked.verb;
  selection wanted(
      "key, id, generation, version, state, lane, precedence, due_ms, attempt, phase, priority, "
      "rank",
      source_of(verb), step_.after_id);
  wanted.where(condition_of(verb)).with_id(step_.asked.filter).at_most(visit_limit);
  auto found = wanted.prepare(file);
  std::vector<effect> targets;
  std::size_t visited = 0;
  while (found.next()) {
    ++visited;
    answer_.last_id = found.text(1);
    place at{phase_at(found, 9, file),
             found.text(4),
             found.text(5),
             {found.integer(6), found.integer(7), found.integer(0)}};
    const bool is_same =
        verb == control_verb::prioritize && found.integer(10) == step_.asked.priority;
    if (is_same || !matches(at)) continue;
    effect each;
    each.key = found.integer(0);
    each.generation = found.integer(2);
    each.version_before = found.integer(3);
    each.version = each.version_before + 1;
    each.attempt = found.integer(8);
    each.rank = static_cast<std::int32_t>(found.integer(11));
    each.before = std::move(at);
    targets.push_back(std::move(each));
  }
  answer_.more = visited == visit_limit;
  return targets;
}

void control_command::change(transaction& changes, effect& done) {
  const bool redrive = step_.asked.verb == control_verb::redrive;
  const auto outcome = redrive ? outcome_kind::redriven : outcome_kind::cancelled;
  const auto at = to_ms(now_);
  auto after = *done.before;
  after.phase = redrive ? phase::ready : phase::cancelled;
  if (redrive) after.at.due_ms = at;
  (redrive ? changes.redrive : changes.cancel).with(done.key, at).run();
  changes.log
      .with(done.key, done.generation, done.version, done.before->state, after.state,
            to_string(after.phase), to_string(outcome), done.attempt, at, at, std::string_view())
      .run();
  changes.trim.bound(done.key, done.generation, done.version);
  done.after = std::move(after);
}

// No new version: a run under way goes on, and there is nothing for history to explain.
void control_command::prioritize(transaction& changes, effect& done) {
  const auto priority = step_.asked.priority;
  done.version = done.version_before;
  done.new_priority = priority;
  done.after = done.before;
  done.after->at.precedence = precedence(priority, done.rank);
  changes.prioritize.with(done.key, std::int64_t{priority}).run();
}

void control_command::run(transaction& changes) {
  answer_ = {};
  auto targets = visit(changes.file);
  for (auto& each : targets) {
    if (step_.asked.verb == control_verb::prioritize) {
      prioritize(changes, each);
    } else {
      change(changes, each);
    }
    changes.effects.push_back(std::move(each));
  }
  answer_.changed = targets.size();
  if (step_.inbox_key && !answer_.more) changes.done_with.with(*step_.inbox_key).run();
}

void lane_command::run(transaction& changes) {
  const auto& lane = *step_.asked.filter.lane;
  const bool pause = step_.asked.verb == control_verb::pause;
  (pause ? changes.pause : changes.resume).with(lane).run();
  answer_ = {};
  answer_.changed = static_cast<std::size_t>(changes.file.changes());
  if (!pause) changes.lane_idle.with(lane, to_ms(now_)).run();
  if (step_.inbox_key) changes.done_with.with(*step_.inbox_key).run();
}

void lane_command::succeed() {
  live_.set_paused(*step_.asked.filter.lane, step_.asked.verb == control_verb::pause);
  asking::succeed();
}

}  // namespace wherry::sqlite
