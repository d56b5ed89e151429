// SPDX-License-Identifier: Apache-2.0
#pragma once
// go and thread: start something and get a channel on which its result will come.
//
//   auto answer = go(fetch(url));                 a process of its own
//   auto digest = thread([=] { return hash(file); });   a thread that may block
//   result<int> r = *co_await answer.take();
//
// The channel holds one value and is then closed; nobody needs to take it.

#include <concepts>
#include <optional>
#include <type_traits>
#include <utility>

#include "wherry/csp/channel.hpp"
#include "wherry/csp/failure.hpp"
#include "wherry/csp/scheduler.hpp"
#include "wherry/csp/scope.hpp"

namespace wherry {
namespace detail {

template <class T>
task<void> deliver(task<T> body, channel<result<T>> to) {
  result<T> outcome = std::unexpected(failure::from_cancellation());
  try {
    task<T> running = std::move(body);  // what it holds is released before its result is out
    if constexpr (std::is_void_v<T>) {
      co_await std::move(running);
      outcome = result<T>{};
    } else {
      outcome = co_await std::move(running);
    }
  } catch (const cancelled&) {
    outcome = std::unexpected(failure::from_cancellation());
  } catch (...) {
    outcome = std::unexpected(failure::from_current());
  }
  to.offer(std::move(outcome));
  to.close();
}

}  // namespace detail

/// Starts `body` as a process in the scheduler's own scope, and gives a channel that holds its
/// result, once, and is then closed. What it throws comes as a `failure`, and cancels nobody. It
/// ends at the latest when the scheduler's run does: what still waits then is cancelled.
/// Does not suspend: `body` runs at the caller's next wait, or beside it.
/// Requires: called from a process. Source: core.async go; a scope's `go` gives no channel.
template <class T>
channel<result<T>> go(task<T> body) {
  channel<result<T>> outcome{fixed{1}};
  scheduler::current().root_scope().start(detail::deliver(std::move(body), outcome));
  return outcome;
}

/// Runs `work` on a thread of the scheduler's bounded pool, where it may block, and gives a channel
/// with its result as `go` does; beyond the bound it waits its turn. What it captured is released
/// before its result is out. Cannot be cancelled: a caller that is goes on without the result.
/// Requires: called from a process. Source: core.async thread.
template <std::invocable Work>
auto thread(Work work) -> channel<result<std::invoke_result_t<Work&>>> {
  using value = std::invoke_result_t<Work&>;
  channel<result<value>> outcome{fixed{1}};
  std::optional<Work> body(std::move(work));
  scheduler::current().post_blocking([outcome, held = std::move(body)]() mutable {
    auto run = [&]() -> result<value> {
      try {
        if constexpr (std::is_void_v<value>) {
          (*held)();
          return {};
        } else {
          return (*held)();
        }
      } catch (...) {
        return std::unexpected(failure::from_current());
      }
    };
    auto had = run();
    held.reset();  // as above
    outcome.offer(std::move(had));
    outcome.close();
  });
  return outcome;
}

}  // namespace wherry
