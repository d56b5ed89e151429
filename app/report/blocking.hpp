// SPDX-License-Identifier: Apache-2.0
#pragma once
// Work that blocks, off the scheduler: it may refer to what the caller holds, for a caller that is
// cancelled waits until it has heard of it. Internal to app/report.

#include <optional>
#include <stop_token>
#include <type_traits>
#include <utility>

#include "wherry/csp/go.hpp"

namespace wherry::app {

/// Calls work(token) on a thread of its own, and gives what it returns.
/// Suspends: until it has. Cancelled: `token` is told, and `cancelled` leaves once it has returned.
/// Errors: what it throws.
template <class Work>
task<std::invoke_result_t<Work&, const std::stop_token&>> in_a_thread(Work work) {
  using answer = std::invoke_result_t<Work&, const std::stop_token&>;
  std::stop_source stop;
  const auto running = thread([&, token = stop.get_token()] { return work(token); });
  std::optional<result<answer>> done;
  bool was_cancelled = false;
  try {
    done = co_await running.take();
  } catch (const cancelled&) {
    was_cancelled = true;  // a handler cannot wait, so what follows is below
  }
  if (was_cancelled) {
    const auto guard = co_await shield();
    stop.request_stop();
    co_await running.take();
    throw cancelled{};
  }
  if (!done->has_value()) done->error().rethrow();
  co_return std::move(done->value());
}

}  // namespace wherry::app
