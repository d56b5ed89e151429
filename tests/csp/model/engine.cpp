// SPDX-License-Identifier: Apache-2.0
// The schedules: which orders there are, which of them are new, and what went wrong in one.

#include "engine.hpp"

#include <algorithm>
#include <bit>
#include <span>

#if defined(__has_feature)
#if __has_feature(thread_sanitizer)
#include <sanitizer/tsan_interface.h>
#define WHERRY_MODEL_UNDER_TSAN
#endif
#endif

namespace wherry::model::detail {
namespace {

constexpr std::size_t stack_size = 256 * 1024;
engine* exploring = nullptr;                       // whose fibers run; null: operations just happen
std::optional<std::string>* afterwards = nullptr;  // where `after` says what did not hold
std::uint32_t locations_made = 0;

}  // namespace

location::location() noexcept : number(++locations_made) {}

engine::engine(limits bounds) : bounds_(bounds), fibers_(most_threads) {
  for (auto& each : fibers_) each.stack.resize(stack_size);
#ifdef WHERRY_MODEL_UNDER_TSAN
  home_sanitizer_ = __tsan_get_current_fiber();
#endif
}

engine::~engine() {
#ifdef WHERRY_MODEL_UNDER_TSAN
  for (auto& each : fibers_) {
    if (each.sanitizer != nullptr) __tsan_destroy_fiber(each.sanitizer);
  }
#endif
}

verdict engine::explore(const scene& make) {
  verdict found;
  do {
    if (++found.runs > bounds_.runs) {
      found.violation = "more orders than the limit: the program is too large";
      return found;
    }
    locations_made = 0;
    const program subject = make();
    begin(subject);
    exploring = this;
    const bool ended = run(subject);
    exploring = nullptr;
    if (ended) {
      afterwards = &violation_;
      subject.after();
      afterwards = nullptr;
    }
    if (violation_) {
      found.violation = *violation_ + trace();
      return found;
    }
  } while (next_path());
  found.holds = true;
  return found;
}

void engine::enter(int thread) {
  engine& self = *exploring;
  auto& mine = self.fibers_[static_cast<std::size_t>(thread)];
  self.subject_->threads[static_cast<std::size_t>(thread)]();
  mine.ended = true;
#ifdef WHERRY_MODEL_UNDER_TSAN
  __tsan_switch_to_fiber(self.home_sanitizer_, 0);
#endif
  setcontext(&self.home_);
}

void engine::begin(const program& subject) {
  subject_ = &subject;
  events_.clear();
  for (std::size_t each = 0; each < subject.threads.size(); ++each) {
    auto& one = fibers_[each];
    one.ended = false;
    one.next = {};
    one.fails_for_no_reason = false;
    one.failures_left = bounds_.failures_for_no_reason;
    one.time = one.fenced = one.seen = {};
    one.time[each] = 1;
    one.last_loaded = nullptr;
    one.stores.clear();
    getcontext(&one.context);
    one.context.uc_stack.ss_sp = one.stack.data();
    one.context.uc_stack.ss_size = one.stack.size();
    one.context.uc_link = nullptr;
    const auto entry = enter;
    makecontext(&one.context, reinterpret_cast<void (*)()>(entry), 1, static_cast<int>(each));
#ifdef WHERRY_MODEL_UNDER_TSAN
    if (one.sanitizer != nullptr) __tsan_destroy_fiber(one.sanitizer);
    one.sanitizer = __tsan_create_fiber(0);
#endif
  }
}

void engine::switch_to(fiber& to) {
#ifdef WHERRY_MODEL_UNDER_TSAN
  __tsan_switch_to_fiber(to.sanitizer, 0);
#endif
  swapcontext(&home_, &to.context);
}

void engine::stop_before(operation next) {
  auto& mine = fibers_[running_];
  mine.next = next;
#ifdef WHERRY_MODEL_UNDER_TSAN
  __tsan_switch_to_fiber(home_sanitizer_, 0);
#endif
  swapcontext(&mine.context, &home_);
}

void engine::fail(const std::string& what) {
  if (!violation_) violation_ = what;
  for (;;) stop_before({});
}

bool engine::run(const program& subject) {
  for (unsigned each = 0; each < subject.threads.size(); ++each) {
    running_ = each;  // up to its first operation
    switch_to(fibers_[each]);
  }
  for (std::size_t depth = 0; !violation_; ++depth) {
    if (depth == path_.size()) {
      node fresh = look(depth == 0 ? nullptr : &path_[depth - 1]);
      if (fresh.enabled == 0) {
        const auto all = std::span(fibers_).first(subject.threads.size());
        if (std::ranges::all_of(all, &fiber::ended)) return true;
        violation_ = "nothing can go on: " + who_waits();
        return false;
      }
      const auto open = static_cast<pick_set>(fresh.enabled & ~fresh.asleep);
      if (open == 0) return false;
      fresh.chosen = static_cast<unsigned>(std::countr_zero(open));
      path_.push_back(fresh);
    }
    carry_out(path_[depth]);
  }
  return false;
}

bool engine::next_path() {
  while (!path_.empty()) {
    node& last = path_.back();
    last.done |= bit(last.chosen);
    const auto open = static_cast<pick_set>(last.enabled & ~last.asleep & ~last.done);
    if (open != 0) {
      last.chosen = static_cast<unsigned>(std::countr_zero(open));
      return true;
    }
    path_.pop_back();
  }
  return false;
}

engine::node engine::look(const node* before) const {
  node here;
  if (before != nullptr) here.asleep = asleep_after(*before);
  for (unsigned thread = 0; thread < subject_->threads.size(); ++thread) {
    const auto& one = fibers_[thread];
    const auto number = static_cast<std::uint8_t>(thread);
    const auto add = [&](unsigned pick, footprint touch) {
      here.enabled |= bit(pick);
      here.touch[pick] = touch;
    };
    if (!one.ended && can_go_on(thread)) {
      const auto& next = one.next;
      const footprint touch{next.where != nullptr ? next.where->number : 0,
                            next.also != nullptr ? next.also->number : 0, next.writes, number};
      if (next.what == kind::buffer) {  // touches no other: no need to try it later
        here.enabled = 0;
        add(thread, touch);
        return here;
      }
      add(thread, touch);
      if (next.what == kind::exchange_if && next.option && one.failures_left > 0) {
        add(2 * most_threads + thread, {touch.where, 0, false, number});
      }
    }
    if (!one.stores.empty()) {
      add(most_threads + thread, {one.stores.front().where->number, 0, true, number});
    }
  }
  return here;
}

engine::pick_set engine::asleep_after(const node& before) {
  pick_set still = 0;
  const auto slept = static_cast<pick_set>(before.asleep | before.done);
  for (unsigned pick = 0; pick < picks; ++pick) {
    if ((slept & bit(pick)) == 0 || (before.enabled & bit(pick)) == 0) continue;
    if (independent(before.touch[pick], before.touch[before.chosen])) still |= bit(pick);
  }
  return still;
}

bool engine::independent(const footprint& a, const footprint& b) {
  if (a.thread == b.thread) return false;
  if (!a.writes && !b.writes) return true;
  const auto meet = [](std::uint32_t x, std::uint32_t y) { return x != 0 && x == y; };
  return !meet(a.where, b.where) && !meet(a.where, b.also) && !meet(a.also, b.where) &&
         !meet(a.also, b.also);
}

bool engine::can_go_on(unsigned thread) const {
  const auto& one = fibers_[thread];
  const auto& next = one.next;
  if (next.drained && !one.stores.empty()) return false;
  switch (next.what) {
    case kind::lock: return next.where->value == 0;
    case kind::await: return next.where->version != one.last_version;
    case kind::woken:
      return next.where->value == 0 &&
             (next.option || std::ranges::any_of(next.also->wakes, [&](std::uint32_t whom) {
                return (whom >> thread & 1) != 0;
              }));
    default: return true;
  }
}

void engine::carry_out(const node& at) {
  const unsigned pick = at.chosen;
  const unsigned thread = pick % most_threads;
  auto& one = fibers_[thread];
  running_ = thread;
  if (pick / most_threads == 1) {
    events_.push_back(
        {pick, kind::flush, one.stores.front().where->number, one.stores.front().value});
    flush(one);
    return;
  }
  events_.push_back(
      {pick, one.next.what, one.next.where != nullptr ? one.next.where->number : 0, 0});
  if (pick / most_threads == 2) {
    one.fails_for_no_reason = true;
    --one.failures_left;
  }
  switch_to(one);
}

void engine::note(std::uint64_t value) {
  if (!events_.empty()) events_.back().value = value;
}

std::string engine::who_waits() const {
  std::string all;
  for (std::size_t each = 0; each < subject_->threads.size(); ++each) {
    if (!fibers_[each].ended) all += "thread " + std::to_string(each) + " waits; ";
  }
  return all;
}

std::string engine::trace() const {
  constexpr std::array names{
      "begin", "load", "store", "store (buffered)", "modify", "compare_exchange",      "fence",
      "await", "lock", "wait",  "wake up",          "notify", "buffered store is seen"};
  std::string all;
  for (const auto& [pick, what, where, value] : events_) {
    all += "\n  thread " + std::to_string(pick % most_threads) + ": " +
           names[static_cast<std::size_t>(what)] + " of #" + std::to_string(where) + " (" +
           std::to_string(value) + ")" + (pick / most_threads == 2 ? ", for no reason" : "");
  }
  return all;
}

engine* engine::here() { return exploring; }

}  // namespace wherry::model::detail

namespace wherry::model {

void expect(bool condition, const char* meaning) {
  if (condition) return;
  if (detail::exploring != nullptr) detail::exploring->fail(meaning);
  if (detail::afterwards != nullptr) *detail::afterwards = meaning;
}

verdict explore(const scene& make, limits bounds) { return detail::engine(bounds).explore(make); }

}  // namespace wherry::model
