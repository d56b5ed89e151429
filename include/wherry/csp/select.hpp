// SPDX-License-Identifier: Apache-2.0
#pragma once
// select: waits for several puts and takes at once; exactly one commits.
//
//   auto chosen = co_await select(jobs.take(), results.put(std::move(r)), stop.take());
//   if (chosen.index() == 0) use(std::get<0>(chosen));        // std::optional<job>
//
// The result is a std::variant with one alternative a case, in order: std::optional<T> for a take,
// bool for a put. A closed channel is ready, as it is for a single operation.
//
// How (after Go's runtime/select.go): lock all channels in order of address, so that the select
// sees one instant; try the cases in random order, or in the given one with `priority`; if none is
// ready, queue a waiter at each and park; once woken, take the others' waiters out. The process's
// own word (process.hpp) decides which case wins, so a loser neither takes nor loses a value. A
// select never meets itself: its own cases are queued only after all were tried.

#include <algorithm>
#include <array>
#include <cstddef>
#include <functional>
#include <numeric>
#include <tuple>
#include <utility>
#include <variant>

#include "wherry/csp/channel.hpp"

namespace wherry {

/// Tries the cases of a select in the order in which they are written.
struct priority_t {};
inline constexpr priority_t priority;

/// Makes a select that never waits: if no case is ready, the last alternative (or_default_t) holds.
struct or_default_t {};
inline constexpr or_default_t or_default;

namespace detail {

template <bool Ordered, bool Defaulted, class... Operations>
class [[nodiscard]] select_operation {
  static constexpr std::size_t count = sizeof...(Operations);
  using alternatives =
      std::conditional_t<Defaulted, std::variant<typename Operations::value_type..., or_default_t>,
                         std::variant<typename Operations::value_type...>>;

 public:
  explicit select_operation(Operations&&... operations) : operations_(std::move(operations)...) {}

  bool await_ready() {
    lock_all();
    process* wake = nullptr;
    chosen_ = try_each(wake);
    if (chosen_ == count && !Defaulted) return false;  // await_suspend unlocks
    unlock_all();
    if (wake != nullptr) wake->wake();
    return true;
  }

  template <std::derived_from<promise_base> Promise>
  std::coroutine_handle<> await_suspend(std::coroutine_handle<Promise> caller) {
    process* const owner = caller.promise().process_;
    if (!std::apply([&](auto&... each) { return (each.enqueue_locked(*owner) && ...); },
                    operations_)) {
      remove_all();
      unlock_all();
      throw too_many_waiters{};
    }
    if (!owner->park(caller)) {
      remove_all();
      unlock_all();
      return caller;
    }
    // From the first unlock on the process may run elsewhere, and with the last one this frame may
    // be gone: what is left to unlock must be known here.
    const auto held = cores_;
    unlock(held);
    return next_to_run();
  }

  alternatives await_resume() {
    if (chosen_ == count) {
      if constexpr (Defaulted) return alternatives{std::in_place_index<count>};
      lock(cores_);
      remove_all();
      unlock_all();
      std::size_t index = 0;
      std::apply(
          [&](auto&... each) { ((each.chosen() ? void(chosen_ = index) : void(), ++index), ...); },
          operations_);
      if (chosen_ == count) throw cancelled{};
    }
    return result(std::make_index_sequence<count>{});
  }

 private:
  template <std::size_t... Index>
  alternatives result(std::index_sequence<Index...>) {
    std::optional<alternatives> found;
    ((chosen_ == Index ? void(found.emplace(std::in_place_index<Index>,
                                            std::get<Index>(operations_).await_resume()))
                       : void()),
     ...);
    return std::move(*found);
  }

  std::size_t try_each(process*& wake) noexcept {
    std::array<std::size_t, count> order;
    std::iota(order.begin(), order.end(), std::size_t{0});
    if constexpr (!Ordered) {
      for (std::size_t left = count; left > 1; --left) {  // Fisher-Yates
        std::swap(order[left - 1], order[static_cast<std::size_t>(draw() % left)]);
      }
    }
    for (const std::size_t wanted : order) {
      std::size_t index = 0;
      bool committed = false;
      std::apply(
          [&](auto&... each) {
            ((index++ == wanted ? void(committed = each.attempt_locked(wake)) : void()), ...);
          },
          operations_);
      if (committed) return wanted;
    }
    return count;
  }

  void remove_all() noexcept {
    std::apply([](auto&... each) { (each.remove_locked(), ...); }, operations_);
  }

  // Each channel once, in order of address: two selects never wait for each other's locks.
  void lock_all() noexcept {
    std::apply([&](auto&... each) { cores_ = {&each.core()...}; }, operations_);
    std::sort(cores_.begin(), cores_.end(), std::less<>{});
    const auto end = std::unique(cores_.begin(), cores_.end());
    std::fill(end, cores_.end(), nullptr);
    lock(cores_);
  }
  void unlock_all() noexcept { unlock(cores_); }

  using cores = std::array<channel_core*, count>;  // padded with null
  static void lock(const cores& all) noexcept {
    for (auto* core : all) {
      if (core != nullptr) core->lock_.lock();
    }
  }
  static void unlock(const cores& all) noexcept {
    for (auto* core : all) {
      if (core != nullptr) core->lock_.unlock();
    }
  }

  std::tuple<Operations...> operations_;
  cores cores_{};  // written by await_ready alone
  std::size_t chosen_ = count;
};

template <class T>
concept selectable = requires(T& operation, process*& wake) {
  typename T::value_type;
  { operation.attempt_locked(wake) } -> std::same_as<bool>;
};

}  // namespace detail

/// Suspends: until one case commits. Fair: among ready cases each is as likely.
/// Errors: `cancelled`, too_many_waiters.
template <detail::selectable... Operations>
  requires(sizeof...(Operations) > 0)
auto select(Operations... operations) {
  return detail::select_operation<false, false, Operations...>{std::move(operations)...};
}

/// As select, but a ready case that stands earlier wins.
template <detail::selectable... Operations>
  requires(sizeof...(Operations) > 0)
auto select(priority_t, Operations... operations) {
  return detail::select_operation<true, false, Operations...>{std::move(operations)...};
}

/// As select, but never waits.
template <detail::selectable... Operations>
  requires(sizeof...(Operations) > 0)
auto select(or_default_t, Operations... operations) {
  return detail::select_operation<false, true, Operations...>{std::move(operations)...};
}

}  // namespace wherry
