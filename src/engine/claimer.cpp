// SPDX-License-Identifier: Apache-2.0
// The claimer: leases what may run now, and otherwise waits for the one thing that can change that:
// a step that ends, a record, new ready work, or time.

#include <algorithm>
#include <utility>

#include "wherry/csp/select.hpp"
#include "wherry/csp/timeout.hpp"
#include "wherry/engine/engine_core.hpp"

namespace wherry {

namespace {
/// Lanes that are kept although nothing runs in them.
constexpr std::size_t lanes_at_rest = 1'000;
}  // namespace

struct engine_core::claimer_state {
  std::map<std::string, lane, std::less<>> lanes;
  std::size_t forget_at = lanes_at_rest;  // lanes: then those that rest are forgotten
  std::size_t in_window = 0;              // leased and not yet recorded
  std::size_t next_lane = 0;        // where the next round begins: after the last lane of this one
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

lane& engine_core::lane_of(claimer_state& state, std::string_view name) {
  const auto found = state.lanes.find(name);
  if (found != state.lanes.end()) return found->second;
  const auto limits = options_.limits ? options_.limits(name) : lane_limits{};
  return state.lanes.emplace(std::string(name), lane{limits}).first->second;
}

void engine_core::hear(claimer_state& state, const note& heard) {
  state.in_window -= heard.recorded;
  if (!heard.ran_in) return;
  auto& ran_in = lane_of(state, *heard.ran_in);
  ran_in.release();
  if (heard.parked_until) ran_in.park(*heard.parked_until);
}

bool engine_core::may_claim(const claimer_state& state) const noexcept {
  return !stopping_.load(std::memory_order_acquire) && state.in_window < options_.window;
}

// Counted by the store, not by what is ready here: a machine whose lease someone else still has, or
// lost, is not done.
bool engine_core::has_drained() {
  auto counts = store_.count();
  if (!counts) fail(std::move(counts.error()));
  return counts && counts->unfinished() == 0;
}

task<> engine_core::claim(run_until until) {
  struct ending {
    channel<leased_machine>& claimed;
    ~ending() { claimed.close(); }
  } const ending{claimed_};
  claimer_state state;
  for (const auto& each : store_.lane_states()) {
    lane_of(state, each.lane).park(each.parked_until);
  }
  co_await with_scope([&](scope& promotions) -> task<> {
    state.promotions = &promotions;
    co_await claim_until(until, state);
  });
}

task<> engine_core::claim_until(run_until until, claimer_state& state) {
  const auto signal = store_.ready_signal();
  for (;;) {
    while (auto heard = returned_.poll()) hear(state, *heard);
    const bool idle = !co_await claim_ready(state);
    if (until == run_until::drained && idle && state.in_window == 0 && has_drained()) break;
    const auto chosen = co_await select(priority, stop_.take(), returned_.take(), signal.take(),
                                        state.promoted.take(), alarm(state.wake).take());
    if (chosen.index() == 0) break;
    if (chosen.index() == 1) hear(state, *std::get<1>(chosen));
    if (chosen.index() == 3) state.is_promoting = false;
  }
}

// Beside the claimer, which goes on to lease: a promotion waits for what is being made durable.
task<> engine_core::promote(system_time now, channel<std::monostate> promoted) {
  auto done = co_await store_.promote(now);
  if (!done) fail(std::move(done.error()));
  co_await promoted.put({});
}

// Leases round by round, so that a small window is shared by all lanes. True if anything was
// leased. What is due is promoted in part: what is left wakes the claimer when that is done.
task<bool> engine_core::claim_ready(claimer_state& state) {
  const auto now = scheduler::current().system_now();
  if (state.lanes.size() >= state.forget_at) {
    std::erase_if(state.lanes, [&](const auto& each) { return each.second.is_as_new(now); });
    state.forget_at = std::max(lanes_at_rest, 2 * state.lanes.size());
  }
  // With a full window nothing is promoted: more at once when there is room again.
  state.wake = state.is_promoting || !may_claim(state) ? std::nullopt : store_.next_due();
  if (state.wake && *state.wake <= now) {
    state.wake.reset();
    state.is_promoting = true;
    state.promotions->go(promote(now, state.promoted));
  }
  bool any = false;
  if (!may_claim(state)) co_return any;
  auto names = store_.ready_lanes();
  while (!names.empty() && may_claim(state)) {
    const std::size_t share =
        std::max<std::size_t>(1, (options_.window - state.in_window) / names.size());
    const auto begin = static_cast<std::ptrdiff_t>(state.next_lane % names.size());
    std::rotate(names.begin(), names.begin() + begin, names.end());
    std::vector<std::string> more;
    for (auto& name : names) {
      if (!may_claim(state)) break;
      ++state.next_lane;
      const std::size_t room = options_.window - state.in_window;
      if (co_await claim_lane(state, name, std::min(share, room)) > 0) {
        any = true;
        more.push_back(std::move(name));
      }
    }
    names = std::move(more);
  }
  co_return any;
}

// A permit is held before a lease is asked for, and given back if there was nothing to lease.
task<std::size_t> engine_core::claim_lane(claimer_state& state, std::string name,
                                          std::size_t most) {
  const auto now = scheduler::current().system_now();
  auto& from = lane_of(state, name);
  std::size_t permits = 0;
  while (permits < most && from.try_acquire(now)) ++permits;
  if (permits < most) soonest(state.wake, from.next_permit(now));
  if (permits == 0) co_return 0;

  const auto guard = co_await shield();  // what was leased must be heard of
  auto leased = co_await store_.lease(std::move(name), permits, now + lease_for_);
  const std::size_t count = leased ? leased->size() : 0;
  for (std::size_t i = count; i < permits; ++i) from.release_unused();
  if (!leased) {
    fail(std::move(leased.error()));
    co_return 0;
  }
  state.in_window += count;
  for (auto& machine : *leased) {
    held_.add(machine);
    co_await claimed_.put(std::move(machine));
  }
  co_return count;
}

}  // namespace wherry
