// SPDX-License-Identifier: Apache-2.0
// The recorder: commits what steps have said, in batches, and counts it.

#include <algorithm>
#include <optional>
#include <set>
#include <utility>

#include "closing.hpp"
#include "wherry/engine/engine_core.hpp"

namespace wherry {
namespace {

constexpr std::size_t record_batch_limit = 1000;
/// So that the store has the next while it makes one durable.
constexpr std::size_t batches_under_way = 2;

void add(std::atomic<std::uint64_t>& count) { count.fetch_add(1, std::memory_order_relaxed); }

/// A place that was taken in a channel, given back however its holder ends.
class [[nodiscard]] held_place {
 public:
  explicit held_place(const channel<std::monostate>& in) : in_(in) {}
  held_place(const held_place&) = delete;
  held_place& operator=(const held_place&) = delete;
  ~held_place() { give_back(); }
  void give_back() noexcept {
    if (std::exchange(is_held_, false)) static_cast<void>(in_.poll());
  }

 private:
  channel<std::monostate> in_;
  bool is_held_ = true;
};

}  // namespace

// Shielded: also when the run is cancelled, what steps have said is recorded and its fate is known.
task<> engine_core::record() {
  const closing ended{ended_};
  const auto guard = co_await shield();
  co_await with_scope([&](scope& batches) -> task<> {
    const channel<std::monostate> under_way{fixed{batches_under_way}};
    channel<std::monostate> before;  // closed when the batch before has been told
    before.close();
    for (;;) {
      co_await under_way.put({});  // before the take: what was taken is never held over a wait
      auto first = co_await outcomes_.take();
      if (!first) break;
      std::vector<ended_step> batch;
      batch.push_back(std::move(*first));
      while (batch.size() < record_batch_limit) {
        auto more = outcomes_.poll();
        if (!more) break;
        batch.push_back(std::move(*more));
      }
      const channel<std::monostate> told;
      batches.go(record_batch(std::move(batch), under_way, before, told));
      before = told;
    }
  });
}

task<> engine_core::record_batch(std::vector<ended_step> batch, channel<std::monostate> under_way,
                                 channel<std::monostate> before, channel<std::monostate> told) {
  const closing ended{told};
  const auto guard = co_await shield();
  held_place place{under_way};
  std::vector<transition> results;
  results.reserve(batch.size());
  const bool has_memories =
      lanes_->has_paid_calls() ||
      std::ranges::any_of(batch, [](const ended_step& each) { return each.lane_keeps; });
  // One batch at a time: else what a lane knew before could be recorded after what it knows now.
  std::optional<held_place> turn;
  if (has_memories) {
    co_await memory_turn_.put({});
    turn.emplace(memory_turn_);
  }
  if (has_memories) add_lane_memories(batch);
  for (auto& each : batch) {
    each.result.token = held_.newest(each.machine);
    transition rest;  // what counting needs; a hook gets all of it
    if (on_transition_ || (on_completed_ && each.result.phase == phase::completed)) {
      rest = each.result;
    }
    rest.outcome = each.result.outcome;
    rest.phase = each.result.phase;
    results.push_back(std::exchange(each.result, std::move(rest)));
  }
  auto accepted = co_await store_.record(std::move(results));
  turn.reset();
  place.give_back();
  // A machine's next version is in a later batch, whose answer may be heard first.
  static_cast<void>(co_await before.take());
  if (!accepted) {
    fail(std::move(accepted.error()));
    for (auto& each : batch) release(std::move(each.machine));
  } else {
    for (std::size_t i = 0; i < batch.size(); ++i) {
      held_.remove(batch[i].machine);
      count(batch[i].result, (*accepted)[i]);
    }
  }
  co_await recorded_.put(batch.size());
}

// Once a lane and batch: with its last outcome.
void engine_core::add_lane_memories(std::vector<ended_step>& batch) {
  std::set<std::string_view> done;
  for (auto i = batch.size(); i-- > 0;) {
    const std::string_view lane = batch[i].machine.lane;
    if (batch[i].lane_keeps && done.insert(lane).second) {
      batch[i].result.lane_memory = lanes_->memory_of(lane);
    }
  }
  batch.front().result.other_memories = lanes_->memories_of_calls();
}

void engine_core::count(const transition& recorded, bool accepted) {
  if (!accepted) return add(counts_.refused);
  add(counts_.transitions);
  const bool has_completed = recorded.phase == phase::completed;
  if (recorded.phase == phase::dead) add(counts_.dead);
  if (has_completed) add(counts_.completed);
  if (recorded.outcome == outcome_kind::throttled) add(counts_.throttled);
  if (recorded.outcome == outcome_kind::postponed) add(counts_.postponed);
  if (recorded.outcome == outcome_kind::retried || recorded.outcome == outcome_kind::went_back) {
    add(counts_.retried);
  }
  if (!on_transition_ && !(on_completed_ && has_completed)) return;
  const std::lock_guard guard(hooks_);
  if (on_transition_) on_transition_(recorded);
  if (on_completed_ && has_completed) on_completed_(recorded);
}

}  // namespace wherry
