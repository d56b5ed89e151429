// SPDX-License-Identifier: Apache-2.0
#pragma once
// A lock for the few instructions that change a channel. One byte, no system call when free; a
// waiter spins briefly and then yields its time slice, since the holder may have lost its own.
// Never held over a suspension or a user's function other than T's move and those of a transform. A
// channel wakes after it; a scope that cancels wakes under it, so that none of its processes can be
// gone.

#include <atomic>
#include <thread>

#include "wherry/csp/assert.hpp"

namespace wherry::detail {

class spinlock;

/// A lock that this thread holds while it runs functions of a user. One that comes back to the same
/// channel would wait for itself: lock_slowly finds that.
class user_code_under {
 public:
  explicit user_code_under(const spinlock& held) noexcept : held_(held), outer_(innermost) {
    innermost = this;
  }
  user_code_under(const user_code_under&) = delete;
  user_code_under& operator=(const user_code_under&) = delete;
  ~user_code_under() { innermost = outer_; }

  [[nodiscard]] static bool holds(const spinlock& wanted) noexcept {
    for (const auto* each = innermost; each != nullptr; each = each->outer_) {
      if (&each->held_ == &wanted) return true;
    }
    return false;
  }

 private:
  inline static constinit thread_local const user_code_under* innermost = nullptr;
  const spinlock& held_;
  const user_code_under* outer_;
};

class spinlock {
 public:
  void lock() noexcept {
    if (!held_.exchange(true, std::memory_order_acquire)) [[likely]]
      return;
    lock_slowly();
  }
  void unlock() noexcept { held_.store(false, std::memory_order_release); }

 private:
  void lock_slowly() noexcept {
    WHERRY_ASSERT(!user_code_under::holds(*this),
                  "a function of a transform uses the channel that it runs in: it would wait for "
                  "itself");
    int tries = 0;
    do {
      while (held_.load(std::memory_order_relaxed)) {
        if (++tries > spins_before_yield) std::this_thread::yield();
#if defined(__x86_64__)
        else
          __builtin_ia32_pause();
#endif
      }
    } while (held_.exchange(true, std::memory_order_acquire));
  }

  static constexpr int spins_before_yield = 64;
  std::atomic<bool> held_{false};
};

}  // namespace wherry::detail
