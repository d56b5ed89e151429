// SPDX-License-Identifier: Apache-2.0
// Goal: a sleep ends when it is due, never before, or when it is cancelled, and leaves no timer.
// Method: virtual time for when; real threads for a cancellation that meets the timer.

#include "wherry/csp/sleep.hpp"

#include <stdexcept>
#include <vector>

#include "subject.hpp"

namespace {

using namespace wherry;
using namespace wherry::test;

steady_time now() { return scheduler::current().now(); }

task<> sleep_and_count(duration how_long, std::atomic<int>* ended) {
  co_await sleep_for(how_long);
  ++*ended;
}

}  // namespace

TEST_SUITE("csp/sleep") {
  TEST_CASE("a sleep ends exactly when it is due under virtual time") {
    over_seeds(many, []() -> task<> {
      const auto begin = now();
      co_await sleep_for(70ms);
      CHECK(now() - begin == 70ms);
      co_await sleep_until(begin + 1s);
      CHECK(now() - begin == 1s);
    });
  }

  TEST_CASE("a sleep is never early in real time") {
    on_threads(1, []() -> task<> {
      co_await with_scope([](scope& all) -> task<> {
        for (int each = 0; each < 200; ++each) {
          all.go([](duration how_long) -> task<> {
            const auto begin = now();
            co_await sleep_for(how_long);
            CHECK(now() - begin >= how_long);
          }(std::chrono::microseconds(each * 37 % 2'000)));
        }
        co_return;
      });
    });
  }

  TEST_CASE("a sleep until what is past lets others run and costs no time") {
    over_seeds(many, []() -> task<> {
      co_await sleep_for(1s);  // so that there is a past
      const auto begin = now();
      std::atomic<int> others = 0;
      co_await with_scope([&](scope& all) -> task<> {
        all.go([](std::atomic<int>* ran) -> task<> { co_return void(++*ran); }(&others));
        co_await sleep_until(begin - 1s);
        CHECK(others == 1);
        for (const duration each : {duration(0), duration(-5s), duration::min()}) {
          co_await sleep_for(each);
        }
      });
      CHECK(now() == begin);
    });
  }

  TEST_CASE("a cancelled sleep unwinds at once and leaves no timer") {
    over_seeds(many, []() -> task<> {
      const auto begin = now();
      std::atomic<int> ended = 0;
      co_await with_scope([&](scope& all) -> task<> {
        scope sleepers;
        sleepers.go(sleep_and_count(1h, &ended));
        sleepers.go(sleep_and_count(duration::max(), &ended));
        co_await settle();
        sleepers.cancel();
        co_await sleepers.join();
        all.cancel();
      });
      CHECK(ended == 0);
      CHECK(now() - begin == 1ms);
    });
    virtual_scheduler home;
    const auto stuck = []() -> task<> {
      std::atomic<int> ended = 0;
      scope sleepers;
      sleepers.go(sleep_and_count(1h, &ended));
      sleepers.cancel();
      co_await sleepers.join();
      co_await sleep_for(duration::max());
    };
    CHECK_THROWS_AS(home.run(stuck()), std::logic_error);
    CHECK(home.now() == steady_time{});  // not a step towards a timer that is gone
  }

  TEST_CASE("a cancellation and the timer that meet end a sleep once") {
    on_threads(50, []() -> task<> {
      std::atomic<int> ended = 0;
      scope sleepers;
      for (int each = 0; each < 100; ++each) {
        sleepers.go(sleep_and_count(std::chrono::microseconds(each), &ended));
      }
      co_await sleep_for(50us);
      sleepers.cancel();
      co_await sleepers.join();
      CHECK(ended <= 100);
    });
  }
}
