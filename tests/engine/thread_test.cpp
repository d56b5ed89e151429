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
