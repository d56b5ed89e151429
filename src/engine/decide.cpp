// SPDX-License-Identifier: Apache-2.0
// From outcome to next situation.

#include "wherry/engine/decide.hpp"

#include <fmt/chrono.h>

#include <algorithm>
#include <utility>

#include "wherry/csp/assert.hpp"

namespace wherry::detail {
namespace {

void advance(transition& to, raw_state next) {
  to.phase = next.is_final ? phase::completed : phase::ready;
  to.to = std::move(next.tag);
  to.data = std::move(next.data);
  to.lane = std::move(next.lane);
  to.rank = next.rank;
  to.shape = next.shape;
  to.next_attempt = 1;
  to.entered = to.version + 1;
}

void die(transition& to, std::string_view why) {
  to.outcome = outcome_kind::died;
  to.phase = phase::dead;
  const auto room = error_size_limit - std::min(why.size(), error_size_limit);
  to.error = std::string(cut_error(to.error, room)).append(cut_error(why));
}

system_time after(system_time from, duration wait) {
  return from + std::chrono::ceil<std::chrono::milliseconds>(wait);
}

/// The machine as it was, after a run that is still to be told.
transition unchanged(const leased_machine& machine, const step_run& run) {
  return {.key = machine.key,
          .token = machine.token,
          .id = machine.id,
          .generation = machine.generation,
          .version = machine.version,
          .from = machine.state,
          .attempt = machine.attempt,
          .started = run.started,
          .ended = run.ended,
          .error = {},
          .phase = phase::ready,
          .to = machine.state,
          .data = machine.data,
          .lane = machine.lane,
          .rank = machine.rank,
          .next_attempt = machine.attempt,
          .setbacks = machine.setbacks,
          .entered = machine.entered,
          .due = run.ended,
          .shape = machine.shape,
          .ran_in = machine.lane,
          .lane_parked_until = std::nullopt};
}

void follow(transition& to, raw_outcome outcome, const state_policy& policy, const step_run& run) {
  to.outcome = outcome.kind;
  to.error = std::string(cut_error(outcome.error));
  // It spends no attempt, so a time that is past would let it run again without end.
  const auto until = outcome.until > run.ended ? outcome.until : after(run.ended, policy.first);
  if (outcome.stops_lane) {  // ready as it was: what waits is its lane
    to.lane_parked_until = until;
    to.lane_is_stopped = true;
    return;
  }
  switch (outcome.kind) {
    case outcome_kind::advanced: advance(to, std::move(outcome.next)); break;
    case outcome_kind::went_back:
      if (!outcome.makes_way && to.setbacks >= policy.attempts) {
        die(to, "; it went back as often as it may be tried");
        break;
      }
      advance(to, std::move(outcome.next));
      if (!outcome.makes_way) ++to.setbacks;
      if (to.phase == phase::completed) break;
      // What was made before may be broken by nature: it is not asked for again at once.
      to.phase = phase::waiting;
      to.due = outcome.makes_way ? until : after(run.ended, backoff(policy, to.setbacks, run.draw));
      break;
    case outcome_kind::retried:
      if (to.attempt >= policy.attempts) {
        die(to, "");
        break;
      }
      to.phase = phase::waiting;
      to.next_attempt = to.attempt + 1;
      to.due =
          after(run.ended, outcome.wait ? *outcome.wait : backoff(policy, to.attempt, run.draw));
      break;
    case outcome_kind::throttled:
    case outcome_kind::postponed:
      to.due = until;
      to.phase = phase::waiting;
      if (outcome.kind == outcome_kind::throttled) to.lane_parked_until = to.due;
      break;
    case outcome_kind::died: die(to, ""); break;
    case outcome_kind::redriven:
    case outcome_kind::cancelled: WHERRY_ASSERT(false, "no step says this: people do");
  }
}

}  // namespace

lane_news news_of(const raw_outcome& outcome) noexcept {
  switch (outcome.kind) {
    case outcome_kind::advanced: return lane_news::good;
    case outcome_kind::retried: return lane_news::failed;
    case outcome_kind::throttled: return lane_news::throttled;
    case outcome_kind::postponed:
      return outcome.by_our_limits ? lane_news::nothing : lane_news::good;
    default: return lane_news::nothing;
  }
}

bool is_late(const leased_machine& machine, system_time now) noexcept {
  return machine.deadline != system_time{} && machine.deadline <= now;
}

raw_outcome late_outcome(const leased_machine& machine, bool while_running) {
  return {.kind = outcome_kind::died,
          .error = fmt::format(
              "not completed by its deadline of {:%Y-%m-%dT%H:%M:%S}Z{}; redriving it takes the "
              "deadline away",
              machine.deadline, while_running ? ": the step was unwound" : "")};
}

transition decide(const leased_machine& machine, raw_outcome outcome, const state_policy& policy,
                  const step_run& run) {
  auto to = unchanged(machine, run);
  follow(to, std::move(outcome), policy, run);
  // What waits beyond its deadline waits in vain: it is told so when that passes.
  if (to.phase == phase::waiting && machine.deadline != system_time{}) {
    to.due = std::min(to.due, std::max(machine.deadline, run.ended));
  }
  if (const auto why = refusal(to); !why.empty()) {
    to = unchanged(machine, run);
    die(to, why);
  }
  return to;
}

}  // namespace wherry::detail
