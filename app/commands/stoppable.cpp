// SPDX-License-Identifier: Apache-2.0
#include "commands/stoppable.hpp"

#include <csignal>
#include <utility>
#include <variant>

#include "commands/signals.hpp"
#include "wherry/csp/go.hpp"
#include "wherry/csp/select.hpp"

namespace wherry::app {
namespace {

/// Unwinds `work` when `stop` closes.
task<int> run_unless(channel<std::monostate> stop, task<int> work) {
  int status = stopped_by_signal;
  const auto done = go(std::move(work));
  const auto chosen = co_await select(priority, done.take(), stop.take());
  if (chosen.index() == 0) {
    const auto& ended = *std::get<0>(chosen);
    if (!ended) ended.error().rethrow();
    status = *ended;
  }
  co_return status;  // what still runs is unwound with the scheduler's run
}

}  // namespace

int run_until_stopped(task<int> work) {
  thread_scheduler scheduler;
  channel<std::monostate> stop;
  const stop_signals listening([&] { stop.close(); });
  return scheduler.run(run_unless(stop, std::move(work)));
}

}  // namespace wherry::app
