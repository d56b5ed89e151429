// SPDX-License-Identifier: Apache-2.0
// From outcome to next situation.

#include "wherry/engine/decide.hpp"

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
  to.next_attempt = 1;
}

void die(transition& to, std::string_view why) {
  to.outcome = outcome_kind::died;
  to.phase = phase::dead;
  to.error += why;
}

system_time after(system_time from, duration wait) {
  return from + std::chrono::ceil<std::chrono::milliseconds>(wait);
}

}  // namespace

transition decide(const leased_machine& machine, raw_outcome outcome, const state_policy& policy,
                  const step_run& run) {
  transition to{.key = machine.key,
                .token = machine.token,
                .id = machine.id,
                .generation = machine.generation,
                .version = machine.version,
                .outcome = outcome.kind,
                .from = machine.state,
                .attempt = machine.attempt,
                .started = run.started,
                .ended = run.ended,
                .error = std::move(outcome.error),
                .phase = phase::ready,
                .to = machine.state,
                .data = machine.data,
                .lane = machine.lane,
                .rank = machine.rank,
                .next_attempt = machine.attempt,
                .setbacks = machine.setbacks,
                .due = run.ended,
                .ran_in = machine.lane,
                .lane_parked_until = std::nullopt};
  if (to.error.size() > error_limit_bytes) to.error.resize(error_limit_bytes);

  switch (outcome.kind) {
    case outcome_kind::advanced:
      advance(to, std::move(outcome.next));
      break;
    case outcome_kind::went_back:
      if (machine.setbacks + 1 >= policy.attempts) {
        die(to, "; it went back as often as it may be tried");
        break;
      }
      advance(to, std::move(outcome.next));
      to.setbacks = machine.setbacks + 1;
      break;
    case outcome_kind::retried:
      if (machine.attempt >= policy.attempts) {
        die(to, "");
        break;
      }
      to.phase = phase::waiting;
      to.next_attempt = machine.attempt + 1;
      to.due = after(run.ended, outcome.wait ? *outcome.wait
                                             : backoff(policy, machine.attempt, run.draw));
      break;
    case outcome_kind::throttled:
      to.phase = phase::waiting;
      to.due = outcome.until;
      to.lane_parked_until = outcome.until;
      break;
    case outcome_kind::died:
      die(to, "");
      break;
    case outcome_kind::redriven:
    case outcome_kind::cancelled:
      WHERRY_ASSERT(false, "no step says this: people do");
  }
  return to;
}

}  // namespace wherry::detail
