// SPDX-License-Identifier: Apache-2.0
// Redrive and cancel: phase by phase, in bounded steps, so that a command on millions of machines
// neither fills memory nor keeps the running import from committing.

#include <algorithm>

#include "commands.hpp"
#include "views.hpp"

namespace wherry::sqlite {
namespace {

constexpr std::size_t step_limit = 500;

struct target {
  std::string id;
  std::int64_t generation = 0;
  std::int64_t attempt = 1;
  effect change;
};

std::vector<target> select(transaction& changes, const control_step& step) {
  if (!step.phase) return {};
  machine_filter filter = step.filter;
  filter.phase = step.phase;
  selection wanted("key, id, generation, version, state, lane, precedence, due_ms, attempt", filter,
                   step.after_id, step_limit);
  auto found = wanted.prepare(changes.file);
  std::vector<target> targets;
  while (found.next()) {
    target each;
    each.id = found.text(1);
    each.generation = found.integer(2);
    each.attempt = found.integer(8);
    each.change.key = found.integer(0);
    each.change.generation = each.generation;
    each.change.version_before = found.integer(3);
    each.change.version = each.change.version_before + 1;
    each.change.before = place{*step.phase,
                               found.text(4),
                               found.text(5),
                               {found.integer(6), found.integer(7), found.integer(0)}};
    targets.push_back(std::move(each));
  }
  return targets;
}

}  // namespace

std::vector<phase> phases_of(control_verb verb, const machine_filter& filter) {
  std::vector<phase> phases{phase::waiting, phase::ready};
  if (verb == control_verb::redrive) phases = {phase::dead, phase::cancelled};
  if (filter.phase) std::erase_if(phases, [&](phase each) { return each != *filter.phase; });
  return phases;
}

void control_command::run(transaction& changes) {
  const bool redrive = step_.verb == control_verb::redrive;
  const phase after = redrive ? phase::ready : phase::cancelled;
  const auto outcome = redrive ? outcome_kind::redriven : outcome_kind::cancelled;
  const auto at = to_ms(now_);

  auto targets = select(changes, step_);
  for (auto& [id, generation, attempt, change] : targets) {
    (redrive ? changes.redrive : changes.cancel).with(change.key, at).run();
    changes.log
        .with(change.key, generation, change.version, change.before->state, change.before->state,
              to_string(after), to_string(outcome), attempt, at, at, std::string_view())
        .run();
    change.after = *change.before;
    change.after.phase = after;
    if (redrive) change.after.at.due_ms = at;
    changes.effects.push_back(std::move(change));
  }
  answer_.changed = targets.size();
  answer_.more = targets.size() == step_limit;
  answer_.last_id = answer_.more ? targets.back().id : std::string{};
  if (step_.inbox_key && step_.last && !answer_.more)
    changes.done_with.with(*step_.inbox_key).run();
}

}  // namespace wherry::sqlite
