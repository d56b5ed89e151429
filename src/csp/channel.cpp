// SPDX-License-Identifier: Apache-2.0
// The queues of a channel, and its end: what does not depend on the type of its values.

#include "wherry/csp/channel.hpp"

namespace wherry::detail {

bool wait_queue::push(waiter& entry, std::size_t limit) noexcept {
  if (size_ >= limit) sweep(*entry.owner);
  if (size_ >= limit) return false;
  if (waiter* const head = first()) {
    waiter* const last = head->previous;
    entry.previous = last;
    entry.next = head;
    last->next = head->previous = &entry;
  } else {
    entry.previous = entry.next = &entry;
    set_first(&entry);
  }
  entry.queued = true;
  ++size_;
  return true;
}

// The caller's own waiters stay: it queues all of a select's before it parks.
void wait_queue::sweep(const process& except) noexcept {
  waiter* entry = first();
  for (auto left = size_; left > 0; --left) {
    waiter* const next = entry->next;
    if (entry->owner != &except && !entry->owner->is_parked()) remove(*entry);
    entry = next;
  }
}

void channel_core::close_locked(wake_list& wakes) noexcept {
  closed_ = true;
  while (waiter* const taker = takers_.pop_claimed()) {
    taker->result = waiter::outcome::closed;
    wakes.add(*taker);
  }
}

}  // namespace wherry::detail
