// SPDX-License-Identifier: Apache-2.0
#pragma once
// sleep_for and sleep_until: a process waits for time alone, without a channel.
//
//   co_await sleep_for(5s);           as `co_await timeout(5s).take()`, in less memory
//
// Use a timeout where time is one case of a select. Time is the scheduler's, real or virtual.

#include <concepts>
#include <coroutine>

#include "wherry/csp/scheduler.hpp"

namespace wherry {
namespace detail {

/// Lives in the frame of who sleeps. Whoever claims its process sets `slept_` before the wake-up.
class [[nodiscard]] sleep_operation : private timer {
 public:
  sleep_operation(scheduler& home, steady_time at) noexcept : home_(home) {
    due = at;
    fire = [](timer& self) noexcept { static_cast<sleep_operation&>(self).end(); };
  }
  sleep_operation(const sleep_operation&) = delete;
  sleep_operation& operator=(const sleep_operation&) = delete;

  bool await_ready() const noexcept { return false; }
  template <std::derived_from<promise_base> Promise>
  std::coroutine_handle<> await_suspend(std::coroutine_handle<Promise> caller) {
    owner_ = caller.promise().process_;
    return home_.park_until(*this, *owner_, caller) ? next_to_run() : caller;
  }
  void await_resume() {
    if (slept_) return;
    home_.remove_timer(*this);
    throw cancelled{};
  }

 private:
  void end() noexcept {
    if (!owner_->claim()) return;
    slept_ = true;
    owner_->wake();
  }

  scheduler& home_;
  process* owner_ = nullptr;
  bool slept_ = false;
};

}  // namespace detail

/// Suspends: until `due`, never less; if that is past, until others have had their turn.
/// Errors: `cancelled`. Requires: called from a process.
[[nodiscard]] inline auto sleep_until(steady_time due) {
  return detail::sleep_operation(scheduler::current(), due);
}

/// As sleep_until, `after` from now; `duration::max()` and what else is beyond the clock is never.
[[nodiscard]] inline auto sleep_for(duration after) {
  auto& home = scheduler::current();
  return detail::sleep_operation(home, detail::time_after(home.now(), after));
}

}  // namespace wherry
