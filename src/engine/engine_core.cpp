// SPDX-License-Identifier: Apache-2.0
// The runner and the rescuer, and how the four processes start and end together. The others are in
// claimer.cpp and recorder.cpp.

#include "wherry/engine/engine_core.hpp"

#include <algorithm>
#include <utility>

#include "closing.hpp"
#include "wherry/csp/go.hpp"
#include "wherry/csp/select.hpp"
#include "wherry/csp/timeout.hpp"
#include "wherry/engine/decide.hpp"

namespace wherry {
namespace {

/// Beyond the next renewal.
constexpr auto lease_margin = std::chrono::seconds(60);
/// "For ever" among the durations of options: sums with a time of any clock do not overflow.
constexpr duration for_ever = std::chrono::hours(24 * 365);

system_time now() { return scheduler::current().system_now(); }

std::string too_late(const state_policy& policy) {
  const auto limit = std::chrono::duration_cast<std::chrono::milliseconds>(policy.time_limit);
  return "the step was still running after its time limit of " + std::to_string(limit.count()) +
         " ms";
}

engine_options within_bounds(engine_options options) {
  const auto bound = [](duration& value, duration least) {
    value = std::clamp(value, least, for_ever);
  };
  options.window = std::max<std::size_t>(options.window, 1);
  bound(options.grace, duration::zero());
  bound(options.rescue_every, std::chrono::milliseconds(1));
  bound(options.call_wait, duration::zero());
  bound(options.policy.time_limit, duration::zero());
  // A step that waits for its lane must be given back before its time limit calls it failed.
  const auto bound_wait = [&](const state_policy& policy) {
    options.call_wait = std::min(options.call_wait, policy.time_limit / 2);
  };
  bound_wait(options.policy);
  for (auto& [state, policy] : options.policies) {
    bound(policy.time_limit, duration::zero());
    bound_wait(policy);
  }
  return options;
}

detail::lane_board_options lanes_of(const engine_options& options) {
  detail::lane_board_options lanes{.limits = options.limits,
                                   .in_flight_else = options.policy.in_flight,
                                   .call_wait = options.call_wait};
  for (const auto& [state, policy] : options.policies) lanes.in_flight[state] = policy.in_flight;
  return lanes;
}

/// What becomes of a step that threw: a failure, unless it was our own limits that ended it.
detail::raw_outcome unwound(const failure& why, const std::string& lane) {
  try {
    if (!why.is_cancelled()) why.rethrow();
  } catch (const detail::call_postponed& postponed) {
    return {.kind = outcome_kind::postponed,
            .error = "lane \"" + lane + "\" has no further call for this step for a while",
            .until = postponed.until,
            .by_our_limits = true};
  } catch (const detail::call_refused& refused) {
    return {.kind = outcome_kind::postponed,
            .error = refused.error,
            .until = refused.until,
            .by_our_limits = true,
            .stops_lane = true};
  } catch (...) {  // NOLINT(bugprone-empty-catch): told below
  }
  return {.kind = outcome_kind::retried, .error = why.what()};
}

}  // namespace

engine_core::engine_core(store& where, detail::raw_kind& kind, engine_options options)
    : store_(where),
      kind_(kind),
      options_(within_bounds(std::move(options))),
      lease_for_(std::chrono::ceil<std::chrono::milliseconds>(options_.rescue_every) +
                 lease_margin) {}

task<std::expected<submit_report, store_error>> engine_core::submit(
    std::vector<submission> wanted) {
  return store_.submit(std::move(wanted));
}

engine_progress engine_core::progress() const noexcept {
  const auto read = [](const std::atomic<std::uint64_t>& count) {
    return count.load(std::memory_order_relaxed);
  };
  return {.completed = read(counts_.completed),
          .dead = read(counts_.dead),
          .retried = read(counts_.retried),
          .throttled = read(counts_.throttled),
          .postponed = read(counts_.postponed),
          .transitions = read(counts_.transitions),
          .refused = read(counts_.refused),
          .left_alone = read(counts_.left_alone),
          .running = read(counts_.running)};
}

const state_policy& engine_core::policy_of(std::string_view state) const {
  const auto found = options_.policies.find(state);
  return found == options_.policies.end() ? options_.policy : found->second;
}

void engine_core::fail(store_error error) {
  failures_.offer(std::move(error));
  stop();
}

void engine_core::open_channels() {
  ended_ = {};
  idle_ = channel<std::monostate>{fixed{1}};
  claimed_ = channel<claimed_machine>{fixed{options_.window}};
  outcomes_ = channel<ended_step>{fixed{options_.window}};
  recorded_ = channel<std::size_t>{fixed{options_.window}};
  memory_turn_ = channel<std::monostate>{fixed{1}};
  lanes_ = std::make_shared<detail::lane_board>(lanes_of(options_));
}

// What was leased and not run, or run and not recorded, because some process failed or was
// cancelled; and what was left alone.
void engine_core::release_leftovers() noexcept {
  for (auto& machine : left_alone_.take()) release(std::move(machine));
  while (auto claimed = claimed_.poll()) release(std::move(claimed->machine));
  while (auto step = outcomes_.poll()) release(std::move(step->machine));
}

void engine_core::release(leased_machine machine) noexcept {
  const auto token = held_.newest(machine);
  held_.remove(machine);
  machine.token = token;
  store_.release({std::move(machine)});
}

task<std::expected<void, store_error>> engine_core::run(run_until until) {
  open_channels();
  struct ending {
    engine_core& core;
    ~ending() { core.release_leftovers(); }
  } const ending{*this};
  co_await with_scope([&](scope& all) -> task<> {
    all.go(claim(until));
    all.go(run_steps());
    all.go(record());
    all.go(rescue());
    co_return;
  });
  if (!failure_) failure_ = failures_.poll();
  if (failure_) co_return std::unexpected(*failure_);
  co_return {};
}

// Starts a process for each claimed machine. After the last, waits for them: for ever if the engine
// drained, for the grace period if it was stopped.
task<> engine_core::run_steps() {
  const closing outcomes{outcomes_};
  co_await with_scope([&](scope& steps) -> task<> {
    while (auto claimed = co_await claimed_.take()) {
      counts_.running.fetch_add(1, std::memory_order_acq_rel);
      steps.go(run_one(std::move(*claimed)));
    }
    const auto patience = timeout(options_.grace);
    while (counts_.running.load(std::memory_order_acquire) > 0) {
      const auto chosen = co_await select(idle_.take(), patience.take());
      if (chosen.index() == 1) co_return steps.cancel();
    }
  });
}

task<> engine_core::run_one(claimed_machine claimed) {
  const auto key = claimed.machine.key;
  // Counts the step out however it ends, and gives the lease back if there is nothing to record.
  struct ending {
    engine_core& core;
    ended_step step;
    std::int64_t key;
    bool recorded = false;
    bool has_turn = false;
    ~ending() {
      if (has_turn) core.turns_.end(key);
      if (!recorded) core.release(std::move(step.machine));
      if (core.counts_.running.fetch_sub(1, std::memory_order_acq_rel) == 1) core.idle_.offer({});
    }
  } ending{*this, {std::move(claimed.machine), {}}, key};

  auto& [running, result, lane_keeps] = ending.step;
  co_await turns_.begin(key);
  ending.has_turn = true;
  const auto& policy = policy_of(running.state);
  const auto started = now();
  detail::raw_outcome outcome;
  std::optional<lane_news> news;
  if (detail::is_late(running, started)) {
    // Not even its deadline is ours to judge if it is another program's.
    outcome = kind_.foreign({running.state, running.data, running.shape})
                  .value_or(detail::late_outcome(running, false));
  } else {
    outcome = co_await run_within_limit(running, policy, started);
    if (!outcome.leaves_alone) news = detail::news_of(outcome);
  }
  const auto ended = now();
  detail::lane_step in_lane{.lane = running.lane,
                            .state = running.state,
                            .used = claimed.by,
                            .news = news,
                            .parked_until = std::nullopt,
                            .stopped = std::nullopt};
  if (outcome.leaves_alone) {
    static_cast<void>(lanes_->end_step(in_lane, ended));
    ending.recorded = co_await leave_alone(running, std::move(outcome.error));
    co_return;
  }
  result = detail::decide(running, std::move(outcome), policy,
                          {.started = started, .ended = ended, .draw = detail::draw()});
  in_lane.parked_until = result.lane_parked_until;
  if (result.lane_is_stopped) in_lane.stopped = {result.error, *result.lane_parked_until};
  lane_keeps = lanes_->end_step(in_lane, ended);
  ending.recorded = co_await outcomes_.put(std::move(ending.step));
}

// False: there is no room to keep it, and the run ends.
task<bool> engine_core::leave_alone(leased_machine& machine, std::string why) {
  const auto guard = co_await shield();  // it is kept and told of, or neither
  if (on_left_alone_) {
    const std::lock_guard calling(hooks_);
    on_left_alone_({machine.id, machine.generation, machine.state, why});
  }
  bool is_kept = left_alone_.add(machine);
  if (!is_kept) {
    look_at_left_alone();
    is_kept = left_alone_.add(machine);
  }
  counts_.left_alone.store(left_alone_.size(), std::memory_order_relaxed);
  if (!is_kept) {
    fail({store_error::kind::newer,
          std::to_string(left_alone_.size()) +
              " machines of another program were left alone, there is no room for more: run that "
              "program; the last one was " +
              machine.id + ": " + why});
  }
  co_await recorded_.put(1);
  co_return is_kept;
}

// The one place where what a step throws becomes an outcome.
task<detail::raw_outcome> engine_core::run_within_limit(leased_machine& machine,
                                                        const state_policy& policy,
                                                        system_time started) {
  step_context context{.id = machine.id,
                       .generation = machine.generation,
                       .state = machine.state,
                       .attempt = machine.attempt,
                       .started = started,
                       .entered = machine.entered,
                       .lane = machine.lane,
                       .desk = lanes_};
  const duration time_left = machine.deadline == system_time{}
                                 ? duration::max()
                                 : std::min<std::chrono::milliseconds>(
                                       machine.deadline - started,
                                       std::chrono::floor<std::chrono::milliseconds>(for_ever) * 2);
  std::optional<result<detail::raw_outcome>> said;  // empty: the limit came first
  co_await with_scope([&](scope& step) -> task<> {
    channel<result<detail::raw_outcome>> answer{fixed{1}};
    step.go(detail::deliver(
        kind_.run({machine.state, machine.data, machine.shape}, std::move(context)), answer));
    const auto limit = timeout(std::min(policy.time_limit, time_left));
    auto chosen = co_await select(priority, answer.take(), limit.take());
    if (chosen.index() == 0) {
      said = std::move(std::get<0>(chosen));
    } else {
      step.cancel();
    }
  });
  if (said && said->has_value()) co_return std::move(**said);
  if (said) co_return unwound(said->error(), machine.lane);
  if (time_left <= policy.time_limit) co_return detail::late_outcome(machine, true);
  co_return detail::raw_outcome{.kind = outcome_kind::retried, .error = too_late(policy)};
}

task<> engine_core::rescue() {
  bool more = false;  // in the inbox: the next tick comes at once
  for (;;) {
    const auto tick = timeout(more ? duration::zero() : options_.rescue_every);
    const auto chosen = co_await select(priority, ended_.take(), tick.take());
    if (chosen.index() == 0) co_return;
    // Renewed first: so a leap of the calendar costs nobody a lease.
    const auto at = now();
    store_.renew(held_.all(), at + lease_for_);
    co_await rescue_lost(at);
    auto step = co_await store_.step_inbox();
    more = step && step->more;
    if (!step) fail(std::move(step.error()));
    auto tidied = co_await store_.tidy(at);
    more = more || (tidied && *tidied);
    if (!tidied) fail(std::move(tidied.error()));
  }
}

// A lease that ran out. If its run goes on here, it is taken up again; else that run is spent, as
// if it had failed.
task<> engine_core::rescue_lost(system_time at) {
  const auto guard = co_await shield();  // what was taken over must be recorded, or given back
  auto lost = co_await store_.reclaim(at, at + lease_for_);
  if (!lost) co_return fail(std::move(lost.error()));
  std::erase_if(*lost, [&](const auto& machine) { return held_.take_over(machine); });
  if (lost->empty()) co_return;
  std::vector<transition> results;
  for (const auto& machine : *lost) {
    results.push_back(detail::decide(
        machine,
        {.kind = outcome_kind::retried,
         .error = "the lease of this run ran out: its worker renewed it no more"},
        policy_of(machine.state), {.started = at, .ended = at, .draw = detail::draw()}));
  }
  const auto accepted = co_await store_.record(results);
  if (!accepted) {
    fail(accepted.error());
    store_.release(*lost);
    co_return;
  }
  for (std::size_t i = 0; i < results.size(); ++i) count(results[i], (*accepted)[i]);
  recorded_.offer(0);  // perhaps it was the last; if there is no room, others wake the claimer
}

}  // namespace wherry
