// SPDX-License-Identifier: Apache-2.0
// A token bucket is a channel of tokens: who wants to do something takes one first. The bucket has
// room for a burst, and is refilled at the rate. It drops what does not fit: if the refill waited
// for room instead, it would come late, and with it a token more than the rate allows.
//
// Under virtual time, the moment at which each call may go is exact.

#include <cstdio>

#include "wherry/csp/direction.hpp"
#include "wherry/csp/scope.hpp"
#include "wherry/csp/sleep.hpp"

namespace {

using namespace std::chrono_literals;
using namespace wherry;

struct token {};

task<> refill(put_channel<token> bucket, duration interval) {
  do {
    co_await sleep_for(interval);
  } while (co_await bucket.put(token{}));
}

task<> call(int number, take_channel<token> bucket) {
  co_await bucket.take();
  const std::chrono::duration<double> now = scheduler::current().now().time_since_epoch();
  std::printf("%4.1f s  call %d\n", now.count(), number);
}

task<> five_calls_at_once(int first, take_channel<token> bucket) {
  for (int number = first; number < first + 5; ++number) co_await call(number, bucket);
}

task<> run_limited() {
  channel<token> bucket{dropping{3}};
  for (int each = 0; each < 3; ++each) bucket.offer(token{});
  co_await with_scope([&](scope& all) -> task<> {
    all.go(refill(bucket, 500ms));
    co_await five_calls_at_once(1, bucket);  // three at once, then one each half second
    co_await sleep_for(10200ms);             // time enough to fill it three times over
    co_await five_calls_at_once(6, bucket);
    bucket.close();
  });
}

}  // namespace

int main() {
  virtual_scheduler scheduler{1};
  scheduler.run(run_limited());
}
