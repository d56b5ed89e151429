// SPDX-License-Identifier: Apache-2.0
// The idea that Wherry grew from, in plain channels: state machines that circle through one
// channel. A loop takes a state and gives it to a thread that does one step; what comes back goes
// to the channel of completed ones, or round again; a step that failed goes round after a pause, in
// which nobody else waits. What the engine adds is that all this survives the process.
//
// Under virtual time, from one seed: the pauses take no time and the output is always the same.

#include <cstdio>
#include <stdexcept>
#include <string>
#include <variant>

#include "wherry/csp/go.hpp"
#include "wherry/csp/scope.hpp"
#include "wherry/csp/sleep.hpp"

namespace {

using namespace std::chrono_literals;
using wherry::channel;
using wherry::task;

struct downloadable {
  std::string client;
  int attempt = 1;
};
struct uploadable {
  std::string client;
  std::string rows;
};
struct completed {
  std::string client;
  std::string url;
};
using state = std::variant<downloadable, uploadable, completed>;

// The steps. They may block: each runs on a thread of its own.
state step(const downloadable& now) {
  if (now.client == "flaky" && now.attempt < 3) throw std::runtime_error("503 Service Unavailable");
  return uploadable{now.client, "rows of " + now.client};
}
state step(const uploadable& now) { return completed{now.client, "s3://reports/" + now.client}; }
state step(const completed& now) { return now; }

state once_more(state failed) {
  if (auto* download = std::get_if<downloadable>(&failed)) ++download->attempt;
  return failed;
}

// One step of one machine, and where its outcome goes.
task<> advance(state from, channel<state> states, channel<completed> done) {
  const auto work =
      wherry::thread([from] { return std::visit([](auto& s) { return step(s); }, from); });
  auto outcome = *co_await work.take();
  if (!outcome) {
    std::printf("a step failed (%s), again in 10 s\n", outcome.error().what().c_str());
    co_await wherry::sleep_for(10s);
    co_await states.put(once_more(from));
  } else if (auto* last = std::get_if<completed>(&*outcome)) {
    co_await done.put(*last);
  } else {
    co_await states.put(*outcome);
  }
}

task<> run_machines() {
  const std::string clients[] = {"acme", "flaky", "globex"};
  // Room for every machine, so that none waits to be put back.
  channel<state> states{wherry::fixed{std::size(clients)}};
  channel<completed> done;
  co_await wherry::with_scope([&](wherry::scope& all) -> task<> {
    for (const auto& client : clients) co_await states.put(downloadable{client});
    all.go([](wherry::scope& all, channel<state> states, channel<completed> done) -> task<> {
      while (auto next = co_await states.take()) all.go(advance(*next, states, done));
    }(all, states, done));
    for (std::size_t i = 0; i < std::size(clients); ++i) {
      const auto last = co_await done.take();
      std::printf("%s is at %s\n", last->client.c_str(), last->url.c_str());
    }
    states.close();
  });
}

}  // namespace

int main() {
  wherry::virtual_scheduler scheduler{1};
  scheduler.run(run_machines());
}
