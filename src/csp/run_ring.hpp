// SPDX-License-Identifier: Apache-2.0
#pragma once
// Runnable coroutines of one worker, in order. Only the worker pushes; anyone may take.
// Source: Go, runtime/proc.go, runqput, runqget, runqgrab.
//
// Invariant: what lies between head and tail is there to be taken; who moves head over it has it. A
// slot is written again only after head has passed it, so a take that read too late fails.
//
// `Atomic` is std::atomic, or what a model checker schedules (tests/csp/model).

#include <algorithm>
#include <array>
#include <atomic>
#include <coroutine>
#include <cstddef>
#include <cstdint>

namespace wherry {

template <template <class> class Atomic = std::atomic, std::uint32_t Size = 256>
class basic_run_ring {
 public:
  static constexpr std::uint32_t size = Size;

  /// Worker only. False: full.
  bool push(std::coroutine_handle<> ready) noexcept {
    const auto head = head_.load(std::memory_order_acquire);
    const auto tail = tail_.load(std::memory_order_relaxed);
    if (tail - head == size) return false;
    slots_[tail % size].store(ready.address(), std::memory_order_relaxed);
    tail_.store(tail + 1, std::memory_order_release);
    return true;
  }
  /// Any thread. Null: empty.
  std::coroutine_handle<> pop() noexcept {
    std::array<std::coroutine_handle<>, 1> one;
    return grab(one) == 1 ? one[0] : nullptr;
  }
  /// Any thread. Takes the older half, at most as many as `into` holds; how many.
  template <std::size_t Most>
  std::size_t grab(std::array<std::coroutine_handle<>, Most>& into) noexcept {
    auto head = head_.load(std::memory_order_acquire);
    for (;;) {
      const auto there = tail_.load(std::memory_order_acquire) - head;
      if (there == 0) return 0;
      if (there > size) {  // others have taken between the two loads
        head = head_.load(std::memory_order_acquire);
        continue;
      }
      const auto count = std::min<std::uint32_t>((there + 1) / 2, Most);
      for (std::uint32_t i = 0; i < count; ++i) {
        into[i] = std::coroutine_handle<>::from_address(
            slots_[(head + i) % size].load(std::memory_order_relaxed));
      }
      if (head_.compare_exchange_weak(head, head + count, std::memory_order_acq_rel,
                                      std::memory_order_acquire)) {
        return count;
      }
    }
  }
  [[nodiscard]] bool empty() const noexcept {
    return head_.load(std::memory_order_acquire) == tail_.load(std::memory_order_acquire);
  }

 private:
  std::array<Atomic<void*>, size> slots_{};
  alignas(64) Atomic<std::uint32_t> head_{0};
  alignas(64) Atomic<std::uint32_t> tail_{0};
};

using run_ring = basic_run_ring<>;

}  // namespace wherry
