// SPDX-License-Identifier: Apache-2.0
#pragma once
// A process: one chain of tasks that runs on its own, as started by `go`, `scope::go` or
// `scheduler::run`. It waits for at most one thing at a time. It lives in the frame of its body.
//
// Invariants
// 1. It parks (wait_word.hpp) after every queue that may wake it holds its waiter.
// 2. Who claims it calls `wake` once, and touches neither process nor waiter afterwards.
// 3. A process that was woken removes the waiters that are still queued before it goes on. Until
//    then they may be read, under their channel's lock, by others; a failed claim tells them to
//    skip.

#include <coroutine>

#include "wherry/csp/wait_word.hpp"

namespace wherry {

/// Unwinds a task whose scope was cancelled. Not a std::exception, so that a handler for errors
/// does not swallow it; catch it only to clean up, and rethrow.
struct cancelled {};

namespace detail {

class scope_state;

class process {
 public:
  process() noexcept {}
  process(const process&) = delete;
  process& operator=(const process&) = delete;

  /// Starts a wait: from now on `claim` may succeed and `resume` may be called, on any thread.
  /// False if the process is cancelled and must not wait.
  [[nodiscard]] bool park(std::coroutine_handle<> resume) noexcept {
    resume_ = resume;
    return word_.park();
  }
  /// Ends the wait, for the caller to wake. False: another claim was first.
  [[nodiscard]] bool claim() noexcept { return word_.claim(); }
  /// Makes a claimed process runnable. The process may be gone when this returns.
  void wake() noexcept;
  /// Asks the process to unwind. True: it was waiting, and the caller must wake it.
  [[nodiscard]] bool cancel() noexcept { return word_.cancel(); }

  /// Whether its wait can still be claimed. Requires: the lock of a channel that holds its waiter.
  [[nodiscard]] bool is_parked() const noexcept { return word_.is_parked(); }
  void shield() noexcept { word_.shield(); }
  void unshield() noexcept { word_.unshield(); }

  // What it is a member of, and its place in the list there, guarded by that scope's lock; set when
  // it starts.
  scope_state* scope_ = nullptr;  // null: a blocked_thread, or the body of none
  process* previous_in_scope_;
  process* next_in_scope_;

 private:
  std::coroutine_handle<> resume_;  // valid while parked
  basic_wait_word<> word_;
};

/// What every promise of ours carries: the process that it runs in.
struct promise_base {
  process* process_ = nullptr;
};

}  // namespace detail
}  // namespace wherry
