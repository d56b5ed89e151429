// SPDX-License-Identifier: Apache-2.0
#pragma once
// A lock for the few instructions that change a channel. One byte, no system call when free; a
// waiter spins briefly and then yields its time slice, since the holder may have lost its own.
// Never held over a suspension or a user's function other than T's move and those of a transform. A
// channel wakes after it; a scope that cancels wakes under it, so that none of its processes can be
// gone.
//
// `Atomic` is std::atomic, and `Relax` what a waiter does between two looks; a model checker has
// its own of both (tests/csp/model).

#include <atomic>
#include <thread>

#include "wherry/csp/assert.hpp"

namespace wherry::detail {

/// A lock that this thread holds while it runs functions of a user. One that comes back to the same
/// channel would wait for itself: lock_slowly finds that.
class user_code_under {
 public:
  /// `held` is a lock's address.
  explicit user_code_under(const void* held) noexcept : held_(held), outer_(innermost) {
    innermost = this;
  }
  user_code_under(const user_code_under&) = delete;
  user_code_under& operator=(const user_code_under&) = delete;
  ~user_code_under() { innermost = outer_; }

  [[nodiscard]] static bool holds(const void* wanted) noexcept {
    for (const auto* each = innermost; each != nullptr; each = each->outer_) {
      if (each->held_ == wanted) return true;
    }
    return false;
  }

 private:
  inline static constinit thread_local const user_code_under* innermost = nullptr;
  const void* held_;
  const user_code_under* outer_;
};

/// Spins, each time for longer, then yields.
struct spin_then_yield {
  void operator()(int tries) const noexcept {
    if (tries > spins_before_yield) return std::this_thread::yield();
#if defined(__x86_64__)
    for (int i = 0; i < (4 << tries); ++i) __builtin_ia32_pause();
#endif
  }
  static constexpr int spins_before_yield = 5;
};

template <template <class> class Atomic = std::atomic, class Relax = spin_then_yield>
class basic_spinlock {
 public:
  void lock() noexcept {
    if (!held_.exchange(true, std::memory_order_acquire)) [[likely]]
      return;
    lock_slowly();
  }
  void unlock() noexcept { held_.store(false, std::memory_order_release); }

 private:
  void lock_slowly() noexcept {
    WHERRY_ASSERT(!user_code_under::holds(this),
                  "a function of a transform uses the channel that it runs in: it would wait for "
                  "itself");
    int tries = 0;
    do {
      while (held_.load(std::memory_order_relaxed)) Relax{}(++tries);
    } while (held_.exchange(true, std::memory_order_acquire));
  }

  Atomic<bool> held_{false};
};

using spinlock = basic_spinlock<>;

}  // namespace wherry::detail
