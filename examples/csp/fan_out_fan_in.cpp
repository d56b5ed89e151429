// SPDX-License-Identifier: Apache-2.0
// Many workers on one channel of jobs, and one channel for what they all make. Whoever is free
// takes the next job; each worker closes its results when there are no more jobs, and the merged
// channel closes after the last of them. A job that fails is a value, too, and stops nobody.
//
// Under virtual time: three workers, 1 s to 4 s a job, and 12 s of work in 5 s.

#include <cstdio>
#include <stdexcept>
#include <string>
#include <vector>

#include "wherry/csp/failure.hpp"
#include "wherry/csp/merge.hpp"
#include "wherry/csp/sequence.hpp"
#include "wherry/csp/sleep.hpp"

namespace {

using namespace std::chrono_literals;
using namespace wherry;

struct job {
  std::string name;
  std::chrono::seconds takes;
};

task<std::string> carry_out(job now) {
  co_await sleep_for(now.takes);
  if (now.name == "scuttle") throw std::runtime_error(now.name + ": not this ship");
  co_return now.name + " done";
}

task<> work(take_channel<job> jobs, put_channel<result<std::string>> done) {
  while (auto next = co_await jobs.take()) {
    result<std::string> outcome;
    try {
      outcome = co_await carry_out(*next);
    } catch (const std::exception&) {
      outcome = std::unexpected(failure::from_current());
    }
    co_await done.put(std::move(outcome));
  }
  done.close();
}

task<> three_workers() {
  const auto jobs = to_channel(
      std::vector<job>{{"load", 3s}, {"row", 4s}, {"scuttle", 1s}, {"bail", 1s}, {"unload", 3s}});
  co_await with_scope([&](scope& crew) -> task<> {
    std::vector<channel<result<std::string>>> each_done(3);
    for (const auto& done : each_done) crew.go(work(jobs, done));
    const auto all_done = merge(each_done, {.in = &crew});
    while (const auto outcome = co_await all_done.take()) {
      const auto now = scheduler::current().now().time_since_epoch();
      std::printf("%lld s  %s\n", static_cast<long long>(now / 1s),
                  outcome->has_value() ? (*outcome)->c_str() : outcome->error().what().c_str());
    }
  });
}

}  // namespace

int main() {
  virtual_scheduler scheduler{1};
  scheduler.run(three_workers());
}
