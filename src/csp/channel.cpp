// SPDX-License-Identifier: Apache-2.0
// The queues of a channel, and its end: what does not depend on the type of its values.

#include "wherry/csp/channel.hpp"

namespace wherry::detail {

bool wait_queue::push(waiter& entry) noexcept {
  if (size_ >= waiters_limit) sweep(*entry.owner);
  if (size_ >= waiters_limit) return false;
  append(entry);
  return true;
}

// The caller's own waiters stay: it queues all of a select's before it parks.
void wait_queue::sweep(const process& except) noexcept {
  for (waiter* entry = first_; entry != nullptr;) {
    waiter* const next = entry->next;
    if (entry->owner != &except && !entry->owner->is_parked()) remove(*entry);
    entry = next;
  }
}

void wait_queue::append(waiter& entry) noexcept {
  entry.previous = last_;
  entry.next = nullptr;
  (last_ != nullptr ? last_->next : first_) = &entry;
  last_ = &entry;
  entry.queued = true;
  ++size_;
}

void wait_queue::remove(waiter& entry) noexcept {
  (entry.previous != nullptr ? entry.previous->next : first_) = entry.next;
  (entry.next != nullptr ? entry.next->previous : last_) = entry.previous;
  entry.queued = false;
  --size_;
}

waiter* wait_queue::pop_claimed() noexcept {
  while (waiter* const entry = first_) {
    remove(*entry);
    if (entry->owner->claim()) return entry;
  }
  return nullptr;
}

void channel_core::close() noexcept {
  waiter* woken = nullptr;
  lock_.lock();
  closed_ = true;
  while (waiter* const taker = takers_.pop_claimed()) {
    taker->result = waiter::outcome::closed;
    taker->next = woken;
    woken = taker;
  }
  lock_.unlock();
  // Wake in the order of arrival: the chain is its reverse.
  waiter* in_order = nullptr;
  while (woken != nullptr) in_order = std::exchange(woken, std::exchange(woken->next, in_order));
  while (in_order != nullptr) {
    process* const owner = in_order->owner;
    in_order = in_order->next;  // before the wake: the waiter goes with its frame
    owner->wake();
  }
}

}  // namespace wherry::detail
