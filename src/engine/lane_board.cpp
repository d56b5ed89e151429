// SPDX-License-Identifier: Apache-2.0
// Whose turn it is. How calls are paid for is in calls.cpp.

#include "wherry/engine/lane_board.hpp"

#include <algorithm>
#include <utility>

#include "lane_entry.hpp"
#include "wherry/csp/assert.hpp"

namespace wherry::detail {

bool lane_board::further_behind::operator()(const entry* a, const entry* b) const noexcept {
  return a->at != b->at ? a->at < b->at : a->name < b->name;
}

lane_board::lane_board(lane_board_options options)
    : options_(std::move(options)),
      limits_states_(options_.in_flight_else > 0 ||
                     std::ranges::any_of(options_.in_flight,
                                         [](const auto& each) { return each.second > 0; })) {}

lane_board::~lane_board() = default;

void lane_board::restore(const lane_state& kept, system_time now) {
  const std::lock_guard guard(mutex_);
  auto& each = entry_of(kept.lane);
  if (!kept.is_stopped) each.limit.park(kept.parked_until);
  each.limit.restore(kept.memory, now);
  each.kept = kept.memory;
}

lane_board::entry& lane_board::entry_of(std::string_view name) {
  const auto found = lanes_.find(name);
  if (found != lanes_.end()) return found->second;
  const auto limits = options_.limits ? options_.limits(name) : lane_limits{};
  return lanes_.emplace(std::string(name), entry(std::string(name), limits)).first->second;
}

// Null: the state has no limit.
lane_board::slots* lane_board::slots_of(std::string_view state) {
  if (!limits_states_) return nullptr;
  if (const auto found = states_.find(state); found != states_.end()) return &found->second;
  const auto limit = options_.in_flight.find(state);
  const auto most = limit == options_.in_flight.end() ? options_.in_flight_else : limit->second;
  if (most == 0) return nullptr;
  return &states_.emplace(std::string(state), slots{.most = most}).first->second;
}

void lane_board::forget_resting(system_time now) {
  const auto resting = [this] { return lanes_.size() - ready_count_; };
  if (resting() < forget_at_) return;
  std::erase_if(ready_, [](const entry* each) { return !each->is_ready; });
  std::erase_if(lanes_, [&](const auto& each) {
    const auto& [name, lane] = each;
    return !lane.is_ready && lane.stands == place::nowhere && lane.calls_waiting == 0 &&
           lane.limit.is_as_new(now);
  });
  forget_at_ = std::max(lanes_at_rest, 2 * resting());
}

void lane_board::set_ready(std::vector<std::string> names, system_time now) {
  const std::lock_guard guard(mutex_);
  // Most often nothing has changed, and a comparison is cheaper than a search for each.
  if (ready_count_ == names.size() && names == ready_names_) return;
  auto before = std::exchange(ready_, {});
  for (auto* each : before) set_is_ready(*each, false);
  for (const auto& name : names) {
    auto& each = entry_of(name);
    set_is_ready(each, true);
    ready_.push_back(&each);
    if (each.stands == place::nowhere) find_place(each, now);
  }
  for (auto* each : before) {
    if (!each->is_ready) take_out(*each);
  }
  ready_names_ = std::move(names);
}

void lane_board::set_is_ready(entry& each, bool is_ready) {
  if (std::exchange(each.is_ready, is_ready) == is_ready) return;
  is_ready ? ++ready_count_ : --ready_count_;
}

void lane_board::take_out(entry& each) {
  switch (std::exchange(each.stands, place::nowhere)) {
    case place::runnable:
      runnable_.erase(&each);
      runnable_weight_ -= each.limit.limits().weight;
      if (runnable_.empty()) runnable_weight_ = 0;  // no error of rounding is carried on
      if (each.full != nullptr) --each.full->offered;
      break;
    case place::aside_until_time: timed_.erase({each.wake, &each}); break;
    case place::aside_for_state: each.full->waiting.erase(&each); break;
    case place::aside_until_event:
    case place::has_turn:
    case place::nowhere: break;
  }
}

void lane_board::make_runnable(entry& each) {
  take_out(each);
  each.at = std::max(each.at, turn_at_);
  each.stands = place::runnable;
  runnable_.insert(&each);
  runnable_weight_ += each.limit.limits().weight;
  if (each.full != nullptr) ++each.full->offered;
}

// Requires: it is ready, and stands nowhere.
void lane_board::find_place(entry& each, system_time now) {
  const auto next = each.limit.next_permit(now);
  if (each.calls_waiting == 0 && next && *next <= now) {
    make_runnable(each);
  } else {
    stand_aside(each, now);
  }
}

// For what its limits lack now.
void lane_board::stand_aside(entry& each, system_time now) {
  each.full = nullptr;
  const auto next =
      each.calls_waiting > 0 ? std::optional<system_time>() : each.limit.next_permit(now);
  if (!next) {
    each.stands = place::aside_until_event;
    return;
  }
  each.stands = place::aside_until_time;
  each.wake = std::max(*next, now + std::chrono::milliseconds(1));
  timed_.emplace(each.wake, &each);
}

void lane_board::stand_aside_for(entry& each, slots& state) {
  each.full = &state;
  each.stands = place::aside_for_state;
  state.waiting.insert(&each);
}

// A clock that was set back makes no lane wait for the time that was: all are looked at again.
void lane_board::wake_due(system_time now) {
  const bool was_set_back = now < std::exchange(seen_, now);
  while (!timed_.empty() && (was_set_back || timed_.begin()->first <= now)) {
    make_runnable(*timed_.begin()->second);
  }
}

// As many lanes look again for room in a state as it has.
void lane_board::offer_slots() {
  for (auto& [name, state] : states_) {
    while (!state.waiting.empty() && state.offered < state.free()) {
      make_runnable(**state.waiting.begin());
    }
  }
}

void lane_board::begin_round() {
  const std::lock_guard guard(mutex_);
  round_.turns_left = 0;
}

// In proportion to its weight among those that were runnable when the round began.
std::size_t lane_board::share_of(const entry& each, std::size_t room) {
  const auto weight = each.limit.limits().weight;
  if (round_.turns_left == 0) {
    round_ = {.turns_left = runnable_.size() + 1,
              .room = static_cast<double>(room),
              .weight = runnable_weight_ + weight};
  }
  --round_.turns_left;
  const auto share = static_cast<std::size_t>(round_.room * weight / round_.weight);
  return std::clamp<std::size_t>(share, 1, room);
}

std::optional<lane_turn> lane_board::next_turn(std::size_t room, system_time now) {
  const std::lock_guard guard(mutex_);
  WHERRY_ASSERT(room > 0, "a turn needs room");
  forget_resting(now);
  wake_due(now);
  for (;;) {
    offer_slots();
    if (runnable_.empty()) return std::nullopt;
    auto& each = **runnable_.begin();
    take_out(each);
    turn_at_ = std::max(turn_at_, each.at);
    auto most = share_of(each, room);
    if (each.full != nullptr) {
      if (each.full->free() == 0) {
        stand_aside_for(each, *each.full);
        continue;
      }
      most = std::min(most, each.full->free());
    }
    const auto first =
        each.calls_waiting > 0 ? std::optional<permit>() : each.limit.try_acquire(now);
    if (!first) {
      stand_aside(each, now);
      continue;
    }
    lane_turn turn{.lane = each.name, .permits = 1, .each = *first};
    while (turn.permits < most && !first->is_probe && each.limit.try_acquire(now)) ++turn.permits;
    each.stands = place::has_turn;
    return turn;
  }
}

bool lane_board::begin_step(std::string_view state) {
  const std::lock_guard guard(mutex_);
  auto* const limited = slots_of(state);
  if (limited == nullptr) return true;
  if (limited->free() == 0) return false;
  ++limited->running;
  return true;
}

void lane_board::end_turn(const lane_turn& of, std::size_t leased, std::size_t run,
                          std::string_view full, system_time now) {
  const std::lock_guard guard(mutex_);
  auto& each = entry_of(of.lane);
  WHERRY_ASSERT(each.stands == place::has_turn && run <= of.permits, "a turn ends once");
  for (auto i = run; i < of.permits; ++i) each.limit.release_unused(of.each);
  each.at += static_cast<double>(run) / each.limit.limits().weight;
  each.stands = place::nowhere;
  each.full = nullptr;
  if (leased == 0) {
    set_is_ready(each, false);
  } else if (auto* const state = full.empty() ? nullptr : slots_of(full); state != nullptr) {
    stand_aside_for(each, *state);
  } else {
    find_place(each, now);
  }
}

std::optional<system_time> lane_board::next_time() {
  const std::lock_guard guard(mutex_);
  return timed_.empty() ? std::nullopt : std::optional(timed_.begin()->first);
}

bool lane_board::wake_on_event(entry& each) {
  if (each.stands != place::aside_until_event && each.stands != place::aside_until_time) {
    return false;
  }
  make_runnable(each);
  return true;
}

bool lane_board::end_step(const lane_step& ended, system_time now) {
  bool keeps = false;
  bool changes = false;
  {
    const std::lock_guard guard(mutex_);
    auto& each = entry_of(ended.lane);
    if (ended.news) {
      each.limit.release(ended.used, *ended.news, now);
    } else {
      each.limit.release_unused(ended.used);
    }
    if (ended.parked_until) each.limit.park(*ended.parked_until);
    if (ended.stopped) {
      each.limit.park(ended.stopped->until);
      each.stopped_by = ended.stopped->error;
      each.stopped_until = ended.stopped->until;
    } else if (ended.news == lane_news::good && now >= each.stopped_until) {
      each.stopped_by.clear();  // earlier it is a step that had begun before
    }
    keeps = each.limit.has_memory();
    changes = wake_on_event(each);
    if (auto* const state = slots_of(ended.state); state != nullptr) {
      --state->running;
      changes = changes || !state->waiting.empty();
    }
  }
  if (changes) changed_.offer(std::monostate{});
  return keeps;
}

std::map<std::string, std::string> lane_board::stopped() {
  const std::lock_guard guard(mutex_);
  std::map<std::string, std::string> all;
  for (const auto& [name, lane] : lanes_) {
    if (!lane.stopped_by.empty()) all.emplace(name, lane.stopped_by);
  }
  return all;
}

bool lane_board::all_are_stopped() {
  const std::lock_guard guard(mutex_);
  return ready_count_ > 0 && std::ranges::all_of(ready_, [](const entry* each) {
           return !each->is_ready || !each->stopped_by.empty();
         });
}

std::optional<lane_memory> lane_board::news_to_keep(entry& each) {
  auto now_kept = each.limit.keep();
  if (now_kept == each.kept) return std::nullopt;
  each.kept = now_kept;
  return now_kept;
}

std::optional<lane_memory> lane_board::memory_of(std::string_view lane) {
  const std::lock_guard guard(mutex_);
  return news_to_keep(entry_of(lane));
}

bool lane_board::has_paid_calls() {
  const std::lock_guard guard(mutex_);
  return !paid_.empty();
}

std::vector<std::pair<std::string, lane_memory>> lane_board::memories_of_calls() {
  const std::lock_guard guard(mutex_);
  std::vector<std::pair<std::string, lane_memory>> all;
  for (const auto& lane : std::exchange(paid_, {})) {
    if (auto memory = news_to_keep(entry_of(lane))) all.emplace_back(lane, *std::move(memory));
  }
  return all;
}

}  // namespace wherry::detail
