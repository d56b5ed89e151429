// SPDX-License-Identifier: Apache-2.0
// A binary heap of embedded timers: each knows its position, so none is searched for.

#include "wherry/csp/scheduler.hpp"

namespace wherry::detail {

bool timer_heap::add(timer& entry) {
  const std::lock_guard guard(mutex_);
  heap_.push_back(&entry);
  entry.position = heap_.size() - 1;
  sift_up(entry.position);
  publish_earliest();
  return heap_.front() == &entry;
}

void timer_heap::remove(timer& entry) noexcept {
  const std::lock_guard guard(mutex_);
  if (entry.position == timer::npos) return;
  erase_at(entry.position);
  publish_earliest();
}

std::size_t timer_heap::fire_due(steady_time now) {
  const std::lock_guard guard(mutex_);
  std::size_t fired = 0;
  while (!heap_.empty() && heap_.front()->due <= now) {
    timer& entry = *heap_.front();
    erase_at(0);
    entry.fire(entry);
    ++fired;
  }
  publish_earliest();
  return fired;
}

void timer_heap::place(std::size_t position, timer* entry) noexcept {
  heap_[position] = entry;
  entry->position = position;
}

void timer_heap::sift_up(std::size_t position) noexcept {
  timer* const entry = heap_[position];
  while (position > 0) {
    const std::size_t parent = (position - 1) / 2;
    if (heap_[parent]->due <= entry->due) break;
    place(position, heap_[parent]);
    position = parent;
  }
  place(position, entry);
}

void timer_heap::sift_down(std::size_t position) noexcept {
  timer* const entry = heap_[position];
  for (;;) {
    std::size_t child = 2 * position + 1;
    if (child >= heap_.size()) break;
    if (child + 1 < heap_.size() && heap_[child + 1]->due < heap_[child]->due) ++child;
    if (entry->due <= heap_[child]->due) break;
    place(position, heap_[child]);
    position = child;
  }
  place(position, entry);
}

void timer_heap::erase_at(std::size_t position) noexcept {
  heap_[position]->position = timer::npos;
  timer* const last = heap_.back();
  heap_.pop_back();
  if (position == heap_.size()) return;
  place(position, last);
  sift_up(position);
  sift_down(last->position);
}

void timer_heap::publish_earliest() noexcept {
  const auto due = heap_.empty() ? duration::max() : heap_.front()->due.time_since_epoch();
  earliest_.store(due.count(), std::memory_order_release);
}

}  // namespace wherry::detail
