// SPDX-License-Identifier: Apache-2.0
// The claimer: leases what may run now, and otherwise waits for the one thing that can change that:
// a record, new ready work, a lane that may run again, or time.

#include <algorithm>
#include <utility>

#include "wherry/csp/select.hpp"
#include "wherry/csp/timeout.hpp"
#include "wherry/engine/engine_core.hpp"

namespace wherry {

struct engine_core::claimer_state {
  std::size_t in_window = 0;        // leased and not yet recorded
  bool is_news = true;              // the store may have other ready lanes than the board knows
  std::optional<system_time> wake;  // when time alone may let something run
  scope* promotions = nullptr;      // of at most one process, which says so when it has ended
  bool is_promoting = false;
  channel<std::monostate> promoted{fixed{1}};
};

namespace {

/// The earlier of two times, one of which may not be known.
void soonest(std::optional<system_time>& best, std::optional<system_time> other) {
  if (other && (!best || *other < *best)) best = other;
}

/// The calendar may be set anew during a wait: look again after so long at the latest.
constexpr std::chrono::milliseconds longest_wait = std::chrono::minutes(1);

/// A timeout for a time of the calendar; one that never closes if there is none.
take_channel<std::monostate> alarm(std::optional<system_time> at) {
  if (!at) return channel<std::monostate>{};
  return timeout(std::clamp(*at - scheduler::current().system_now(),
                            std::chrono::milliseconds::zero(), longest_wait));
}

}  // namespace

bool engine_core::may_claim(const claimer_state& state) const noexcept {
  return !stopping_.load(std::memory_order_acquire) && state.in_window < options_.window;
}

// Counted by the store, not by what is ready here: a machine whose lease someone else still has, or
// lost, is not done.
bool engine_core::has_drained(const claimer_state& state) {
  auto counts = store_.count();
  if (!counts) fail(std::move(counts.error()));
  if (!counts) return false;
  if (counts->in(phase::waiting) == 0 && !state.is_promoting && !state.is_news &&
      lanes_->all_are_stopped()) {
    return true;
  }
  if (std::cmp_greater(counts->unfinished(), left_alone_.size())) return false;
  look_at_left_alone();
  return std::cmp_equal(counts->unfinished(), left_alone_.size());
}

// People may have cancelled some, or also redriven: those are none of ours any more.
void engine_core::look_at_left_alone() {
  left_alone_.keep_if([&](const leased_machine& machine) {
    auto found = store_.query({.id = machine.id}, 1, "");
    if (!found) {
      fail(std::move(found.error()));
      return true;
    }
    const bool is_same = found->size() == 1 && !is_finished(found->front().phase) &&
                         found->front().generation == machine.generation &&
                         found->front().version == machine.version;
    if (!is_same) held_.remove(machine);
    return is_same;
  });
  counts_.left_alone.store(left_alone_.size(), std::memory_order_relaxed);
}

task<> engine_core::claim(run_until until) {
  struct ending {
    channel<claimed_machine>& claimed;
    channel<std::size_t>& recorded;
    ~ending() {
      claimed.close();
      recorded.close();
    }
  } const ending{claimed_, recorded_};
  claimer_state state;
  for (const auto& each : store_.lane_states()) {
    lanes_->restore(each, scheduler::current().system_now());
  }
  co_await with_scope([&](scope& promotions) -> task<> {
    state.promotions = &promotions;
    co_await claim_until(until, state);
  });
}

task<> engine_core::claim_until(run_until until, claimer_state& state) {
  const auto signal = store_.ready_signal();
  const auto changed = lanes_->changed();
  for (;;) {
    while (const auto recorded = recorded_.poll()) state.in_window -= *recorded;
    if (signal.poll()) state.is_news = true;
    const bool idle = !co_await claim_ready(state);
    if (until == run_until::drained && idle && state.in_window == 0 && has_drained(state)) break;
    const auto chosen =
        co_await select(priority, stop_.take(), recorded_.take(), signal.take(), changed.take(),
                        state.promoted.take(), alarm(state.wake).take());
    if (chosen.index() == 0) break;
    if (chosen.index() == 1) state.in_window -= *std::get<1>(chosen);
    if (chosen.index() == 2) state.is_news = true;
    if (chosen.index() == 4) {
      state.is_promoting = false;
      state.is_news = true;
    }
  }
}

// Beside the claimer, which goes on to lease: a promotion waits for what is being made durable.
task<> engine_core::promote(system_time now, channel<std::monostate> promoted) {
  auto done = co_await store_.promote(now);
  if (!done) fail(std::move(done.error()));
  co_await promoted.put({});
}

// Leases turn by turn, so that a small window is shared by all lanes. True if anything was leased.
// What is due is promoted in part: what is left wakes the claimer when that is done.
task<bool> engine_core::claim_ready(claimer_state& state) {
  const auto now = scheduler::current().system_now();
  // With a full window nothing is promoted: more at once when there is room again.
  state.wake = state.is_promoting || !may_claim(state) ? std::nullopt : store_.next_due();
  if (state.wake && *state.wake <= now) {
    state.wake.reset();
    state.is_promoting = true;
    state.promotions->go(promote(now, state.promoted));
  }
  bool any = false;
  if (!may_claim(state)) co_return any;
  if (std::exchange(state.is_news, false)) lanes_->set_ready(store_.ready_lanes(), now);
  lanes_->begin_round();
  while (may_claim(state)) {
    auto turn =
        lanes_->next_turn(options_.window - state.in_window, scheduler::current().system_now());
    if (!turn) {
      soonest(state.wake, lanes_->next_time());
      break;
    }
    if (co_await claim_turn(state, std::move(*turn)) > 0) any = true;
  }
  co_return any;
}

// A permit is held before a lease is asked for, and given back if there was nothing to lease, or no
// room for it in its state.
task<std::size_t> engine_core::claim_turn(claimer_state& state, detail::lane_turn turn) {
  const auto guard = co_await shield();  // what was leased must be heard of
  auto leased = co_await store_.lease(turn.lane, turn.permits,
                                      scheduler::current().system_now() + lease_for_);
  const auto now = scheduler::current().system_now();
  if (!leased) {
    lanes_->end_turn(turn, 0, 0, "", now);
    fail(std::move(leased.error()));
    co_return 0;
  }
  std::size_t run = 0;
  while (run < leased->size() && lanes_->begin_step((*leased)[run].state)) ++run;
  const std::vector<leased_machine> unused(leased->begin() + static_cast<std::ptrdiff_t>(run),
                                           leased->end());
  lanes_->end_turn(turn, leased->size(), run, unused.empty() ? "" : unused.front().state, now);
  if (!unused.empty()) store_.release(unused);
  state.in_window += run;
  leased->resize(run);
  for (auto& machine : *leased) {
    held_.add(machine);
    co_await claimed_.put({std::move(machine), turn.each});
  }
  co_return run;
}

}  // namespace wherry
