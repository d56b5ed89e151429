// SPDX-License-Identifier: Apache-2.0
#pragma once
// A process: one chain of tasks that runs on its own, as started by `go`, `scope::go` or
// `scheduler::run`. It waits for at most one thing at a time, and this file decides, in one atomic
// word, who ends that wait. Nothing else arbitrates: not channels, not selects, not scopes.
//
// Invariants
// 1. `parked` is set by the process itself, as the last act before it stops running, after every
//    queue that may wake it holds its waiter.
// 2. Whoever clears `parked` (a claim) owns the wake-up: exactly one claim succeeds a wait. So of
//    the cases of a select one commits, and a cancellation cannot take back a delivered value.
// 3. A claimant calls `wake` once, and touches neither process nor waiter afterwards.
// 4. A process that was woken removes the waiters that are still queued before it goes on. Until
//    then they may be read, under their channel's lock, by others; a failed claim tells them to
//    skip.
// 5. A cancelled process does not park, unless shielded.

#include <atomic>
#include <coroutine>
#include <cstdint>

namespace wherry {

class scheduler;

/// Unwinds a task whose scope was cancelled. Not a std::exception, so that a handler for errors
/// does not swallow it; catch it only to clean up, and rethrow.
struct cancelled {};

namespace detail {

class process {
 public:
  explicit process(scheduler* home) noexcept : scheduler_(home) {}
  process(const process&) = delete;
  process& operator=(const process&) = delete;

  /// Starts a wait: from now on `claim` may succeed and `resume` may be called, on any thread.
  /// False if the process is cancelled and must not wait.
  [[nodiscard]] bool park(std::coroutine_handle<> resume) noexcept {
    resume_ = resume;
    auto word = word_.load(std::memory_order_relaxed);
    do {
      if ((word & cancel_bit) != 0 && word < shield_unit) return false;
    } while (!word_.compare_exchange_weak(word, word | parked_bit, std::memory_order_acq_rel,
                                          std::memory_order_relaxed));
    return true;
  }

  /// Ends the wait, for the caller to wake. False: another claim was first.
  [[nodiscard]] bool claim() noexcept {
    auto word = word_.load(std::memory_order_relaxed);
    while ((word & parked_bit) != 0) {
      if (word_.compare_exchange_weak(word, word & ~parked_bit, std::memory_order_acq_rel,
                                      std::memory_order_relaxed)) {
        return true;
      }
    }
    return false;
  }

  /// Makes a claimed process runnable. The process may be gone when this returns.
  void wake() noexcept;

  /// Asks the process to unwind. True: it was waiting, and the caller must wake it.
  [[nodiscard]] bool cancel() noexcept {
    // In one step: between a mark and a claim the process could shield itself and park anew.
    auto word = word_.load(std::memory_order_relaxed);
    for (;;) {
      const bool ends_wait = word < shield_unit && (word & parked_bit) != 0;
      const auto wanted = (word | cancel_bit) & ~(ends_wait ? parked_bit : 0);
      if (word_.compare_exchange_weak(word, wanted, std::memory_order_acq_rel,
                                      std::memory_order_relaxed)) {
        return ends_wait;
      }
    }
  }

  /// Whether its wait can still be claimed. Requires: the lock of a channel that holds its waiter.
  [[nodiscard]] bool is_parked() const noexcept {
    return (word_.load(std::memory_order_acquire) & parked_bit) != 0;
  }

  [[nodiscard]] bool cancel_requested() const noexcept {
    return (word_.load(std::memory_order_acquire) & cancel_bit) != 0;
  }

  void shield() noexcept { word_.fetch_add(shield_unit, std::memory_order_acq_rel); }
  void unshield() noexcept { word_.fetch_sub(shield_unit, std::memory_order_acq_rel); }

  [[nodiscard]] scheduler* home() const noexcept { return scheduler_; }

  // Links of the list of the owning scope; guarded by its lock.
  process* previous_in_scope_ = nullptr;
  process* next_in_scope_ = nullptr;

 private:
  // word_: bit 0 parked, bit 1 cancelled, from bit 2 the count of shields.
  static constexpr std::uint32_t parked_bit = 1, cancel_bit = 2, shield_unit = 4;

  std::atomic<std::uint32_t> word_{0};
  scheduler* scheduler_;            // null: a blocked_thread
  std::coroutine_handle<> resume_;  // valid while parked
};

/// What every promise of ours carries: the process that it runs in.
struct promise_base {
  process* process_ = nullptr;
};

}  // namespace detail
}  // namespace wherry
