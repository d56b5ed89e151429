// SPDX-License-Identifier: Apache-2.0
#pragma once
// One put or one take: to be awaited alone, as a case of a select, or by a plain thread. It knows a
// channel by a port: where its core is, and how to try without waiting.
//
// How: under the channel's lock it tries; if that would wait, it queues its waiter and parks the
// process, and only then gives the lock back. Whoever ends the wait gives it its outcome and wakes.

#include <algorithm>
#include <atomic>
#include <concepts>
#include <coroutine>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <stdexcept>
#include <string>
#include <utility>

#include "wherry/csp/scheduler.hpp"
#include "wherry/csp/spinlock.hpp"
#include "wherry/csp/wait_queue.hpp"

namespace wherry {

/// Thrown to the process that would be one too many: work piles up where it should be bounded.
class too_many_waiters : public std::length_error {
 public:
  explicit too_many_waiters(std::size_t limit)
      : std::length_error(std::to_string(limit) +
                          " processes wait on this channel already: give it a buffer, bound the "
                          "number of processes that use it, or raise its waiters_limit") {}
};

namespace detail {

/// The part of a channel that does not depend on what it carries.
class channel_core {
 public:
  explicit channel_core(std::size_t limit) noexcept
      : waiters_limit_(static_cast<std::uint32_t>(std::min<std::size_t>(limit, UINT32_MAX))) {}
  channel_core(const channel_core&) = delete;
  channel_core& operator=(const channel_core&) = delete;
  virtual ~channel_core() = default;

  void retain() noexcept { references_.fetch_add(1, std::memory_order_relaxed); }
  void release() noexcept {
    if (references_.fetch_sub(1, std::memory_order_acq_rel) == 1) delete this;
  }

  /// Ends all that can no longer happen. Threads: any.
  void close() noexcept {
    wake_list wakes;
    lock_.lock();
    close_locked(wakes);
    lock_.unlock();
    wakes.wake_all();
  }
  /// The same under the lock.
  virtual void close_locked(wake_list& wakes) noexcept;

  wait_queue putters_;
  wait_queue takers_;
  const std::uint32_t waiters_limit_;
  spinlock lock_;
  std::atomic<bool> closed_ = false;

 private:
  std::atomic<std::uint32_t> references_{1};
};

/// `Self` has `attempt_locked`, `queue` and `prepare`; `Port` has `core`.
template <class Self, class Port, class Waiter>
class operation {
 public:
  explicit operation(Port port) noexcept : port_(port) {}

  // The lock taken in await_ready is given back in await_suspend: one locking, no suspension
  // between the two.
  bool await_ready() noexcept {
    wake_list wakes;
    core().lock_.lock();
    if (!self().attempt_locked(wakes)) return false;
    core().lock_.unlock();
    wakes.wake_all();
    return true;
  }

  template <std::derived_from<promise_base> Promise>
  std::coroutine_handle<> await_suspend(std::coroutine_handle<Promise> caller) {
    return park(*caller.promise().process_, caller) ? next_to_run() : caller;
  }

  /// After await_ready was false. True: parked, and from then on this may be gone. False: it must
  /// not wait, for the process is cancelled. Errors: too_many_waiters.
  [[nodiscard]] bool park(process& owner, std::coroutine_handle<> resume) {
    const std::unique_lock guard(core().lock_, std::adopt_lock);
    if (!enqueue_locked(owner)) throw too_many_waiters(core().waiters_limit_);
    const bool parked = owner.park(resume);
    if (!parked) remove_locked();
    return parked;
  }

  [[nodiscard]] channel_core& core() const noexcept { return port_.core(); }
  [[nodiscard]] bool enqueue_locked(process& owner) noexcept {
    entry_.owner = &owner;
    self().prepare();
    return self().queue().push(entry_, core().waiters_limit_);
  }
  void remove_locked() noexcept {
    if (entry_.queued) self().queue().remove(entry_);
  }
  /// After a wait: whether it was chosen. If it was not, nobody will choose it any more.
  bool settle() noexcept {
    if (chosen()) return true;
    const std::lock_guard guard(core().lock_);
    remove_locked();
    return false;
  }
  /// Whether it has committed, or seen the close.
  [[nodiscard]] bool chosen() const noexcept { return entry_.result != waiter::outcome::none; }

 protected:
  /// After the wait. Errors: throws `cancelled` if that is what ended it.
  void finish() {
    if (!settle()) throw cancelled{};
  }

  Port port_;
  Waiter entry_;

 private:
  Self& self() noexcept { return static_cast<Self&>(*this); }
};

template <class T, class Port>
class [[nodiscard]] take_operation
    : public operation<take_operation<T, Port>, Port, take_waiter<T>> {
 public:
  using value_type = std::optional<T>;
  explicit take_operation(Port port) noexcept
      : operation<take_operation, Port, take_waiter<T>>(port) {}

  [[nodiscard]] bool may_commit() const noexcept { return this->port_.may_take(); }
  bool attempt_locked(wake_list& wakes) noexcept {
    this->entry_.result = this->port_.try_take(this->entry_.value, wakes);
    return this->chosen();
  }
  wait_queue& queue() noexcept { return this->core().takers_; }
  void prepare() noexcept {}

  std::optional<T> await_resume() {
    this->finish();
    // Not moved as a whole: to read in one piece what was just written in two stalls.
    auto& value = this->entry_.value;
    return value ? std::optional<T>(std::move(*value)) : std::nullopt;
  }
};

/// `Held` is T& (moves from the caller's value when it commits) or T (holds a copy).
template <class T, class Held, class Port>
class [[nodiscard]] put_operation
    : public operation<put_operation<T, Held, Port>, Port, put_waiter<T>> {
 public:
  using value_type = bool;
  put_operation(Port port, Held value)
      : operation<put_operation, Port, put_waiter<T>>(port), value_(static_cast<Held&&>(value)) {}

  [[nodiscard]] bool may_commit() const noexcept { return this->port_.may_put(); }

  bool attempt_locked(wake_list& wakes) noexcept {
    this->entry_.result = this->port_.try_put(value_, wakes);
    return this->chosen();
  }
  wait_queue& queue() noexcept { return this->core().putters_; }
  void prepare() noexcept { this->entry_.value = std::addressof(value_); }

  bool await_resume() {
    this->finish();
    return this->entry_.result == waiter::outcome::committed;
  }

 private:
  Held value_;
};

/// Tries once, without waiting. True: it has committed.
template <class Attempt>
bool try_now(channel_core& core, Attempt attempt) noexcept {
  wake_list wakes;
  core.lock_.lock();
  const auto tried = attempt(wakes);
  core.lock_.unlock();
  wakes.wake_all();
  return tried == waiter::outcome::committed;
}

/// A counted reference to a channel's core.
template <class Core>
class core_handle {
 public:
  explicit core_handle(Core* owned) noexcept : core_(owned) {}
  core_handle(const core_handle& other) noexcept : core_(other.core_) { core_->retain(); }
  template <std::derived_from<Core> Other>
  core_handle(const core_handle<Other>& other) noexcept : core_(other.get()) {
    core_->retain();
  }
  core_handle(core_handle&& other) noexcept : core_(std::exchange(other.core_, nullptr)) {}
  core_handle& operator=(core_handle other) noexcept {
    std::swap(core_, other.core_);
    return *this;
  }
  ~core_handle() {
    if (core_ != nullptr) core_->release();
  }
  [[nodiscard]] Core* get() const noexcept { return core_; }
  Core* operator->() const noexcept { return core_; }

 private:
  Core* core_;
};

}  // namespace detail
}  // namespace wherry
