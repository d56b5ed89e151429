// SPDX-License-Identifier: Apache-2.0
#pragma once
// Pending timers, millions of them: adding and removing one is O(1), whatever their number, and
// allocates nothing.
//
// A radix heap of base 64: a timer stands at the level of the highest base-64 digit in which its
// due time differs from `reached_`, in the slot of that digit. So lower levels are due before
// higher ones, and within a level lower slots before higher ones. Once time has reached the start
// of the first slot, `reached_` moves there and the slot's timers are spread over lower levels; at
// level 0 all timers of a slot are due in the same nanosecond.
// Source: Ahuja, Mehlhorn, Orlin, Tarjan 1990 (radix heap); Varghese, Lauck 1987 (timing wheels).
//
// Invariants
// 1. No pending timer is due before `reached_`, and `reached_` is never after a `now` that was told
//    to fire_due.
// 2. Timers fire in the order of their due times, and never early.
// Threads: any; one lock, which `fire` runs under: it must be short and may not touch timers.

#include <array>
#include <atomic>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <mutex>

#include "wherry/csp/clock.hpp"

namespace wherry::detail {

/// A pending timer, embedded in what it belongs to. `fire` runs once, unless removed before.
struct timer {
  steady_time due{};
  void (*fire)(timer&) noexcept = nullptr;
  timer* next = nullptr;   // in its slot, the last one's is null
  timer** link = nullptr;  // what points to this one; null: not pending
};

class timer_queue {
 public:
  /// Adds; true if it is the earliest now.
  bool add(timer& entry) noexcept {
    const std::lock_guard guard(mutex_);
    return add_locked(entry);
  }
  enum class added { not_parked, earliest, later };
  /// Adds if `park()` is true. It is called under the lock: before it, the timer does not fire.
  template <std::predicate Park>
  added add_if(Park park, timer& entry) noexcept {
    const std::lock_guard guard(mutex_);
    if (!park()) return added::not_parked;
    return add_locked(entry) ? added::earliest : added::later;
  }
  /// Removes if still pending. When it returns, `fire` neither runs nor will run.
  void remove(timer& entry) noexcept;
  /// Fires all that are due at `now`; how many. Requires: `now` never goes back.
  std::size_t fire_due(steady_time now) noexcept;
  /// No timer is due before this; `steady_time::max()` if there is none. To fire_due at that time
  /// fires, or makes it later.
  [[nodiscard]] steady_time earliest() const noexcept {
    return steady_time{duration{earliest_.load(std::memory_order_acquire)}};
  }

 private:
  static constexpr unsigned bits = 6, slots = 1u << bits, levels = (63 + bits - 1) / bits;
  static constexpr unsigned late_levels = 2;  // whose slots may be fired in any order once past
  using count = std::uint64_t;                // nanoseconds

  struct place {
    unsigned level, slot;
  };

  [[nodiscard]] static count due_of(const timer& entry) noexcept;
  /// Where a timer stands as long as it is pending: moves of `reached_` do not change it, but for
  /// those that they spread.
  [[nodiscard]] place place_of(const timer& entry) const noexcept;
  bool add_locked(timer& entry) noexcept;
  void insert(timer& entry) noexcept;
  void unlink(timer& entry) noexcept;
  void publish_earliest() noexcept;
  [[nodiscard]] count start_of(unsigned level, unsigned slot) const noexcept;

  std::mutex mutex_;
  count reached_ = 0;
  std::array<std::uint64_t, levels> used_{};  // a bit for each slot that is not empty
  std::array<std::array<timer*, slots>, levels> first_{};
  std::atomic<duration::rep> earliest_{duration::max().count()};
};

}  // namespace wherry::detail
