// SPDX-License-Identifier: Apache-2.0
#pragma once
// Where workers sleep that found nothing to do, and how whoever adds work wakes one of them.
//
// Invariants
// 1. Work is published before `wake_one`, which only then looks for sleepers; a worker counts as a
//    sleeper before its last look for work. Of the two, one sees the other: the fences see to that.
// 2. A wake is counted under the mutex: a sleeper that has begun to wait hears it, one that has not
//    sees the count.
// 3. Who adds work to a scheduler whose workers are all busy takes no lock and makes no system
//    call.
//
// `Sync` has the atomics, mutex, condition and fence of std, or those that a model checker
// schedules (tests/csp/model).

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <mutex>

#include "wherry/csp/clock.hpp"

namespace wherry {

struct std_sync {
  template <class T>
  using atomic = std::atomic<T>;
  using mutex = std::mutex;
  using condition = std::condition_variable;
  static void fence() noexcept { std::atomic_thread_fence(std::memory_order_seq_cst); }
};

template <class Sync = std_sync>
class basic_idle_gate {
 public:
  /// Sleeps until woken, stopped, or the time that `until()` gives; not at all if `last_look()` is
  /// true: there is work.
  template <class Look, class Until>
  void sleep(Look last_look, Until until) {
    const auto before = wakes_.load(std::memory_order_acquire);
    sleepers_.fetch_add(1, std::memory_order_seq_cst);
    Sync::fence();
    if (!last_look()) {
      std::unique_lock guard(mutex_);
      const auto woken = [&] {
        return wakes_.load(std::memory_order_acquire) != before || is_stopped();
      };
      if (const steady_time due = until(); due == steady_time::max()) {
        condition_.wait(guard, woken);
      } else {
        condition_.wait_until(guard, due, woken);
      }
    }
    sleepers_.fetch_sub(1, std::memory_order_seq_cst);
  }

  /// Wakes a sleeper, if there is one. Requires: what it is to find is published.
  void wake_one() {
    Sync::fence();
    if (sleepers_.load(std::memory_order_seq_cst) == 0) return;
    {
      const std::lock_guard guard(mutex_);
      wakes_.fetch_add(1, std::memory_order_release);
    }
    condition_.notify_one();
  }

  /// Wakes all, for good.
  void stop() {
    {
      const std::lock_guard guard(mutex_);
      stopped_.store(true, std::memory_order_release);
    }
    condition_.notify_all();
  }
  [[nodiscard]] bool is_stopped() const noexcept {
    return stopped_.load(std::memory_order_acquire);
  }

 private:
  typename Sync::mutex mutex_;
  typename Sync::condition condition_;
  typename Sync::template atomic<int> sleepers_{0};
  typename Sync::template atomic<std::uint64_t> wakes_{0};
  typename Sync::template atomic<bool> stopped_{false};
};

using idle_gate = basic_idle_gate<>;

}  // namespace wherry
