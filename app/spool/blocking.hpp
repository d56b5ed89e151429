// SPDX-License-Identifier: Apache-2.0
#pragma once
// Work that blocks, as a step of a process that may be cancelled.

#include <stop_token>
#include <utility>

#include "wherry/csp/go.hpp"
#include "wherry/csp/scope.hpp"

namespace wherry::app {

/// Runs work(stop_token) on a thread that may block. Suspends: until it has ended, always: so it
/// may refer to the caller's frame. A caller that is cancelled asks it to stop first. Errors: what
/// it throws; `cancelled`.
template <class Work>
auto blocking(Work work) -> task<std::invoke_result_t<Work&, const std::stop_token&>> {
  std::stop_source stop;
  const auto running = thread([&work, token = stop.get_token()] { return work(token); });
  auto ended = decltype(running.take().await_resume()){};
  bool was_cancelled = false;
  try {
    ended = co_await running.take();
  } catch (const cancelled&) {
    was_cancelled = true;  // a handler cannot wait, so what follows is below
  }
  if (was_cancelled) {
    const auto guard = co_await shield();
    stop.request_stop();
    co_await running.take();
    throw cancelled{};
  }
  if (!ended->has_value()) ended->error().rethrow();
  co_return std::move(**ended);
}

}  // namespace wherry::app
