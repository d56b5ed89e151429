// SPDX-License-Identifier: Apache-2.0
#pragma once
// timeout(d): a channel that closes after d. Used alone it is a pause, as a case of a select it is
// a limit; a `timeout` that is kept is one limit for many waits. Time is the scheduler's, real or
// virtual. Dropping the last handle removes the timer.
//
//   auto first = co_await select(answers.take(), timeout(2s).take());   1: it took too long
//
// Threads: made in a process; taken from, copied and dropped on any thread.
// Source: core.async timeout, which may share one channel between callers; this does not.

#include <variant>

#include "wherry/csp/direction.hpp"
#include "wherry/csp/scheduler.hpp"

namespace wherry {
namespace detail {

class timeout_state final : public channel_core, private timer {
 public:
  timeout_state(scheduler& home, steady_time at, steady_time now)
      : channel_core(waiters_limit{}.count), home_(home) {
    due = at;
    fire = [](timer& self) noexcept { static_cast<timeout_state&>(self).close(); };
    if (at <= now) {
      closed_ = true;
    } else if (at != steady_time::max()) {
      home_.add_timer(*this);
    }
  }
  ~timeout_state() override { home_.remove_timer(*this); }

  waiter::outcome try_take(std::optional<std::monostate>&, wake_list&) noexcept {
    return closed_ ? waiter::outcome::closed : waiter::outcome::none;
  }

 private:
  scheduler& home_;
};

}  // namespace detail

/// Makes a channel that never has a value and closes at `due`; at once if that is past; never if it
/// is `steady_time::max()`. Never early. It cannot be closed otherwise.
/// Requires: called from a process; dropped before its scheduler is.
inline take_channel<std::monostate> timeout_at(steady_time due) {
  auto& home = scheduler::current();
  return {detail::adopt, new detail::timeout_state(home, due, home.now())};
}

/// As timeout_at, `after` from now; `duration::max()` and what else is beyond the clock is never.
inline take_channel<std::monostate> timeout(duration after) {
  auto& home = scheduler::current();
  const auto now = home.now();
  return {detail::adopt, new detail::timeout_state(home, detail::time_after(now, after), now)};
}

}  // namespace wherry
