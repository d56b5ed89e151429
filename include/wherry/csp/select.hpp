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
// How (after Go's runtime/select.go): try, in random order, those that look ready; if none was,
// lock all channels in order of address, so that the select sees one instant, and try again;
// if none is ready, queue a waiter at each and park; once woken, take the others' waiters out. The
// process's own word (wait_word.hpp) decides which case wins, so a loser neither takes nor loses a
// value. A select never meets itself: its own cases are queued only after all were tried.
// With `priority` and `or_default` the order, and that there is none, are those of one instant:
// they look under all locks only.

#include <algorithm>
#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <mutex>
#include <tuple>
#include <type_traits>
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

/// The channels of a select, each once, in order of address: two selects never wait for each
/// other's locks.
template <std::size_t Count>
class lock_set {
 public:
  /// Locks all.
  template <class... Operations>
  explicit lock_set(const std::tuple<Operations...>& cases) noexcept
      : cores_(std::apply([](auto&... each) { return std::array{&each.core()...}; }, cases)) {
    if (std::ranges::adjacent_find(cores_, std::greater_equal{}) != cores_.end()) put_in_order();
    for (std::size_t i = 0; i < size_; ++i) cores_[i]->lock_.lock();
  }
  lock_set(const lock_set&) = delete;
  lock_set& operator=(const lock_set&) = delete;
  ~lock_set() {
    for (std::size_t i = 0; i < size_; ++i) cores_[i]->lock_.unlock();
  }

 private:
  void put_in_order() noexcept {
    std::ranges::sort(cores_);
    size_ = static_cast<std::size_t>(std::ranges::unique(cores_).begin() - cores_.begin());
  }

  std::array<channel_core*, Count> cores_;
  std::size_t size_ = Count;
};

enum class select_kind { fair, ordered, defaulted };

template <select_kind Kind, class... Operations>
class [[nodiscard]] select_operation {
  static constexpr std::size_t count = sizeof...(Operations);
  using cases = std::tuple<Operations...>;
  using alternatives =
      std::conditional_t<Kind == select_kind::defaulted,
                         std::variant<typename Operations::value_type..., or_default_t>,
                         std::variant<typename Operations::value_type...>>;

 public:
  explicit select_operation(Operations&&... operations) : cases_(std::move(operations)...) {}

  bool await_ready() {
    if constexpr (Kind == select_kind::ordered) return false;
    wake_list wakes;
    if constexpr (Kind == select_kind::defaulted) {
      const lock_set<count> all(cases_);
      try_each(wakes);
    } else {
      // One after the other, each under its own lock: what is ready needs no more.
      for (auto left = candidates(); left != 0 && chosen_ == count;) {
        const auto index = take_out(left);
        const std::lock_guard guard(tables::core[index](cases_)->lock_);
        if (tables::attempt[index](cases_, wakes)) chosen_ = index;
      }
    }
    wakes.wake_all();
    return chosen_ != count || Kind == select_kind::defaulted;
  }

  template <std::derived_from<promise_base> Promise>
  std::coroutine_handle<> await_suspend(std::coroutine_handle<Promise> caller) {
    return park(*caller.promise().process_, caller) ? next_to_run() : caller;
  }

  /// After await_ready was false. True: parked, and from then on this may be gone. False: a case
  /// has committed, or the process is cancelled. Errors: too_many_waiters.
  [[nodiscard]] bool park(process& owner, std::coroutine_handle<> resume) {
    wake_list wakes;
    bool parked = false;
    {
      const lock_set<count> all(cases_);
      try_each(wakes);
      if (chosen_ == count) {
        enqueue_all(owner);
        parked = owner.park(resume);
        if (!parked) remove_all_locked();
      }
    }
    wakes.wake_all();
    return parked;
  }

  alternatives await_resume() {
    if (chosen_ == count) {
      if constexpr (Kind == select_kind::defaulted) {
        return alternatives{std::in_place_index<count>};
      }
      chosen_ = [this]<std::size_t... Index>(std::index_sequence<Index...>) {
        return (count + ... + (std::get<Index>(cases_).settle() ? Index - count : 0));
      }(std::make_index_sequence<count>{});
      if (chosen_ == count) throw cancelled{};
    }
    return tables::result[chosen_](cases_);
  }

 private:
  using case_set = std::uint64_t;  // a bit for each
  static_assert(count <= 64, "a select has at most 64 cases: merge some of the channels");

  /// Those that a try may commit: not those of which a look without the lock says that they wait.
  [[nodiscard]] case_set candidates() const noexcept {
    return [this]<std::size_t... Index>(std::index_sequence<Index...>) {
      return (... | (case_set{std::get<Index>(cases_).may_commit()} << Index));
    }(std::make_index_sequence<count>{});
  }

  /// The case to be tried next: the first, or any.
  static std::size_t take_out(case_set& from) noexcept {
    auto left = from;
    if constexpr (Kind != select_kind::ordered) {
      auto skipped = ((draw() >> 32) * static_cast<unsigned>(std::popcount(left))) >> 32;
      while (skipped-- > 0) left &= left - 1;
    }
    const auto index = static_cast<std::size_t>(std::countr_zero(left));
    from &= ~(case_set{1} << index);
    return index;
  }

  /// What to do with a case by its number, without a comparison for each.
  struct tables {
    template <class Function>
    static constexpr auto of_each(Function make) {
      return [&]<std::size_t... Index>(std::index_sequence<Index...>) {
        return std::array{make(std::integral_constant<std::size_t, Index>{})...};
      }(std::make_index_sequence<count>{});
    }
    static constexpr auto core = of_each([](auto index) {
      return +[](const cases& all) noexcept {
        return &std::get<decltype(index)::value>(all).core();
      };
    });
    static constexpr auto attempt = of_each([](auto index) {
      return +[](cases& all, wake_list& wakes) noexcept {
        return std::get<decltype(index)::value>(all).attempt_locked(wakes);
      };
    });
    static constexpr auto result = of_each([](auto index) {
      return +[](cases& all) {
        return alternatives{std::in_place_index<decltype(index)::value>,
                            std::get<decltype(index)::value>(all).await_resume()};
      };
    });
  };

  /// Under all locks.
  void try_each(wake_list& wakes) noexcept {
    for (auto left = candidates(); left != 0 && chosen_ == count;) {
      const auto index = take_out(left);
      if (tables::attempt[index](cases_, wakes)) chosen_ = index;
    }
  }

  void enqueue_all(process& owner) {
    std::size_t full_at = 0;  // the limit of the channel at which too many wait
    const bool queued = std::apply(
        [&](auto&... each) {
          return ((each.enqueue_locked(owner) || (full_at = each.core().waiters_limit_, false)) &&
                  ...);
        },
        cases_);
    if (queued) return;
    remove_all_locked();
    throw too_many_waiters(full_at);
  }

  void remove_all_locked() noexcept {
    std::apply([](auto&... each) { (each.remove_locked(), ...); }, cases_);
  }

  cases cases_;
  std::size_t chosen_ = count;
};

template <class T>
concept selectable = requires(T& operation, wake_list& wakes) {
  typename T::value_type;
  { operation.attempt_locked(wakes) } -> std::same_as<bool>;
};

}  // namespace detail

/// Suspends: until one case commits. Fair: among ready cases each is as likely.
/// Errors: `cancelled`, too_many_waiters.
template <detail::selectable... Operations>
  requires(sizeof...(Operations) > 0)
auto select(Operations... operations) {
  return detail::select_operation<detail::select_kind::fair, Operations...>{
      std::move(operations)...};
}

/// As select, but a ready case that stands earlier wins.
template <detail::selectable... Operations>
  requires(sizeof...(Operations) > 0)
auto select(priority_t, Operations... operations) {
  return detail::select_operation<detail::select_kind::ordered, Operations...>{
      std::move(operations)...};
}

/// As select, but never waits.
template <detail::selectable... Operations>
  requires(sizeof...(Operations) > 0)
auto select(or_default_t, Operations... operations) {
  return detail::select_operation<detail::select_kind::defaulted, Operations...>{
      std::move(operations)...};
}

}  // namespace wherry
