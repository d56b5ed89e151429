// SPDX-License-Identifier: Apache-2.0
// The claimer: leases what may run now, and otherwise waits for the one thing that can change that:
// a step that ends, a record, new ready work, or time.

#include <algorithm>
#include <utility>

#include "wherry/csp/select.hpp"
#include "wherry/csp/timeout.hpp"
#include "wherry/engine/engine_core.hpp"

namespace wherry {

struct engine_core::claimer_state {
  std::map<std::string, lane, std::less<>> lanes;
  std::size_t in_window = 0;       // leased and not yet recorded
  std::size_t first_lane = 0;      // where the next round begins: no lane is always last
  std::optional<system_time> wake; // when time alone may let something run
};

namespace {

/// The earlier of two times, one of which may not be known.
void soonest(std::optional<system_time>& best, std::optional<system_time> other) {
  if (other && (!best || *other < *best)) best = other;
}

/// A timeout for a time of the calendar; one that never closes if there is none.
channel<std::monostate> alarm(std::optional<system_time> at) {
  if (!at) return {};
  return timeout(std::max<duration>(*at - scheduler::current().system_now(), duration::zero()));
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
  if (heard.lane.empty()) return;
  auto& ran_in = lane_of(state, heard.lane);
  ran_in.release();
  if (heard.parked_until) ran_in.park(*heard.parked_until);
}

task<> engine_core::claim(run_until until) {
  claimer_state state;
  for (const auto& each : store_.lane_states()) {
    lane_of(state, each.lane).park(each.parked_until);
  }
  const auto signal = store_.ready_signal();
  for (;;) {
    while (auto heard = returned_.poll()) hear(state, *heard);
    const bool idle = !co_await claim_ready(state);
    if (until == run_until::drained && idle && state.in_window == 0 && !store_.next_due() &&
        store_.ready_lanes().empty()) {
      break;
    }
    const auto chosen = co_await select(stop_.take(), returned_.take(), signal.take(),
                                        alarm(state.wake).take());
    if (chosen.index() == 0) break;
    if (chosen.index() == 1) hear(state, *std::get<1>(chosen));
  }
  claimed_.close();
}

// Leases round by round, so that a small window is shared by all lanes. True if anything was leased.
task<bool> engine_core::claim_ready(claimer_state& state) {
  const auto now = scheduler::current().system_now();
  state.wake = store_.next_due();
  if (state.wake && *state.wake <= now) {
    auto promoted = co_await store_.promote(now);
    if (!promoted) fail(std::move(promoted.error()));
    state.wake = store_.next_due();
  }
  bool any = false;
  auto names = store_.ready_lanes();
  while (!names.empty() && state.in_window < options_.window) {
    const std::size_t share =
        std::max<std::size_t>(1, (options_.window - state.in_window) / names.size());
    std::rotate(names.begin(), names.begin() + static_cast<std::ptrdiff_t>(
                                                   state.first_lane++ % names.size()),
                names.end());
    std::vector<std::string> more;
    for (auto& name : names) {
      const std::size_t room = options_.window - state.in_window;
      if (room == 0) break;
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

  auto leased = co_await store_.lease(
      std::move(name), permits, now + std::chrono::ceil<std::chrono::milliseconds>(lease_for_));
  const std::size_t count = leased ? leased->size() : 0;
  for (std::size_t i = count; i < permits; ++i) from.release_unused();
  if (!leased) {
    fail(std::move(leased.error()));
    co_return 0;
  }
  state.in_window += count;
  for (auto& machine : *leased) co_await claimed_.put(std::move(machine));
  co_return count;
}

}  // namespace wherry
