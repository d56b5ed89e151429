// SPDX-License-Identifier: Apache-2.0
// Goal: the same engine on several threads, where a sanitizer can see its races. No order and no
// time is asserted, only that everything ends, once.

#include "subject.hpp"

namespace wherry::test {
namespace {

scripted mixed() {
  return {.on_first = [](first at, step_context context) -> task<said> {
            if (at.number % 5 == 0) co_await pause_below(3ms);
            if (at.number % 7 == 3 && context.attempt == 1) throw 7;
            if (at.number % 50 == 49 && context.attempt == 1) co_return transient{"flaky", 1ms};
            co_return second{at.number, at.lane};
          },
          .on_second = [](second at, step_context) -> task<said> {
            if (at.number % 10 == 9) co_return permanent{"no"};
            co_return last{at.number};
          }};
}

}  // namespace

TEST_SUITE("engine/thread") {
  TEST_CASE("many machines on several threads all end once") {
    for (const int threads : {2, 3, 4}) {
      CAPTURE(threads);
      on_threads(threads, []() -> task<> {
        const auto inner = open_memory_store();
        watched_store store{*inner};
        std::atomic<int> completed{0};
        scripted_engine subject{
            store, mixed(), {.window = 64, .policy = {.first = 1ms, .cap = 5ms}}};
        subject.on_completed([&](const scripted_engine::finished&) { ++completed; });
        co_await run_all(subject, machines(2'000, 10));
        check_whole(*inner, 2'000);
        CHECK(completed == 1'800);
        CHECK(count_in(*inner, phase::dead) == 200);
        CHECK(store.leased_most <= 64);
        CHECK(store.leased == 0);
      });
    }
  }

  TEST_CASE("submissions and a stop from other processes race with steps and lose nothing") {
    for (const int threads : {2, 4}) {
      CAPTURE(threads);
      on_threads(threads, []() -> task<> {
        const auto store = open_memory_store();
        scripted_engine subject{*store, mixed(), {.policy = {.first = 1ms, .cap = 5ms}}};
        const auto submit_some = [&](int base) -> task<> {
          for (int i = 0; i < 50; ++i) {
            auto wanted = machines(10);
            for (auto& each : wanted) each.id += "." + std::to_string(base + i);
            REQUIRE(co_await subject.submit(std::move(wanted)));
            co_await pause(100us);
          }
        };
        const auto stop_later = [&]() -> task<> {
          co_await pause(8ms);
          subject.stop();
        };
        co_await with_scope([&](scope& all) -> task<> {
          all.go(run_well(subject, run_until::stopped));
          all.go(submit_some(0));
          all.go(submit_some(1'000));
          all.go(stop_later());
          co_return;
        });
        scripted_engine next{*store, mixed(), {.policy = {.first = 1ms, .cap = 5ms}}};
        co_await run_well(next, run_until::drained);
        check_whole(*store, 1'000);
        CHECK(subject.progress().completed + next.progress().completed == 900);
      });
    }
  }

  TEST_CASE("calls are paid for and lanes paused and states limited while many threads run steps") {
    for (const int threads : {2, 4}) {
      CAPTURE(threads);
      on_threads(threads, []() -> task<> {
        const auto inner = open_memory_store();
        watched_store store{*inner};
        std::atomic<int> calls{0}, inside{0}, most{0};
        scripted kind{.on_first = [&](first at, step_context context) -> task<said> {
                        co_await with_scope([&](scope& pages) -> task<> {
                          for (int i = 0; i < 3; ++i) {
                            pages.go([](step_context of, std::atomic<int>& to) -> task<> {
                              co_await of.call();
                              ++to;
                            }(context, calls));
                          }
                          co_return;
                        });
                        if (at.number % 9 == 4 && context.attempt == 1) throw 7;
                        co_return second{at.number, at.lane};
                      },
                      .on_second = [&](second at, step_context) -> task<said> {
                        const int now_inside = ++inside;
                        if (now_inside > most) most = now_inside;
                        co_await pause_below(2ms);
                        --inside;
                        co_return last{at.number};
                      }};
        const auto limits = [](std::string_view lane) {
          return lane_limits{.in_flight = 8,
                             .rate = lane.ends_with('1') ? 3'000.0 : 0.0,
                             .quotas = {{1'000'000, 1s}},
                             .adaptive = lane.ends_with('2'),
                             .breaker = {.failures = 50, .open_for = 2ms}};
        };
        scripted_engine subject{store,
                                kind,
                                {.window = 64,
                                 .limits = limits,
                                 .policies = {{"second", {.in_flight = 5}}},
                                 .policy = {.first = 1ms, .cap = 5ms}}};
        const auto pause_and_resume = [&]() -> task<> {
          for (int i = 0; i < 10; ++i) {
            const machine_filter lane{.lane = "lane " + std::to_string(i)};
            REQUIRE(co_await store.control(control_verb::pause, lane));
            co_await pause(1ms);
            REQUIRE(co_await store.control(control_verb::resume, lane));
            REQUIRE(co_await store.apply(
                {.verb = control_verb::prioritize, .filter = lane, .priority = i}));
          }
        };
        REQUIRE(co_await subject.submit(machines(500, 10)));
        co_await with_scope([&](scope& all) -> task<> {
          all.go(run_well(subject, run_until::drained));
          all.go(pause_and_resume());
          co_return;
        });
        check_whole(*inner, 500);
        CHECK(subject.progress().completed == 500);
        CHECK(calls >= 1'500);
        CHECK(most <= 5);
        CHECK(store.leased == 0);
      });
    }
  }

  TEST_CASE("a run that is cut off on several threads is finished by the next engine") {
    on_threads(3, []() -> task<> {
      const auto inner = open_memory_store();
      watched_store store{*inner};
      store.is_slow = true;
      {
        scripted_engine first_of_all{*inner, {}, {}};
        REQUIRE(co_await first_of_all.submit(machines(500, 10)));
      }
      for (int cuts = 0; cuts < 10; ++cuts) {
        scripted_engine subject{store, mixed(), {.policy = {.first = 1ms, .cap = 5ms}}};
        co_await with_scope([&](scope& all) -> task<> {
          all.go(run_well(subject, run_until::drained));
          co_await pause_below(12ms);
          all.cancel();
        });
        CHECK(store.leased == 0);
      }
      scripted_engine next{store, mixed(), {.policy = {.first = 1ms, .cap = 5ms}}};
      co_await run_well(next, run_until::drained);
      check_whole(*inner, 500);
    });
  }

  TEST_CASE("several processes that fail at once end the run with one error") {
    for (int round = 0; round < 20; ++round) {
      on_threads(4, []() -> task<> {
        const auto inner = open_memory_store();
        watched_store store{*inner};
        store.fails = [](std::string_view) { return true; };
        scripted_engine subject{store, mixed(), {.rescue_every = 1ms}};
        REQUIRE(co_await subject.submit(machines(100, 10)));
        const auto ended = co_await subject.run();
        REQUIRE_FALSE(ended.has_value());
        CHECK(ended.error().message.starts_with("no space for "));
      });
    }
  }
}

}  // namespace wherry::test
