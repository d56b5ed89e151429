// SPDX-License-Identifier: Apache-2.0
// What somebody builds who has nothing of Wherry but the installation.
#include <wherry/csp/go.hpp>
#include <wherry/csp/pipeline.hpp>
#include <wherry/csp/reduce.hpp>
#include <wherry/csp/sequence.hpp>

#include <cstdio>
#include <functional>
#include <ranges>

using namespace wherry;

task<int> sum_of_squares() {
  const channel<int> squares;
  pipeline(to_channel(std::views::iota(1, 11)),
           transforms::map([](int each) { return each * each; }), squares, {.parallel = 2});
  co_return *co_await reduce(std::plus<>{}, 0, squares).take();
}

task<int> started() { co_return **co_await go(sum_of_squares()).take(); }

int main() {
  thread_scheduler scheduler;
  std::printf("385 = %d\n", scheduler.run(started()));
}
