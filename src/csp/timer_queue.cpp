// SPDX-License-Identifier: Apache-2.0
#include "wherry/csp/timer_queue.hpp"

#include <algorithm>
#include <bit>
#include <utility>

namespace wherry::detail {

// Times before the clock's zero are due at once, as is what is due already.
timer_queue::count timer_queue::due_of(const timer& entry) noexcept {
  return static_cast<count>(std::max<duration::rep>(entry.due.time_since_epoch().count(), 0));
}

timer_queue::place timer_queue::place_of(const timer& entry) const noexcept {
  const count due = std::max(due_of(entry), reached_);
  const count differs = due ^ reached_;
  const unsigned level =
      differs == 0 ? 0 : (static_cast<unsigned>(std::bit_width(differs)) - 1) / bits;
  return {level, static_cast<unsigned>(due >> (level * bits)) % slots};
}

void timer_queue::insert(timer& entry) noexcept {
  const auto [level, slot] = place_of(entry);
  timer*& head = first_[level][slot];
  entry.next = head;
  if (head != nullptr) head->link = &entry.next;
  head = &entry;
  entry.link = &head;
  used_[level] |= count{1} << slot;
}

void timer_queue::unlink(timer& entry) noexcept {
  const auto [level, slot] = place_of(entry);
  *entry.link = entry.next;
  if (entry.next != nullptr) entry.next->link = entry.link;
  entry.link = nullptr;
  if (first_[level][slot] == nullptr) used_[level] &= ~(count{1} << slot);
}

bool timer_queue::add_locked(timer& entry) noexcept {
  insert(entry);
  const auto due = static_cast<duration::rep>(std::max(due_of(entry), reached_));
  if (due >= earliest_.load(std::memory_order_relaxed)) return false;
  earliest_.store(due, std::memory_order_release);
  return true;
}

void timer_queue::remove(timer& entry) noexcept {
  const std::lock_guard guard(mutex_);
  if (entry.link == nullptr) return;
  const bool earliest = entry.due <= this->earliest();
  unlink(entry);
  if (earliest) publish_earliest();
}

// The start of a slot: the digits of reached_ above its level, then its own, then zeros.
timer_queue::count timer_queue::start_of(unsigned level, unsigned slot) const noexcept {
  const unsigned shift = level * bits;
  const count above = shift + bits >= 64 ? 0 : reached_ >> (shift + bits) << (shift + bits);
  return above | (count{slot} << shift);
}

// A slot of few levels that is past as a whole is fired as it is: what is late by more than its
// length, 4 us, need not be put in order.
std::size_t timer_queue::fire_due(steady_time now) noexcept {
  const std::lock_guard guard(mutex_);
  const auto until = static_cast<count>(now.time_since_epoch().count());
  std::size_t fired = 0;
  for (;;) {
    const auto level = static_cast<unsigned>(
        std::ranges::find_if(used_, [](count bitmap) { return bitmap != 0; }) - used_.begin());
    if (level == levels) break;
    const auto slot = static_cast<unsigned>(std::countr_zero(used_[level]));
    const count start = start_of(level, slot);
    if (start > until) break;
    reached_ = std::max(reached_, start);
    timer* entry = std::exchange(first_[level][slot], nullptr);
    used_[level] &= ~(count{1} << slot);
    const count end = start + ((count{1} << (level * bits)) - 1);
    if (level > 0 && (level > late_levels || end > until)) {
      while (entry != nullptr) insert(*std::exchange(entry, entry->next));
      continue;
    }
    while (entry != nullptr) {  // all of them are due
      timer& due = *std::exchange(entry, entry->next);
      due.link = nullptr;
      due.fire(due);
      ++fired;
    }
  }
  publish_earliest();
  return fired;
}

// A slot of few is looked through, so that nobody wakes for its start alone.
void timer_queue::publish_earliest() noexcept {
  constexpr int few = 8;
  auto earliest = static_cast<count>(duration::max().count());
  for (unsigned level = 0; level < levels; ++level) {
    if (used_[level] == 0) continue;
    const auto slot = static_cast<unsigned>(std::countr_zero(used_[level]));
    int seen = 0;
    for (const timer* entry = first_[level][slot]; entry != nullptr; entry = entry->next) {
      if (++seen > few) {
        earliest = start_of(level, slot);
        break;
      }
      earliest = std::min(earliest, std::max(due_of(*entry), reached_));
    }
    break;
  }
  earliest_.store(static_cast<duration::rep>(earliest), std::memory_order_release);
}

}  // namespace wherry::detail
