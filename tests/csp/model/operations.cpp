// SPDX-License-Identifier: Apache-2.0
// What each operation does once it is picked: values, who is let go on, and who happened before
// whom.

#include <algorithm>
#include <bit>
#include <utility>

#include "engine.hpp"

namespace wherry::model {
namespace detail {
namespace {

bool acquires(std::memory_order order) {
  return order != std::memory_order_relaxed && order != std::memory_order_release;
}
bool releases(std::memory_order order) {
  return order == std::memory_order_release || order == std::memory_order_acq_rel ||
         order == std::memory_order_seq_cst;
}
void join(clocks& into, const clocks& other) {
  for (std::size_t each = 0; each < most_threads; ++each) {
    into[each] = std::max(into[each], other[each]);
  }
}

}  // namespace

void engine::apply(location& where, std::uint64_t value, const clocks& released) {
  where.value = value;
  where.released = released;
  ++where.version;
}

void engine::flush(fiber& of) {
  const auto oldest = of.stores.front();
  of.stores.pop_front();
  apply(*oldest.where, oldest.value, oldest.released);
}

void engine::learn(const location& where, std::memory_order order) {
  auto& mine = fibers_[running_];
  join(acquires(order) ? mine.time : mine.seen, where.released);
}

clocks engine::tell(std::memory_order order) {
  auto& mine = fibers_[running_];
  if (!releases(order)) return mine.fenced;
  const clocks told = mine.time;
  ++mine.time[running_];
  return told;
}

std::uint64_t engine::load(location& where, std::memory_order order) {
  stop_before({.what = kind::load, .where = &where});
  auto& mine = fibers_[running_];
  mine.last_loaded = &where;
  mine.last_version = where.version;
  const auto newest = std::find_if(mine.stores.rbegin(), mine.stores.rend(),
                                   [&](const buffered& one) { return one.where == &where; });
  if (newest != mine.stores.rend()) return note(newest->value), newest->value;
  learn(where, order);
  return note(where.value), where.value;
}

void engine::store(location& where, std::uint64_t value, std::memory_order order) {
  auto& mine = fibers_[running_];
  if (bounds_.store_buffers && order != std::memory_order_seq_cst) {
    stop_before({.what = kind::buffer});
    mine.stores.push_back({&where, value, tell(order)});
  } else {
    stop_before({.what = kind::store, .where = &where, .writes = true, .drained = true});
    apply(where, value, tell(order));
  }
  note(value);
}

std::uint64_t engine::modify(location& where, std::uint64_t (*change)(std::uint64_t, std::uint64_t),
                             std::uint64_t operand, std::memory_order order) {
  stop_before({.what = kind::modify, .where = &where, .writes = true, .drained = true});
  const auto old = where.value;
  change_to(where, change(old, operand), order);
  return old;
}

/// What reads and writes in one goes on with what an earlier release has told.
void engine::change_to(location& where, std::uint64_t value, std::memory_order order) {
  learn(where, order);
  clocks told = tell(order);
  join(told, where.released);
  apply(where, value, told);
  note(value);
}

bool engine::exchange_if(location& where, std::uint64_t& expected, std::uint64_t wanted,
                         std::memory_order success, std::memory_order failure, bool may_fail) {
  stop_before({.what = kind::exchange_if,
               .where = &where,
               .writes = true,
               .drained = true,
               .option = may_fail});
  auto& mine = fibers_[running_];
  mine.last_loaded = &where;
  mine.last_version = where.version;
  const bool fails = std::exchange(mine.fails_for_no_reason, false);
  if (where.value == expected && !fails) {
    change_to(where, wanted, success);
    return true;
  }
  learn(where, failure);
  expected = where.value;
  note(expected);
  return false;
}

void engine::fence() {
  stop_before({.what = kind::fence, .drained = true});
  auto& mine = fibers_[running_];
  join(mine.time, mine.seen);
  mine.fenced = mine.time;
  ++mine.time[running_];
}

void engine::await_change() {
  stop_before({.what = kind::await, .where = fibers_[running_].last_loaded});
}

void engine::lock(location& mutex) {
  stop_before({.what = kind::lock, .where = &mutex, .writes = true, .drained = true});
  change_to(mutex, 1, std::memory_order_acquire);
}

void engine::wait(location& condition, location& mutex, bool timed) {
  stop_before(
      {.what = kind::wait, .where = &mutex, .also = &condition, .writes = true, .drained = true});
  const auto self = std::uint32_t{1} << running_;
  condition.waiting |= self;
  apply(mutex, 0, tell(std::memory_order_release));
  stop_before({.what = kind::woken,
               .where = &mutex,
               .also = &condition,
               .writes = true,
               .drained = true,
               .option = timed});
  auto& wakes = condition.wakes;
  const auto mine =
      std::ranges::find_if(wakes, [&](std::uint32_t whom) { return (whom & self) != 0; });
  if (mine != wakes.end()) wakes.erase(mine);
  condition.waiting &= ~self;
  for (auto& whom : wakes) whom &= ~self;
  std::erase(wakes, 0U);
  change_to(mutex, 1, std::memory_order_acquire);
}

// A wake is for one of those who wait now; who of them takes it is open.
void engine::notify(location& condition, bool all) {
  stop_before({.what = kind::notify, .where = &condition, .writes = true});
  do {
    if (static_cast<std::size_t>(std::popcount(condition.waiting)) <= condition.wakes.size())
      return;
    condition.wakes.push_back(condition.waiting);
  } while (all);
}

void engine::read(const access_history& of) {
  const auto& mine = fibers_[running_];
  if (of.writer >= 0 && of.written > mine.time[static_cast<std::size_t>(of.writer)]) {
    fail("a plain value is read while thread " + std::to_string(of.writer) + " may write it");
  }
  of.read[running_] = mine.time[running_];
}

void engine::write(access_history& of) {
  const auto& mine = fibers_[running_];
  read(of);
  for (std::size_t each = 0; each < most_threads; ++each) {
    if (of.read[each] > mine.time[each]) {
      fail("a plain value is written while thread " + std::to_string(each) + " may read it");
    }
  }
  of.writer = static_cast<int>(running_);
  of.written = mine.time[running_];
}

// Outside the threads of a program nothing is scheduled.
std::uint64_t load(location& where, std::memory_order order) {
  engine* const in = engine::here();
  return in != nullptr ? in->load(where, order) : where.value;
}
void store(location& where, std::uint64_t value, std::memory_order order) {
  if (engine* const in = engine::here()) return in->store(where, value, order);
  where.value = value;
}
bool exchange_if(location& where, std::uint64_t& expected, std::uint64_t wanted,
                 std::memory_order success, std::memory_order failure, bool may_fail) {
  if (engine* const in = engine::here()) {
    return in->exchange_if(where, expected, wanted, success, failure, may_fail);
  }
  if (where.value != expected) return expected = where.value, false;
  return where.value = wanted, true;
}
std::uint64_t modify(location& where, std::uint64_t (*change)(std::uint64_t, std::uint64_t),
                     std::uint64_t operand, std::memory_order order) {
  if (engine* const in = engine::here()) return in->modify(where, change, operand, order);
  return std::exchange(where.value, change(where.value, operand));
}
void lock(location& mutex) {
  if (engine* const in = engine::here()) in->lock(mutex);
}
void wait(location& condition, location& mutex, bool timed) {
  if (engine* const in = engine::here()) in->wait(condition, mutex, timed);
}
void notify(location& condition, bool all) {
  if (engine* const in = engine::here()) in->notify(condition, all);
}
void read(const access_history& of) {
  if (engine* const in = engine::here()) in->read(of);
}
void write(access_history& of) {
  if (engine* const in = engine::here()) in->write(of);
}

}  // namespace detail

void fence() {
  if (auto* const in = detail::engine::here()) in->fence();
}
void await_change() {
  if (auto* const in = detail::engine::here()) in->await_change();
}

}  // namespace wherry::model
