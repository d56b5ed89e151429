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
// How (after Go's runtime/select.go): look, in random order, whether one case is ready; if none
// was, lock all channels in order of address, so that the select sees one instant, and try again;
// if none is ready, queue a waiter at each and park; once woken, take the others' waiters out. The
// process's own word (wait_word.hpp) decides which case wins, so a loser neither takes nor loses a
// value. A select never meets itself: its own cases are queued only after all were tried.
// With `priority` and `or_default` the order, and that there is none, are those of one instant:
// they look under all locks only.

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

/// The channels of a select, each once, in order of address: two selects never wait for each
/// other's locks.
template <std::size_t Count>
class lock_set {
 public:
  void set(std::array<channel_core*, Count> cores) noexcept {
    cores_ = cores;
    std::sort(cores_.begin(), cores_.end(), std::less<>{});
    size_ = static_cast<std::size_t>(std::unique(cores_.begin(), cores_.end()) - cores_.begin());
  }
  void lock() const noexcept {
    for (std::size_t i = 0; i < size_; ++i) cores_[i]->lock_.lock();
  }
  void unlock() const noexcept {
    for (std::size_t i = 0; i < size_; ++i) cores_[i]->lock_.unlock();
  }

 private:
  std::array<channel_core*, Count> cores_{};
  std::size_t size_ = 0;
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
    wake_list wakes;
    const auto order = draw_order();
    if constexpr (Kind == select_kind::fair) {
      if (look(order, wakes)) return wakes.wake_all(), true;
    }
    locks_.set(std::apply([](auto&... each) { return std::array{&each.core()...}; }, cases_));
    locks_.lock();
    chosen_ = try_each(order, wakes);
    if (chosen_ == count && Kind != select_kind::defaulted) return false;  // await_suspend unlocks
    locks_.unlock();
    wakes.wake_all();
    return true;
  }

  template <std::derived_from<promise_base> Promise>
  std::coroutine_handle<> await_suspend(std::coroutine_handle<Promise> caller) {
    // From the first unlock on the process may run elsewhere, and with the last one this frame may
    // be gone: what is left to unlock must be known here.
    const auto held = locks_;
    const bool parked = park_locked(*caller.promise().process_, caller);
    held.unlock();
    return parked ? next_to_run() : caller;
  }

  /// Queues all cases and parks. False: the process is cancelled. The locks are kept, unless it
  /// throws.
  [[nodiscard]] bool park_locked(process& owner, std::coroutine_handle<> resume) {
    std::size_t full_at = 0;  // the limit of the channel at which too many wait
    const bool queued = std::apply(
        [&](auto&... each) {
          return ((each.enqueue_locked(owner) || (full_at = each.core().waiters_limit_, false)) &&
                  ...);
        },
        cases_);
    if (queued && owner.park(resume)) return true;
    remove_all();
    if (queued) return false;
    locks_.unlock();
    throw too_many_waiters(full_at);
  }
  /// Gives back what await_ready has locked.
  void unlock_all() const noexcept { locks_.unlock(); }

  alternatives await_resume() {
    if (chosen_ == count) {
      if constexpr (Kind == select_kind::defaulted) {
        return alternatives{std::in_place_index<count>};
      }
      locks_.lock();
      remove_all();
      locks_.unlock();
      std::size_t index = 0;
      std::apply(
          [&](auto&... each) { ((each.chosen() ? void(chosen_ = index) : void(), ++index), ...); },
          cases_);
      if (chosen_ == count) throw cancelled{};
    }
    return result(std::make_index_sequence<count>{});
  }

 private:
  using order = std::array<std::uint16_t, count>;

  static order draw_order() noexcept {
    order drawn;
    std::iota(drawn.begin(), drawn.end(), std::uint16_t{0});
    if constexpr (Kind != select_kind::ordered && count > 1) {
      std::uint64_t random = draw();
      for (std::size_t left = count; left > 1; --left) {  // Fisher-Yates
        if (left % 4 == 0) random = draw();
        std::swap(drawn[left - 1], drawn[((random & 0xFFFF) * left) >> 16]);
        random >>= 16;
      }
    }
    return drawn;
  }

  // Cases by number, without a comparison for each.
  using attempt_case = bool (*)(cases&, wake_list&) noexcept;
  using core_of_case = channel_core& (*)(const cases&) noexcept;
  template <std::size_t Index>
  static bool attempt(cases& all, wake_list& wakes) noexcept {
    return std::get<Index>(all).attempt_locked(wakes);
  }
  template <std::size_t Index>
  static channel_core& core(const cases& all) noexcept {
    return std::get<Index>(all).core();
  }
  static constexpr auto tables = []<std::size_t... Index>(std::index_sequence<Index...>) {
    return std::pair{std::array<attempt_case, count>{attempt<Index>...},
                     std::array<core_of_case, count>{core<Index>...}};
  }(std::make_index_sequence<count>{});

  /// One after the other, each under its own lock: what is ready needs no more.
  bool look(const order& drawn, wake_list& wakes) noexcept {
    for (const auto index : drawn) {
      auto& lock = tables.second[index](cases_).lock_;
      lock.lock();
      const bool committed = tables.first[index](cases_, wakes);
      lock.unlock();
      if (committed) return chosen_ = index, true;
    }
    return false;
  }

  std::size_t try_each(const order& drawn, wake_list& wakes) noexcept {
    for (const auto index : drawn) {
      if (tables.first[index](cases_, wakes)) return index;
    }
    return count;
  }

  void remove_all() noexcept {
    std::apply([](auto&... each) { (each.remove_locked(), ...); }, cases_);
  }

  template <std::size_t... Index>
  alternatives result(std::index_sequence<Index...>) {
    std::optional<alternatives> found;
    ((chosen_ == Index
          ? void(found.emplace(std::in_place_index<Index>, std::get<Index>(cases_).await_resume()))
          : void()),
     ...);
    return std::move(*found);
  }

  cases cases_;
  lock_set<count> locks_;  // set by await_ready alone
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
