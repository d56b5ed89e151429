// SPDX-License-Identifier: Apache-2.0
// Redrive and cancel, in steps that look at a bounded number of machines, whether they match or
// not: so a command on millions neither fills memory nor keeps the running import from committing.

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

bool control_command::matches(phase in, const std::string& state) const {
  const auto& filter = step_.filter;
  return (!filter.phase || *filter.phase == in) && (filter.state.empty() || filter.state == state);
}

// What matches of the next machines, as it is before; and where they end.
std::vector<effect> control_command::visit(database& file) {
  selection wanted("key, id, generation, version, state, lane, precedence, due_ms, attempt, phase",
                   source_of(step_.verb), step_.after_id);
  wanted.where(condition_of(step_.verb)).with_id(step_.filter).at_most(visit_limit);
  auto found = wanted.prepare(file);
  std::vector<effect> targets;
  std::size_t visited = 0;
  while (found.next()) {
    ++visited;
    answer_.last_id = found.text(1);
    const auto in = phase_at(found, 9, file);
    auto state = found.text(4);
    if (!matches(in, state)) continue;
    effect each;
    each.key = found.integer(0);
    each.generation = found.integer(2);
    each.version_before = found.integer(3);
    each.version = each.version_before + 1;
    each.attempt = found.integer(8);
    each.before = place{in,
                        std::move(state),
                        found.text(5),
                        {found.integer(6), found.integer(7), found.integer(0)}};
    targets.push_back(std::move(each));
  }
  answer_.more = visited == visit_limit;
  return targets;
}

void control_command::change(transaction& changes, effect& done) {
  const bool redrive = step_.verb == control_verb::redrive;
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

void control_command::run(transaction& changes) {
  answer_ = {};
  auto targets = visit(changes.file);
  for (auto& each : targets) {
    change(changes, each);
    changes.effects.push_back(std::move(each));
  }
  answer_.changed = targets.size();
  if (step_.inbox_key && !answer_.more) changes.done_with.with(*step_.inbox_key).run();
}

}  // namespace wherry::sqlite
