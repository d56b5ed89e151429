// SPDX-License-Identifier: Apache-2.0
#pragma once
// A small model checker for what atomics decide: it runs a program of two to four threads in every
// order of their atomic operations, and says whether an expectation broke, a thread waited for ever
// (a lost wake-up is one), or a plain value was reached by two threads without one happening before
// the other.
//
//   const auto found = explore([] {
//     auto word = std::make_shared<atomic<int>>(0);
//     return program{.threads = {[=] { word->fetch_add(1); }, [=] { word->fetch_add(1); }},
//                    .after = [=] { expect(word->load() == 2, "both were counted"); }};
//   });
//   CHECK_MESSAGE(found.holds, found.violation);
//
// What it sees: every interleaving (sequentially consistent); with `store_buffers` also that a
// store that is not seq_cst is seen by others later than its thread goes on (TSO, as on x86);
// failures of compare_exchange_weak for no reason, a number of them; and missing acquire or
// release, by the memory orders as written. What it does not see: loads that read a value older
// than the newest one, beyond the store buffer, and stores that reach others out of order:
// reorderings of ARM and POWER that a seq_cst or TSO machine does not make change here no atomic
// value, only who happened before whom. No spurious wake-ups of conditions, no thread beyond the
// fourth, no time: a timed wait may end at any moment.
//
// Threads: all in one; a program is deterministic but for the order, allocates nothing in its
// threads (one that is given up is not unwound), and shares nothing but these types.

#include <array>
#include <atomic>
#include <bit>
#include <concepts>
#include <cstdint>
#include <cstring>
#include <functional>
#include <mutex>
#include <string>
#include <vector>

namespace wherry::model {

inline constexpr std::size_t most_threads = 4;

struct program {
  std::vector<std::function<void()>> threads;
  std::function<void()> after = [] {};  // once all have ended
};
/// Makes a program and all that it shares, anew for each run.
using scene = std::function<program()>;

struct limits {
  bool store_buffers = false;
  int failures_for_no_reason = 0;  // of compare_exchange_weak, for each thread
  long runs = 2'000'000;  // more is a program too large: not exhaustive, so it does not hold
};

struct verdict {
  bool holds = false;
  long runs = 0;
  std::string violation;  // what broke, and the operations that led there
};

[[nodiscard]] verdict explore(const scene& make, limits bounds = {});

/// Ends the exploration with `meaning` unless `condition` holds.
void expect(bool condition, const char* meaning);

namespace detail {

class engine;
using clocks = std::array<std::uint32_t, most_threads>;

/// What an atomic, a mutex or a condition is for the engine.
struct location {
  location() noexcept;
  std::uint32_t number;  // in order of making: the same in each run
  std::uint64_t value = 0;
  std::uint32_t version = 0;
  clocks released{};                 // what an acquire learns
  std::uint32_t waiting = 0;         // conditions: who waits, a bit a thread
  std::vector<std::uint32_t> wakes;  // each for one of these
};

/// Who has read and written a plain value, and when.
struct access_history {
  mutable clocks read{};
  int writer = -1;
  std::uint32_t written = 0;
};

std::uint64_t load(location& where, std::memory_order order);
void store(location& where, std::uint64_t value, std::memory_order order);
bool exchange_if(location& where, std::uint64_t& expected, std::uint64_t wanted,
                 std::memory_order success, std::memory_order failure, bool may_fail);
std::uint64_t modify(location& where, std::uint64_t (*change)(std::uint64_t, std::uint64_t),
                     std::uint64_t operand, std::memory_order order);
void lock(location& mutex);
void wait(location& condition, location& mutex, bool timed);
void notify(location& condition, bool all);
void read(const access_history& of);
void write(access_history& of);

}  // namespace detail

/// As std::atomic, scheduled.
template <class T>
  requires std::is_trivially_copyable_v<T> && (sizeof(T) <= sizeof(std::uint64_t))
class atomic {
 public:
  atomic() noexcept : atomic(T{}) {}
  atomic(T value) noexcept { where_.value = bits(value); }
  atomic(const atomic&) = delete;
  atomic& operator=(const atomic&) = delete;

  T load(std::memory_order order = std::memory_order_seq_cst) const noexcept {
    return value(detail::load(where_, order));
  }
  void store(T wanted, std::memory_order order = std::memory_order_seq_cst) noexcept {
    detail::store(where_, bits(wanted), order);
  }
  T exchange(T wanted, std::memory_order order = std::memory_order_seq_cst) noexcept {
    return value(detail::modify(
        where_, [](std::uint64_t, std::uint64_t to) { return to; }, bits(wanted), order));
  }
  bool compare_exchange_weak(T& expected, T wanted, std::memory_order success,
                             std::memory_order failure) noexcept {
    return exchange_if(expected, wanted, success, failure, true);
  }
  bool compare_exchange_strong(T& expected, T wanted, std::memory_order success,
                               std::memory_order failure) noexcept {
    return exchange_if(expected, wanted, success, failure, false);
  }
  T fetch_add(T more, std::memory_order order = std::memory_order_seq_cst) noexcept
    requires std::integral<T>
  {
    return value(detail::modify(
        where_,
        [](std::uint64_t old, std::uint64_t by) {
          return bits(static_cast<T>(value(old) + value(by)));
        },
        bits(more), order));
  }
  T fetch_sub(T less, std::memory_order order = std::memory_order_seq_cst) noexcept
    requires std::integral<T>
  {
    return fetch_add(static_cast<T>(T{} - less), order);
  }

 private:
  static std::uint64_t bits(T value) noexcept {
    std::uint64_t all = 0;
    std::memcpy(&all, &value, sizeof value);
    return all;
  }
  static T value(std::uint64_t bits) noexcept {
    T of;
    std::memcpy(&of, &bits, sizeof of);
    return of;
  }
  bool exchange_if(T& expected, T wanted, std::memory_order success, std::memory_order failure,
                   bool may_fail) noexcept {
    auto had = bits(expected);
    const bool done = detail::exchange_if(where_, had, bits(wanted), success, failure, may_fail);
    expected = value(had);
    return done;
  }
  mutable detail::location where_;
};

/// A value that is no atomic. Two threads that reach it in no order, one of them to write, are a
/// violation.
template <class T>
class plain {
 public:
  explicit plain(T value = {}) : value_(value) {}
  [[nodiscard]] T get() const {
    detail::read(history_);
    return value_;
  }
  void set(T value) {
    detail::write(history_);
    value_ = value;
  }

 private:
  T value_;
  detail::access_history history_;
};

class mutex {
 public:
  void lock() { detail::lock(held_); }
  void unlock() { detail::store(held_, 0, std::memory_order_release); }

 private:
  friend class condition;
  detail::location held_;
};

class condition {
 public:
  template <class Until>
  void wait(std::unique_lock<mutex>& guard, Until until) {
    while (!until()) detail::wait(waiting_, guard.mutex()->held_, false);
  }
  /// May end at any moment, as time may pass.
  template <class Time, class Until>
  bool wait_until(std::unique_lock<mutex>& guard, Time, Until until) {
    if (!until()) detail::wait(waiting_, guard.mutex()->held_, true);
    return until();
  }
  void notify_one() { detail::notify(waiting_, false); }
  void notify_all() { detail::notify(waiting_, true); }

 private:
  detail::location waiting_;
};

void fence();
/// Between two looks at the atomic that was loaded last: goes on once it was written.
void await_change();

/// What the policies of the library take.
struct scheduled_sync {
  template <class T>
  using atomic = model::atomic<T>;
  using mutex = model::mutex;
  using condition = model::condition;
  static void fence() { model::fence(); }
};
struct relax {
  void operator()(int) const { await_change(); }
};

}  // namespace wherry::model
