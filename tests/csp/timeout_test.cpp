// SPDX-License-Identifier: Apache-2.0
// Goal: a timeout is never early, comes in order, and leaves no timer behind. Method: virtual time,
// where a run that has only a removed timer left is a deadlock, and says so.

#include "wherry/csp/timeout.hpp"

#include <stdexcept>
#include <vector>

#include "subject.hpp"
#include "wherry/csp/select.hpp"

namespace {

using namespace wherry;
using namespace wherry::test;

steady_time now() { return scheduler::current().now(); }

task<> note_after(duration how_long, std::vector<duration>* ended) {
  co_await pause(how_long);
  ended->push_back(how_long);
}

}  // namespace

TEST_SUITE("csp/timeout") {
  TEST_CASE("a timeout closes exactly when it is due under virtual time") {
    over_seeds(many, []() -> task<> {
      const auto begin = now();
      CHECK_FALSE(co_await timeout(70ms).take());
      CHECK(now() - begin == 70ms);
      co_await timeout_at(begin + 1s).take();
      CHECK(now() - begin == 1s);
    });
  }

  TEST_CASE("calendar time goes along with virtual time") {
    over_seeds(1, []() -> task<> {
      const auto begin = scheduler::current().system_now();
      co_await pause(1h);
      CHECK(scheduler::current().system_now() - begin == 1h);
    });
  }

  TEST_CASE("a timeout is never early in real time") {
    on_threads(1, []() -> task<> {
      co_await with_scope([](scope& all) -> task<> {
        for (int each = 0; each < 200; ++each) {
          all.go([](duration how_long) -> task<> {
            const auto begin = now();
            co_await timeout(how_long).take();
            CHECK(now() - begin >= how_long);
          }(std::chrono::microseconds(each * 37 % 2'000)));
        }
        co_return;
      });
    });
  }

  TEST_CASE("timeouts come in the order of their deadlines and not of their making") {
    over_seeds(many, []() -> task<> {
      std::vector<duration> ended;
      co_await with_scope([&](scope& all) -> task<> {
        for (const auto each : {5ms, 1ms, 4ms, 2ms, 3ms, 9ms, 7ms, 8ms, 6ms}) {
          all.go(note_after(each, &ended));
        }
        co_return;
      });
      CHECK(ended == std::vector<duration>{1ms, 2ms, 3ms, 4ms, 5ms, 6ms, 7ms, 8ms, 9ms});
    });
  }

  TEST_CASE("a timeout of zero or less is closed at once") {
    over_seeds(many, []() -> task<> {
      const auto begin = now();
      for (const duration each : {duration(0), duration(-5s), duration::min()}) {
        const auto past = timeout(each);
        CHECK((co_await select(or_default, past.take())).index() == 0);
      }
      CHECK((co_await select(or_default, timeout_at(begin - 1s).take())).index() == 0);
      CHECK(now() == begin);
    });
  }

  TEST_CASE("a timeout beyond the clock never comes") {
    over_seeds(many, []() -> task<> {
      co_await pause(1s);  // so that now is not the clock's zero
      for (const auto each : {duration::max(), duration::max() - 1ms}) {
        const auto never = timeout(each);
        CHECK((co_await select(never.take(), timeout(24h).take())).index() == 1);
      }
    });
  }

  TEST_CASE("dropping the last handle removes the timer") {
    over_seeds(many, []() -> task<> {
      const auto begin = now();
      {
        const auto unused = timeout(1h);
        const auto copy = unused;
      }
      channel<int> ready{fixed{1}};
      ready.offer(1);
      CHECK((co_await select(priority, ready.take(), timeout(1h).take())).index() == 0);
      co_await pause(2h);
      CHECK(now() - begin == 2h);
    });
    virtual_scheduler home;
    const auto stuck = []() -> task<> {
      { const auto unused = timeout(1h); }
      co_await channel<int>{}.take();
    };
    CHECK_THROWS_AS(home.run(stuck()), std::logic_error);
    CHECK(home.now() == steady_time{});  // not a step towards a timer that is gone
  }

  TEST_CASE("timers removed from anywhere in the heap leave the others in order") {
    over_seeds(many, []() -> task<> {
      std::vector<duration> ended;
      co_await with_scope([&](scope& all) -> task<> {
        std::vector<take_channel<std::monostate>> dropped;
        for (int each = 0; each < 60; ++each) {
          const auto how_long = std::chrono::milliseconds(1 + each * 37 % 101);
          if (each % 3 == 0) {
            all.go(note_after(how_long, &ended));
          } else {
            dropped.push_back(timeout(how_long));
          }
        }
        co_await pause(500us);
        while (!dropped.empty()) {
          std::swap(dropped[detail::draw() % dropped.size()], dropped.back());
          dropped.pop_back();
        }
      });
      CHECK(ended.size() == 20);
      CHECK(std::ranges::is_sorted(ended));
    });
  }

  TEST_CASE("a hundred thousand timeouts pend at once") {
    over_seeds(1, []() -> task<> {
      std::vector<take_channel<std::monostate>> pending;
      for (int each = 0; each < 100'000; ++each) {
        pending.push_back(timeout(std::chrono::milliseconds(1 + each * 7919L % 100'003)));
      }
      co_await pause(50s);
      int closed = 0;
      for (const auto& each : pending) {
        closed += (co_await select(or_default, each.take())).index() == 0 ? 1 : 0;
      }
      CHECK(closed > 49'900);
      CHECK(closed < 50'100);
    });
  }

  // The process that a timeout wakes drops that very timeout, often while it is still firing.
  TEST_CASE("a timeout may be dropped on one thread while it fires on another") {
    on_threads(3, []() -> task<> {
      co_await with_scope([](scope& all) -> task<> {
        for (int each = 0; each < 50; ++each) {
          all.go([]() -> task<> {
            for (int round = 0; round < 100; ++round) {
              channel<int> quiet;
              co_await select(quiet.take(), timeout(5us).take());
              { const auto dropped = timeout(3us); }
            }
          }());
        }
        co_return;
      });
    });
  }
}
