// SPDX-License-Identifier: Apache-2.0
#pragma once
// What the combinators have in common: their options, and who owns the processes that they start.
//
// 0. None suspends its caller: it starts processes, which run at the caller's next wait or beside
//    it, and gives a channel at once. They hold the channels that they were given.
// 1. Processes belong to the scope named by `.in`, or to the scheduler's own, as those of `go` do.
// 2. A function of yours that throws fails its process, and so its scope: `join` rethrows it, or,
//    without `.in`, the scheduler's `run` does. Nothing is swallowed.
// 3. However a process ends, by a close, a failure or a cancellation, it closes what it would have
//    closed at its end, so nobody waits for it in vain. What is in a channel by then still comes
//    out; a value that a cancelled process had taken and could not put on goes with it.
//
// Requires, of all of them: called from a process; a scope named by `.in` that is not joined yet,
// and functions whose references live as long as their processes.

#include <utility>

#include "wherry/csp/direction.hpp"
#include "wherry/csp/scheduler.hpp"
#include "wherry/csp/scope.hpp"

namespace wherry {

/// For what makes a channel and fills it.
struct output_options {
  /// Of the channel; by default puts wait for takes.
  any_buffer buffer{};
  /// Owns the processes. Default: the scheduler.
  scope* in = nullptr;
};

/// For what fills a channel of its caller.
struct filling_options {
  /// Whether that channel is closed at the end.
  bool closes = true;
  /// Owns the processes. Default: the scheduler.
  scope* in = nullptr;
};

/// For what does neither.
struct process_options {
  /// Owns the processes. Default: the scheduler.
  scope* in = nullptr;
};

namespace detail {

inline void start_in(scope* owner, task<void> body) {
  if (owner != nullptr) {
    owner->go(std::move(body));
  } else {
    scheduler::current().root_scope().start(std::move(body));
  }
}

/// Closes a channel when it goes.
template <class T>
class closing_end {
 public:
  explicit closing_end(put_channel<T> to, bool closes = true) : to_(std::move(to)), is_(closes) {}
  closing_end(const closing_end&) = delete;
  closing_end& operator=(const closing_end&) = delete;
  ~closing_end() {
    if (is_) to_.close();
  }

 private:
  put_channel<T> to_;
  bool is_;
};

}  // namespace detail
}  // namespace wherry
