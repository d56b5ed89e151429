// SPDX-License-Identifier: Apache-2.0
#pragma once
// channel<T>: how processes hand each other values. A copyable handle; all copies are the same
// channel. Unbuffered, a put waits for its take; buffer.hpp has the buffers.
//
//   channel<int> numbers;                       channel<int> buffered{fixed{16}};
//   bool accepted = co_await numbers.put(1);    false: closed
//   std::optional<int> n = co_await numbers.take();   empty: closed and drained
//
// Thread safety: any member may be called from any thread, except that `put` and `take` are awaited
// in a process. From a plain thread use blocking.hpp.
//
// Invariants (all under the channel's lock)
// 1. Takers wait only while the buffer is empty and no putter waits.
// 2. Putters wait only while the buffer is full (unbuffered: always full).
// 3. Values leave in the order in which their puts committed; waiters are served first come, first
//    served.
// 4. Once closed, nothing enters; what is buffered or parked still leaves.
// 5. A value moves out of the putter's object exactly when its put commits.
//
// Source: semantics of core.async and Go (runtime/chan.go), as listed in docs/csp.md.

#include <concepts>
#include <optional>
#include <type_traits>
#include <utility>

#include "wherry/csp/buffer.hpp"
#include "wherry/csp/operation.hpp"

namespace wherry {
namespace detail {

template <class T>
class channel_state : public channel_core {
 public:
  using outcome = waiter::outcome;

  channel_state(buffer_choice chosen, std::size_t limit)
      : channel_core(limit), kind_(chosen.kind), buffer_(chosen.size) {}

  /// Whether a try may do more than fail: without the lock, a guess.
  [[nodiscard]] bool may_put() const noexcept {
    return !takers_.empty() || !buffer_.full() || kind_ != buffer_kind::fixed || closed_;
  }
  [[nodiscard]] bool may_take() const noexcept {
    return !putters_.empty() || !buffer_.empty() || closed_;
  }

  // Under the lock.
  outcome try_put(T& value, wake_list& wakes) noexcept {
    if (closed_) return outcome::closed;
    if (kind_ == buffer_kind::promise) return keep(value, wakes);
    if (waiter* const taker = takers_.pop_claimed()) {
      give(*taker, std::move(value), wakes);
      return outcome::committed;
    }
    if (buffer_.full()) return put_over(value);
    buffer_.push(std::move(value));
    return outcome::committed;
  }

  outcome try_take(std::optional<T>& into, wake_list& wakes) noexcept {
    if (!buffer_.empty()) {
      if (kind_ == buffer_kind::promise)
        return copy_kept(buffer_.front(), into), outcome::committed;
      into.emplace(buffer_.pop());
      if (waiter* const putter = putters_.pop_claimed()) {
        buffer_.push(std::move(accept(*putter, wakes)));
      }
      return outcome::committed;
    }
    if (waiter* const putter = putters_.pop_claimed()) {
      into.emplace(std::move(accept(*putter, wakes)));
      return outcome::committed;
    }
    return closed_ ? outcome::closed : outcome::none;
  }

 private:
  static void give(waiter& taker, T&& value, wake_list& wakes) noexcept {
    static_cast<take_waiter<T>&>(taker).value.emplace(std::move(value));
    taker.result = outcome::committed;
    wakes.add(taker);
  }
  static T& accept(waiter& putter, wake_list& wakes) noexcept {
    putter.result = outcome::committed;
    wakes.add(putter);
    return *static_cast<put_waiter<T>&>(putter).value;
  }

  /// A put into a buffer that is full.
  outcome put_over(T& value) noexcept {
    if (kind_ == buffer_kind::fixed) return outcome::none;
    if (kind_ == buffer_kind::sliding) {
      static_cast<void>(buffer_.pop());
      buffer_.push(std::move(value));
    } else {
      static_cast<void>(T(std::move(value)));
    }
    return outcome::committed;
  }

  outcome keep(T& value, wake_list& wakes) noexcept {
    if (buffer_.full()) return put_over(value);
    buffer_.push(std::move(value));
    while (waiter* const taker = takers_.pop_claimed()) {
      copy_kept(buffer_.front(), static_cast<take_waiter<T>*>(taker)->value);
      taker->result = outcome::committed;
      wakes.add(*taker);
    }
    return outcome::committed;
  }

  /// What a promise does, and nobody else: so that a T which only seems to copy (a vector of what
  /// does not) can be carried.
  virtual void copy_kept(const T&, std::optional<T>&) const noexcept {}

  const buffer_kind kind_;
  ring<T> buffer_;
};

template <class T>
class promise_state final : public channel_state<T> {
 public:
  explicit promise_state(std::size_t limit) : channel_state<T>(promise{}, limit) {}

 private:
  void copy_kept(const T& kept, std::optional<T>& into) const noexcept override {
    into.emplace(kept);
  }
};

/// How an operation reaches a channel<T>: directly.
template <class T>
struct channel_port {
  channel_state<T>* state;
  [[nodiscard]] channel_core& core() const noexcept { return *state; }
  waiter::outcome try_put(T& value, wake_list& wakes) const noexcept {
    return state->try_put(value, wakes);
  }
  waiter::outcome try_take(std::optional<T>& into, wake_list& wakes) const noexcept {
    return state->try_take(into, wakes);
  }
  [[nodiscard]] bool may_put() const noexcept { return state->may_put(); }
  [[nodiscard]] bool may_take() const noexcept { return state->may_take(); }
};

}  // namespace detail

template <class T>
  requires std::is_nothrow_move_constructible_v<T>
class channel {
  using state = detail::channel_state<T>;
  using port = detail::channel_port<T>;

 public:
  using value_type = T;

  /// Makes an unbuffered channel.
  channel() : channel(waiters_limit{}) {}
  explicit channel(waiters_limit limit) : state_(new state({}, limit.count)) {}
  explicit channel(fixed buffer, waiters_limit limit = {})
      : state_(new state(buffer, limit.count)) {}
  explicit channel(dropping buffer) : state_(new state(buffer, waiters_limit{}.count)) {}
  explicit channel(sliding buffer) : state_(new state(buffer, waiters_limit{}.count)) {}
  explicit channel(promise, waiters_limit limit = {})
    requires std::copy_constructible<T>
      : state_(new detail::promise_state<T>(limit.count)) {}
  /// One of the above, chosen at run time; unbuffered by default.
  explicit channel(any_buffer buffer, waiters_limit limit = {})
      : state_(new state(buffer, limit.count)) {}

  /// Suspends: until a taker or the buffer has the value. False: the channel is closed, and the
  /// value stays with the caller. Errors: `cancelled` (the value stays), too_many_waiters.
  auto put(T&& value) const {
    return detail::put_operation<T, T&, port>(port{state_.get()}, value);
  }
  auto put(const T& value) const
    requires std::copy_constructible<T>
  {
    return detail::put_operation<T, T, port>(port{state_.get()}, T(value));
  }

  /// Suspends: until there is a value. Empty: closed and drained. Errors: `cancelled`,
  /// too_many_waiters.
  auto take() const { return detail::take_operation<T, port>(port{state_.get()}); }

  /// Puts if that needs no wait; moves from `value` only then. False: full, or closed.
  bool offer(T&& value) const {
    return detail::try_now(*state_.get(),
                           [&](auto& wakes) { return state_->try_put(value, wakes); });
  }
  bool offer(const T& value) const
    requires std::copy_constructible<T>
  {
    return offer(T(value));
  }

  /// Takes if that needs no wait. Empty: nothing there, or closed.
  std::optional<T> poll() const {
    std::optional<T> value;
    detail::try_now(*state_.get(), [&](auto& wakes) { return state_->try_take(value, wakes); });
    return value;
  }

  /// Lets nothing more in; what is inside still comes out. Closing twice is closing once.
  void close() const noexcept { state_->close(); }

  /// Whether both are the same channel.
  friend bool operator==(const channel& a, const channel& b) noexcept {
    return a.state_.get() == b.state_.get();
  }

 private:
  template <class>
  friend class put_channel;
  template <class>
  friend class take_channel;
  detail::core_handle<state> state_;
};

}  // namespace wherry
