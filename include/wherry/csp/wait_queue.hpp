// SPDX-License-Identifier: Apache-2.0
#pragma once
// Who waits at a channel, in order of arrival, and whom an operation has to wake. All of it is
// embedded in the frames of those who wait: queueing allocates nothing.

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <optional>

#include "wherry/csp/process.hpp"

namespace wherry::detail {

/// A put or take: lives in the frame of the coroutine that waits, queued in one channel.
struct waiter {
  enum class outcome : unsigned char { none, committed, closed };  // none: not (yet) chosen
  waiter() noexcept {}
  /// Nothing is copied: only what has not begun is.
  waiter(const waiter&) noexcept {}
  waiter& operator=(const waiter&) = delete;

  // Set when it is queued.
  waiter* previous;
  waiter* next;
  process* owner;
  bool queued = false;
  outcome result = outcome::none;
};

/// A take, with the place for what it will have.
template <class T>
struct take_waiter : waiter {
  std::optional<T> value;
};

/// A put: what it moves from, set when it is queued.
template <class T>
struct put_waiter : waiter {
  T* value;
};

/// Waiters in order of arrival; guarded by the channel's lock. A ring: the first one's `previous`
/// is the last.
class wait_queue {
 public:
  /// False: `limit` others wait already.
  [[nodiscard]] bool push(waiter& entry, std::size_t limit) noexcept;
  void remove(waiter& entry) noexcept;
  /// Whether there is one; without the lock, a guess.
  [[nodiscard]] bool empty() const noexcept { return first() == nullptr; }
  /// The first whose wait this call ended; null if none waits. Skips those that others claimed.
  waiter* pop_claimed() noexcept {
    while (waiter* const entry = first()) {
      remove(*entry);
      if (entry->owner->claim()) return entry;
    }
    return nullptr;
  }

 private:
  /// Takes out those whose wait another channel ended and who have not run since.
  void sweep(const process& except) noexcept;

  [[nodiscard]] waiter* first() const noexcept { return first_.load(std::memory_order_relaxed); }
  void set_first(waiter* entry) noexcept { first_.store(entry, std::memory_order_relaxed); }

  std::atomic<waiter*> first_{nullptr};
  std::uint32_t size_ = 0;
};

inline void wait_queue::remove(waiter& entry) noexcept {
  if (entry.next == &entry) {
    set_first(nullptr);
  } else {
    entry.previous->next = entry.next;
    entry.next->previous = entry.previous;
    if (first() == &entry) set_first(entry.next);
  }
  entry.queued = false;
  --size_;
}

/// Those whose waits an operation has ended, in that order; woken once its locks are given back.
class wake_list {
 public:
  /// Requires: `ended` was claimed by the caller and is in no queue.
  void add(waiter& ended) noexcept {
    ended.next = nullptr;
    (last_ != nullptr ? last_->next : first_) = &ended;
    last_ = &ended;
  }
  void wake_all() noexcept {
    while (first_ != nullptr) {
      process* const owner = first_->owner;
      first_ = first_->next;  // before the wake: the waiter goes with its frame
      owner->wake();
    }
    last_ = nullptr;
  }

 private:
  waiter* first_ = nullptr;
  waiter* last_ = nullptr;
};

}  // namespace wherry::detail
