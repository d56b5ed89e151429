// SPDX-License-Identifier: Apache-2.0
#pragma once
// A scope owns the processes that it started: none outlives it. Cancelling a scope unwinds every
// wait inside it; the first process that fails cancels its siblings, and `join` rethrows its
// exception. So work that was started together ends together, and an error is never left behind in
// some process that nobody watches.
//
//   co_await with_scope([&](scope& all) -> task<> {
//     all.go(produce(ch));
//     all.go(consume(ch));
//     co_return;
//   });                                          // both have ended here, however they ended

#include <concepts>
#include <cstddef>
#include <exception>
#include <utility>

#include "wherry/csp/assert.hpp"
#include "wherry/csp/process.hpp"
#include "wherry/csp/scheduler.hpp"
#include "wherry/csp/spinlock.hpp"
#include "wherry/csp/task.hpp"

namespace wherry {
namespace detail {

/// The processes of a scope, and who waits for the last to end. Threads: any.
class scope_state {
 public:
  /// Its processes run on `home`. `on_empty` is called when the last has ended; null for all but
  /// the root scope of a scheduler, whose `drive` watches it.
  explicit scope_state(scheduler& home, void (*on_empty)(scheduler&) noexcept = nullptr) noexcept
      : home_(home), on_empty_(on_empty) {}
  scope_state(const scope_state&) = delete;
  scope_state& operator=(const scope_state&) = delete;
  ~scope_state() { WHERRY_ASSERT(count_ == 0, "a scope was destroyed before its processes ended"); }

  [[nodiscard]] scheduler& home() const noexcept { return home_; }
  /// Starts `body` as a process of this scope.
  void start(task<void> body) noexcept;
  /// Takes a process out that has ended, in two steps: after the first the process may go, after
  /// the second the scope. `exception`, if any, is kept if it is the first and cancels the others.
  void unlink(process& member, std::exception_ptr exception) noexcept;
  void leave() noexcept;
  void cancel() noexcept;
  [[nodiscard]] bool is_cancelled() noexcept;
  [[nodiscard]] bool empty() noexcept;
  /// Parks `joiner` until the scope is empty. False: it is empty, or `joiner` is cancelled.
  [[nodiscard]] bool park_until_empty(process& joiner, std::coroutine_handle<> resume) noexcept;
  void forget_joiner() noexcept;
  std::exception_ptr take_failure() noexcept;

 private:
  void enter(process& member) noexcept;
  void cancel_members() noexcept;

  spinlock lock_;
  bool cancelled_ = false;
  std::size_t count_ = 0;
  process* first_ = nullptr;
  process* joiner_ = nullptr;
  std::exception_ptr failure_;
  scheduler& home_;
  void (*const on_empty_)(scheduler&) noexcept;
};

struct current_process_awaiter {
  process* found = nullptr;
  bool await_ready() const noexcept { return false; }
  template <std::derived_from<promise_base> Promise>
  bool await_suspend(std::coroutine_handle<Promise> caller) noexcept {
    found = caller.promise().process_;
    return false;
  }
  process& await_resume() const noexcept { return *found; }
};

struct empty_scope_awaiter {
  scope_state& state;
  process* self = nullptr;
  bool await_ready() noexcept { return false; }
  template <std::derived_from<promise_base> Promise>
  std::coroutine_handle<> await_suspend(std::coroutine_handle<Promise> caller) noexcept {
    self = caller.promise().process_;
    if (!state.park_until_empty(*self, caller)) return caller;
    return next_to_run();
  }
  /// False: cancelled before the scope was empty.
  bool await_resume() noexcept {
    state.forget_joiner();
    return state.empty();
  }
};

}  // namespace detail

/// Keeps cancellation away from the waits of its process while it lives: for cleanup that must
/// itself wait. Obtained by `auto guard = co_await shield();`
class [[nodiscard]] shield_guard {
 public:
  explicit shield_guard(detail::process& shielded) noexcept : shielded_(&shielded) {
    shielded_->shield();
  }
  shield_guard(shield_guard&& other) noexcept
      : shielded_(std::exchange(other.shielded_, nullptr)) {}
  shield_guard& operator=(shield_guard&&) = delete;
  ~shield_guard() {
    if (shielded_ != nullptr) shielded_->unshield();
  }

 private:
  detail::process* shielded_;
};

/// Shields the calling process from cancellation until the guard is destroyed.
[[nodiscard]] inline auto shield() noexcept {
  struct awaiter : detail::current_process_awaiter {
    shield_guard await_resume() const noexcept { return shield_guard{*found}; }
  };
  return awaiter{};
}

/// Owns processes. Requires: joined before it is destroyed.
class scope {
 public:
  scope() : state_(scheduler::current()) {}

  /// Starts `body`. In a cancelled scope it starts too, and unwinds at its first wait.
  void go(task<void> body) { state_.start(std::move(body)); }

  /// Asks all processes, and all started later, to unwind. Threads: any.
  void cancel() noexcept { state_.cancel(); }
  [[nodiscard]] bool is_cancelled() noexcept { return state_.is_cancelled(); }

  /// Suspends: until every process has ended. If the caller is cancelled meanwhile, it cancels the
  /// scope, waits all the same, and unwinds. Errors: rethrows the first failure of a process.
  task<void> join();

 private:
  detail::scope_state state_;
};

/// Runs `body(scope)` as the first process of a new scope and joins it.
template <class Body>
  requires std::same_as<std::invoke_result_t<Body&, scope&>, task<void>>
task<void> with_scope(Body body) {
  scope owner;
  owner.go(body(owner));
  co_await owner.join();
}

}  // namespace wherry
