// SPDX-License-Identifier: Apache-2.0
#pragma once
// A lock for the few instructions that change a channel. One byte, no system call when free; a
// waiter spins briefly and then yields its time slice, since the holder may have lost its own.
// Never held over a suspension or a user's function other than T's move. A channel wakes after it;
// a scope that cancels wakes under it, so that none of its processes can be gone.

#include <atomic>
#include <thread>

namespace wherry::detail {

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
