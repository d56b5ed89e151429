// SPDX-License-Identifier: Apache-2.0
// Goal: limits count calls: each call of a step is paid for, first come first served, before steps
// that have not begun; a wait that is too long gives the machine back. Method: calls are logged
// inside the steps, under virtual time.

#include <algorithm>

#include "subject.hpp"
#include "wherry/csp/select.hpp"

namespace wherry::test {
namespace {

using times = std::vector<system_time>;

int most_within(const times& calls, std::chrono::milliseconds window) {
  std::ptrdiff_t most = 0;
  for (auto begin = calls.begin(); begin != calls.end(); ++begin) {
    most = std::max(most, std::lower_bound(begin, calls.end(), *begin + window) - begin);
  }
  return static_cast<int>(most);
}

/// Each first step makes `count` calls, each of which takes below 20 ms.
scripted calling(times& calls, int count) {
  return {.on_first = [&calls, count](first at, step_context context) -> task<said> {
            for (int i = 0; i < count; ++i) {
              if (i > 0) co_await context.call();
              calls.push_back(now());
              co_await pause_below(20ms);
            }
            co_return second{at.number, "free"};
          },
          .on_second = {}};
}

std::function<lane_limits(std::string_view)> limited(lane_limits limits) {
  return [limits](std::string_view lane) { return lane == "lane" ? limits : lane_limits{}; };
}

}  // namespace

TEST_SUITE("engine/call") {
  TEST_CASE("calls keep to the rate of their lane however many a step makes") {
    over_seeds(20, []() -> task<> {
      const auto store = open_memory_store();
      times calls;
      scripted_engine subject{
          *store, calling(calls, 5), {.limits = limited({.in_flight = 4, .rate = 20})}};
      const auto began = now();
      co_await run_all(subject, machines(20));
      CHECK(calls.size() == 100);
      CHECK(most_within(calls, 1s) <= 21);
      const auto took = now() - began;
      CHECK(took >= 4'950ms);
      CHECK(took < 5'200ms);
      CHECK(subject.progress().throttled == 0);
    });
  }

  TEST_CASE("calls keep to every quota of their lane") {
    over_seeds(20, []() -> task<> {
      const auto store = open_memory_store();
      times calls;
      const lane_limits limits{.in_flight = 4, .quotas = {{5, 1s}, {20, 10s}}};
      scripted_engine subject{
          *store, calling(calls, 2), {.limits = limited(limits), .call_wait = 1min}};
      co_await run_all(subject, machines(50));
      CHECK(calls.size() == 100);
      CHECK(most_within(calls, 1s) == 5);
      CHECK(most_within(calls, 10s) == 20);
    });
  }

  TEST_CASE("calls keep to the quotas of another lane in which they are paid also over restarts") {
    over_seeds(10, []() -> task<> {
      const auto store = open_memory_store();
      times calls;
      scripted kind{.on_first = [&](first at, step_context context) -> task<said> {
                      co_await context.call_in("app");
                      calls.push_back(now());
                      co_return second{at.number, "free"};
                    },
                    .on_second = {}};
      const engine_options options{.limits = [](std::string_view lane) {
        return lane == "app" ? lane_limits{.quotas = {{10, 1h}}} : lane_limits{.in_flight = 4};
      }};
      {
        scripted_engine subject{*store, kind, options};
        REQUIRE(co_await subject.submit(machines(25, 5)));
        co_await with_scope([&](scope& all) -> task<> {
          all.go(run_well(subject, run_until::stopped));
          co_await pause(10min);
          subject.stop();
        });
        CHECK(calls.size() == 10);
      }
      scripted_engine next{*store, kind, options};
      co_await run_well(next, run_until::drained);
      CHECK(calls.size() == 25);
      CHECK(most_within(calls, 1h) == 10);
      check_whole(*store, 25);
    });
  }

  TEST_CASE("a step that is under way comes before one that is not") {
    over_seeds(20, []() -> task<> {
      const auto store = open_memory_store();
      int begun = 0, inside_most = 0, inside = 0;
      scripted kind{.on_first = [&](first at, step_context context) -> task<said> {
                      ++begun;
                      inside_most = std::max(inside_most, ++inside);
                      for (int i = 0; i < 9; ++i) co_await context.call();
                      --inside;
                      co_return second{at.number, "free"};
                    },
                    .on_second = {}};
      scripted_engine subject{*store, kind, {.limits = limited({.in_flight = 100, .rate = 10})}};
      co_await run_all(subject, machines(20));
      CHECK(begun == 20);
      CHECK_MESSAGE(inside_most == 1, "else all would have begun and none would have ended");
    });
  }

  TEST_CASE("several calls of one step may wait at once") {
    over_seeds(20, []() -> task<> {
      const auto store = open_memory_store();
      times calls;
      scripted kind{.on_first = [&](first at, step_context context) -> task<said> {
                      co_await with_scope([&](scope& pages) -> task<> {
                        for (int i = 0; i < 10; ++i) {
                          pages.go([](step_context of, times& to) -> task<> {
                            co_await of.call();
                            to.push_back(now());
                          }(context, calls));
                        }
                        co_return;
                      });
                      co_return second{at.number, "free"};
                    },
                    .on_second = {}};
      scripted_engine subject{*store, kind, {.limits = limited({.rate = 100})}};
      co_await run_all(subject, machines(10));
      CHECK(calls.size() == 100);
      CHECK(most_within(calls, 100ms) <= 11);
    });
  }

  TEST_CASE("a call that would wait for too long gives the machine back with no attempt spent") {
    over_seeds(20, []() -> task<> {
      const auto store = open_memory_store();
      int runs = 0;
      bool ended = false;
      scripted kind{.on_first = [&](first at, step_context context) -> task<said> {
                      ++runs;
                      CHECK(context.attempt == 1);
                      co_await context.call();
                      co_await context.call();
                      ended = true;
                      co_return second{at.number, "free"};
                    },
                    .on_second = {}};
      const lane_limits limits{.quotas = {{3, 1h}}};
      {
        scripted_engine spender{*store, {}, {.limits = limited(limits)}};
        co_await run_all(spender, machines(1));  // one call of the hour is gone
      }
      scripted_engine subject{*store, kind, {.limits = limited(limits), .call_wait = 10s}};
      starts wanted = machines(2);
      wanted.erase(wanted.begin());
      REQUIRE(co_await subject.submit(std::move(wanted)));
      const auto began = now();
      co_await with_scope([&](scope& all) -> task<> {
        all.go(run_well(subject, run_until::drained));
        co_await pause(1min);
        const auto view = view_of(*store, "1");
        CHECK(view.phase == phase::waiting);
        CHECK(view.attempt == 1);
        CHECK(view.due > began + 59min);
        CHECK(view.error.find("lane \"lane\" has no further call") == 0);
        CHECK_MESSAGE(store->lane_states()[0].parked_until == system_time{},
                      "our own limits park no lane: they speak for themselves");
      });
      CHECK(runs == 2);
      CHECK(ended);
      CHECK(history_of(*store, "1").front().outcome == outcome_kind::postponed);
      check_whole(*store, 2);
    });
  }

  TEST_CASE("a call waits out a short park of its lane and not a long one") {
    over_seeds(20, []() -> task<> {
      const auto store = open_memory_store();
      std::map<int, system_time> called;
      const auto began = now();
      scripted kind{.on_first = [&](first at, step_context context) -> task<said> {
                      if (at.number == 0 && now() < began + 1s) {
                        co_await pause(1s);
                        co_return throttled{"429", now() + 5s};
                      }
                      co_await pause(2s);
                      co_await context.call();
                      called[at.number] = now();
                      co_return second{at.number, "free"};
                    },
                    .on_second = {}};
      scripted_engine subject{*store, kind, {.call_wait = 10s}};
      co_await run_all(subject, machines(2));
      CHECK(called[1] == began + 6s);
      CHECK(subject.progress().throttled == 1);
    });
  }

  TEST_CASE("a wait that is unwound leaves its place to the next") {
    over_seeds(50, []() -> task<> {
      const auto store = open_memory_store();
      times calls;
      scripted kind{.on_first = [&](first at, step_context context) -> task<said> {
                      if (at.number % 2 == 0) {  // gives up while it waits
                        co_await with_scope([&](scope& all) -> task<> {
                          all.go([](step_context of) -> task<> { co_await of.call(); }(context));
                          co_await pause_below(40ms);
                          all.cancel();
                        });
                      } else {
                        co_await context.call();
                        calls.push_back(now());
                      }
                      co_return second{at.number, "free"};
                    },
                    .on_second = {}};
      scripted_engine subject{*store, kind, {.limits = limited({.in_flight = 8, .rate = 50})}};
      co_await run_all(subject, machines(40));
      CHECK(calls.size() == 20);
      check_whole(*store, 40);
    });
  }

  TEST_CASE("a step that waits for its lane is given back before its time limit calls it failed") {
    over_seeds(10, []() -> task<> {
      const auto store = open_memory_store();
      int runs = 0;
      scripted kind{.on_first = [&](first at, step_context context) -> task<said> {
                      CHECK(context.attempt == 1);
                      if (++runs == 1) co_await context.call();
                      co_return second{at.number, "free"};
                    },
                    .on_second = {}};
      scripted_engine subject{*store,
                              kind,
                              {.limits = limited({.rate = 1, .per = 20s}),
                               .policies = {{"first", {.time_limit = 5s}}},
                               .call_wait = 1h}};
      co_await run_all(subject, machines(1));
      CHECK(runs == 2);
      CHECK(history_of(*store, "0").front().outcome == outcome_kind::postponed);
      CHECK(subject.progress().completed == 1);
    });
  }

  TEST_CASE("calls are still paid for while a stop waits for its steps") {
    over_seeds(20, []() -> task<> {
      const auto store = open_memory_store();
      times calls;
      scripted_engine subject{
          *store, calling(calls, 4), {.limits = limited({.in_flight = 2, .rate = 10})}};
      REQUIRE(co_await subject.submit(machines(10)));
      co_await with_scope([&](scope& all) -> task<> {
        all.go(run_well(subject, run_until::stopped));
        co_await pause(50ms);
        subject.stop();
      });
      CHECK(calls.size() == 4);
      CHECK(view_of(*store, "0").state == "second");
      CHECK(subject.progress().running == 0);
    });
  }

  TEST_CASE("in a test of a step alone calls are free") {
    over_seeds(1, []() -> task<> {
      const step_context alone{};
      const auto began = now();
      for (int i = 0; i < 100; ++i) co_await alone.call();
      CHECK(now() == began);
    });
  }
}

}  // namespace wherry::test
