// SPDX-License-Identifier: Apache-2.0
#pragma once
// The one atomic word of a process: who ends its wait. Nothing else arbitrates: not channels, not
// selects, not scopes.
//
// Legal values: bit 0 parked, bit 1 cancelled, from bit 2 the count of shields.
//
// Invariants
// 1. Only the process itself sets `parked`, as its last act before it stops running.
// 2. Whoever clears `parked` owns the wake-up: exactly one of all claims and cancellations does.
// 3. A cancelled word does not park, unless shielded.
//
// `Atomic` is std::atomic, or what a model checker schedules (tests/csp/model).

#include <atomic>
#include <cstdint>

#include "wherry/csp/compiler.hpp"

namespace wherry::detail {

template <template <class> class Atomic = std::atomic>
class basic_wait_word {
 public:
  /// Starts a wait. False: cancelled, and must not wait.
  [[nodiscard]] bool park() noexcept {
    auto word = word_.load(std::memory_order_relaxed);
    do {
      if ((word & cancel_bit) != 0 && word < shield_unit) return false;
    } while (!word_.compare_exchange_weak(word, word | parked_bit, std::memory_order_acq_rel,
                                          std::memory_order_relaxed));
    return true;
  }

  /// Ends the wait, for the caller to wake. False: another was first.
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

  /// Marks as cancelled. True: that ended a wait, and the caller must wake.
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

  [[nodiscard]] bool is_parked() const noexcept {
    return (word_.load(std::memory_order_acquire) & parked_bit) != 0;
  }
  [[nodiscard]] bool is_cancelled() const noexcept {
    return (word_.load(std::memory_order_acquire) & cancel_bit) != 0;
  }

  void shield() noexcept { word_.fetch_add(shield_unit, std::memory_order_acq_rel); }
  void unshield() noexcept { word_.fetch_sub(shield_unit, std::memory_order_acq_rel); }

 private:
  static constexpr std::uint32_t parked_bit = 1, cancel_bit = 2, shield_unit = 4;
  Atomic<std::uint32_t> word_{0};
};

}  // namespace wherry::detail
