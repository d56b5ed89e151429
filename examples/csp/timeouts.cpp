// SPDX-License-Identifier: Apache-2.0
// A timeout is a channel that closes, so every wait can have a limit: one answer, the beats of a
// heart, or a whole conversation. What was given up is cancelled, not left behind.
//
// Under virtual time: the clock that is printed stands still while anything can run.

#include <cstdio>
#include <optional>
#include <string>

#include "wherry/csp/scope.hpp"
#include "wherry/csp/select.hpp"
#include "wherry/csp/sleep.hpp"
#include "wherry/csp/timeout.hpp"

namespace {

using namespace std::chrono_literals;
using namespace wherry;

void say(const std::string& what) {
  const std::chrono::duration<double> now = scheduler::current().now().time_since_epoch();
  std::printf("%4.1f s  %s\n", now.count(), what.c_str());
}

task<> answer(put_channel<std::string> to, duration after) {
  co_await sleep_for(after);
  co_await to.put("42");
}

// The answer if it comes in time; if not, whoever works on it is cancelled.
task<std::optional<std::string>> ask(duration needs, duration limit) {
  std::optional<std::string> got;
  co_await with_scope([&](scope& asking) -> task<> {
    channel<std::string> answers;
    asking.go(answer(answers, needs));
    auto first = co_await select(answers.take(), timeout(limit).take());
    if (first.index() == 0) got = std::get<0>(std::move(first));
    asking.cancel();
  });
  co_return got;
}

task<> beat(put_channel<int> to, int times) {
  for (int each = 1; each <= times; ++each) {
    co_await sleep_for(1s);
    co_await to.put(each);
  }
}

// Each beat starts the limit anew; the deadline is one for all of them.
task<> watch(take_channel<int> beats, duration limit, duration at_most) {
  const auto deadline = timeout(at_most);
  for (;;) {
    const auto event =
        co_await select(priority, beats.take(), timeout(limit).take(), deadline.take());
    if (event.index() == 0) {
      say("beat " + std::to_string(std::get<0>(event).value()));
    } else {
      co_return say(event.index() == 1 ? "no beat: it is dead" : "enough: it is alive");
    }
  }
}

task<> observe(int times) {
  co_await with_scope([&](scope& all) -> task<> {
    channel<int> beats;
    all.go(beat(beats, times));
    co_await watch(beats, 3s, 4500ms);
    all.cancel();
  });
}

task<> everything() {
  say((co_await ask(1s, 2s)).value_or("no answer: given up"));
  say((co_await ask(9s, 2s)).value_or("no answer: given up"));
  co_await observe(1);
  co_await observe(100);
}

}  // namespace

int main() {
  virtual_scheduler scheduler{1};
  scheduler.run(everything());
}
