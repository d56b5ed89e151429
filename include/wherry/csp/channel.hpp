// SPDX-License-Identifier: Apache-2.0
#pragma once
// channel<T>: how processes hand each other values. A copyable handle; all copies are the same
// channel. Unbuffered, a put waits for its take; `fixed(n)` holds n values before puts wait.
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

#include <algorithm>
#include <atomic>
#include <concepts>
#include <coroutine>
#include <cstddef>
#include <memory>
#include <optional>
#include <stdexcept>
#include <utility>

#include "wherry/csp/assert.hpp"
#include "wherry/csp/process.hpp"
#include "wherry/csp/scheduler.hpp"
#include "wherry/csp/spinlock.hpp"

namespace wherry {

/// A buffer of `size` values; puts wait while it is full. Requires: size > 0.
struct fixed {
  std::size_t size;
};

/// Thrown to the process that would be one too many: work piles up where it should be bounded.
class too_many_waiters : public std::length_error {
 public:
  too_many_waiters()
      : std::length_error(
            "1024 processes wait on this channel already: give it a buffer, or bound the number of "
            "processes that use it") {}
};

/// Puts, and takes, that may wait on one channel at once.
inline constexpr std::size_t waiters_limit = 1024;

namespace detail {

/// A parked put or take: lives in the frame of the coroutine that waits, queued in one channel.
struct waiter {
  enum class outcome : unsigned char { none, committed, closed };  // none: not (yet) chosen
  waiter* previous = nullptr;
  waiter* next = nullptr;
  process* owner = nullptr;
  void* slot = nullptr;  // a put: T* to move from; a take: std::optional<T>* to fill
  bool queued = false;
  outcome result = outcome::none;
};

/// Waiters in order of arrival; guarded by the channel's lock.
class wait_queue {
 public:
  /// False: waiters_limit others wait already.
  [[nodiscard]] bool push(waiter& entry) noexcept;
  void remove(waiter& entry) noexcept;
  /// The first whose wait this call ended; null if none waits. Skips those that others claimed.
  waiter* pop_claimed() noexcept;

 private:
  void append(waiter& entry) noexcept;
  /// Takes out those whose wait another channel ended and who have not run since.
  void sweep(const process& except) noexcept;

  waiter* first_ = nullptr;
  waiter* last_ = nullptr;
  std::size_t size_ = 0;
};

/// The part of a channel that does not depend on T.
class channel_core {
 public:
  virtual ~channel_core() = default;
  void retain() noexcept { references_.fetch_add(1, std::memory_order_relaxed); }
  void release() noexcept {
    if (references_.fetch_sub(1, std::memory_order_acq_rel) == 1) delete this;
  }

  spinlock lock_;
  bool closed_ = false;
  wait_queue putters_;
  wait_queue takers_;

  /// Ends all that can no longer happen. Threads: any.
  void close() noexcept;

 private:
  std::atomic<std::uint32_t> references_{1};
};

template <class T>
class channel_state : public channel_core {
 public:
  explicit channel_state(std::size_t capacity)
      : capacity_(capacity),
        buffer_(capacity == 0 ? nullptr : std::allocator<T>{}.allocate(capacity)) {}
  ~channel_state() override {
    while (count_ > 0) pop();
    if (buffer_ != nullptr) std::allocator<T>{}.deallocate(buffer_, capacity_);
  }

  enum class attempt : unsigned char { would_wait, committed, closed };

  // Under the lock. `wake` is set to the process that the caller wakes after unlocking.
  attempt try_put(T& value, process*& wake) noexcept {
    if (closed_) return attempt::closed;
    if (waiter* taker = takers_.pop_claimed()) {
      static_cast<std::optional<T>*>(taker->slot)->emplace(std::move(value));
      taker->result = waiter::outcome::committed;
      wake = taker->owner;
      return attempt::committed;
    }
    if (count_ == capacity_) return attempt::would_wait;
    push(std::move(value));
    return attempt::committed;
  }

  attempt try_take(std::optional<T>& into, process*& wake) noexcept {
    if (count_ > 0) {
      into.emplace(pop());
      if (waiter* putter = putters_.pop_claimed()) {
        push(std::move(*static_cast<T*>(putter->slot)));
        putter->result = waiter::outcome::committed;
        wake = putter->owner;
      }
      return attempt::committed;
    }
    if (waiter* putter = putters_.pop_claimed()) {
      into.emplace(std::move(*static_cast<T*>(putter->slot)));
      putter->result = waiter::outcome::committed;
      wake = putter->owner;
      return attempt::committed;
    }
    return closed_ ? attempt::closed : attempt::would_wait;
  }

 private:
  void push(T&& value) noexcept {
    std::construct_at(buffer_ + wrap(first_ + count_), std::move(value));
    ++count_;
  }
  T pop() noexcept {
    T* const slot = buffer_ + first_;
    T value = std::move(*slot);
    std::destroy_at(slot);
    first_ = wrap(first_ + 1);
    --count_;
    return value;
  }
  [[nodiscard]] std::size_t wrap(std::size_t index) const noexcept {
    return index >= capacity_ ? index - capacity_ : index;
  }

  const std::size_t capacity_;
  T* const buffer_;
  std::size_t first_ = 0;
  std::size_t count_ = 0;
};

/// One put or take, to be awaited alone or as a case of a select. `Self` has `attempt_locked`.
template <class Self>
class operation {
 public:
  explicit operation(channel_core& core) noexcept : core_(&core) {}

  // The lock taken in await_ready is given back in await_suspend: one locking, no suspension
  // between the two.
  bool await_ready() noexcept {
    core_->lock_.lock();
    process* wake = nullptr;
    if (!self().attempt_locked(wake)) return false;
    core_->lock_.unlock();
    if (wake != nullptr) wake->wake();
    return true;
  }

  template <std::derived_from<promise_base> Promise>
  std::coroutine_handle<> await_suspend(std::coroutine_handle<Promise> caller) {
    process* const owner = caller.promise().process_;
    if (!enqueue_locked(*owner)) {
      core_->lock_.unlock();
      throw too_many_waiters{};
    }
    if (!owner->park(caller)) {
      remove_locked();
      core_->lock_.unlock();
      return caller;
    }
    core_->lock_.unlock();
    return next_to_run();
  }

  // For select and for blocking waits.
  [[nodiscard]] channel_core& core() const noexcept { return *core_; }
  [[nodiscard]] bool enqueue_locked(process& owner) noexcept {
    entry_.owner = &owner;
    entry_.slot = self().slot();
    return self().queue().push(entry_);
  }
  void remove_locked() noexcept {
    if (entry_.queued) self().queue().remove(entry_);
  }
  [[nodiscard]] bool chosen() const noexcept { return entry_.result != waiter::outcome::none; }

 protected:
  /// After the wait: false if it was a cancellation that ended it.
  [[nodiscard]] bool finish() noexcept {
    if (done_ || chosen()) return true;
    core_->lock_.lock();
    remove_locked();
    core_->lock_.unlock();
    return false;
  }

  channel_core* core_;
  waiter entry_;
  bool done_ = false;  // committed or closed without waiting

 private:
  Self& self() noexcept { return static_cast<Self&>(*this); }
};

template <class T>
class [[nodiscard]] take_operation : public operation<take_operation<T>> {
 public:
  using value_type = std::optional<T>;
  explicit take_operation(channel_state<T>& state) noexcept : operation<take_operation>(state) {}

  bool attempt_locked(process*& wake) noexcept {
    this->done_ = state().try_take(value_, wake) != channel_state<T>::attempt::would_wait;
    return this->done_;
  }
  wait_queue& queue() noexcept { return this->core_->takers_; }
  void* slot() noexcept { return &value_; }

  std::optional<T> await_resume() {
    if (!this->finish()) throw cancelled{};
    return std::move(value_);
  }

 private:
  channel_state<T>& state() noexcept { return static_cast<channel_state<T>&>(*this->core_); }
  std::optional<T> value_;
};

/// `Held` is T& (moves from the caller's value when it commits) or T (holds a copy).
template <class T, class Held>
class [[nodiscard]] put_operation : public operation<put_operation<T, Held>> {
 public:
  using value_type = bool;
  put_operation(channel_state<T>& state, Held value)
      : operation<put_operation>(state), value_(static_cast<Held&&>(value)) {}

  bool attempt_locked(process*& wake) noexcept {
    const auto tried = state().try_put(value_, wake);
    accepted_ = tried == channel_state<T>::attempt::committed;
    this->done_ = tried != channel_state<T>::attempt::would_wait;
    return this->done_;
  }
  wait_queue& queue() noexcept { return this->core_->putters_; }
  void* slot() noexcept { return std::addressof(value_); }

  bool await_resume() {
    if (!this->finish()) throw cancelled{};
    return this->done_ ? accepted_ : this->entry_.result == waiter::outcome::committed;
  }

 private:
  channel_state<T>& state() noexcept { return static_cast<channel_state<T>&>(*this->core_); }
  Held value_;
  bool accepted_ = false;
};

}  // namespace detail

template <class T>
  requires std::is_nothrow_move_constructible_v<T>
class channel {
 public:
  using value_type = T;

  /// Makes an unbuffered channel.
  channel() : state_(new detail::channel_state<T>(0)) {}
  explicit channel(fixed buffer) : state_(new detail::channel_state<T>(buffer.size)) {
    WHERRY_ASSERT(buffer.size > 0, "fixed{0} is no buffer: use channel<T>{}");
  }
  /// Takes over one reference to a state made elsewhere (see timeout.hpp).
  explicit channel(detail::channel_state<T>* state) noexcept : state_(state) {}

  channel(const channel& other) noexcept : state_(other.state_) { state_->retain(); }
  channel(channel&& other) noexcept : state_(std::exchange(other.state_, nullptr)) {}
  channel& operator=(channel other) noexcept {
    std::swap(state_, other.state_);
    return *this;
  }
  ~channel() {
    if (state_ != nullptr) state_->release();
  }

  /// Suspends: until a taker or the buffer has the value. False: the channel is closed, and the
  /// value stays with the caller. Errors: `cancelled` (the value stays), too_many_waiters.
  detail::put_operation<T, T&> put(T&& value) const { return {*state_, value}; }
  detail::put_operation<T, T> put(const T& value) const
    requires std::copy_constructible<T>
  {
    return {*state_, T(value)};
  }

  /// Suspends: until there is a value. Empty: closed and drained. Errors: `cancelled`,
  /// too_many_waiters.
  detail::take_operation<T> take() const { return detail::take_operation<T>{*state_}; }

  /// Puts if that needs no wait; moves from `value` only then. False: full, or closed.
  bool offer(T&& value) const {
    return now([&](auto*& wake) { return state_->try_put(value, wake); });
  }
  bool offer(const T& value) const
    requires std::copy_constructible<T>
  {
    return offer(T(value));
  }

  /// Takes if that needs no wait. Empty: nothing there, or closed.
  std::optional<T> poll() const {
    std::optional<T> value;
    now([&](auto*& wake) { return state_->try_take(value, wake); });
    return value;
  }

  /// Lets nothing more in; what is inside still comes out. Closing twice is closing once.
  void close() const noexcept { state_->close(); }

  friend bool operator==(const channel& a, const channel& b) noexcept {
    return a.state_ == b.state_;
  }

 private:
  template <class Attempt>
  bool now(Attempt attempt) const {
    detail::process* wake = nullptr;
    state_->lock_.lock();
    const auto tried = attempt(wake);
    state_->lock_.unlock();
    if (wake != nullptr) wake->wake();
    return tried == detail::channel_state<T>::attempt::committed;
  }

  detail::channel_state<T>* state_;
};

}  // namespace wherry
