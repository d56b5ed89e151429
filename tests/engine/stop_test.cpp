// SPDX-License-Identifier: Apache-2.0
// Goal: stopping: nothing new begins, what is under way may end within the grace period, what does
// not is unwound and its machine is as it was. And running: until drained, until stopped, again.

#include "subject.hpp"

namespace wherry::test {
namespace {

scripted slow(std::chrono::milliseconds longest) {
  return {.on_first = [longest](first at, step_context) -> task<said> {
            co_await pause_below(longest);
            co_return second{at.number, at.lane};
          },
          .on_second = [longest](second at, step_context) -> task<said> {
            co_await pause_below(longest);
            co_return last{at.number};
          }};
}

}  // namespace

TEST_SUITE("engine/stop") {
  TEST_CASE("after a stop nothing is leased and what is in flight is recorded") {
    over_seeds(100, []() -> task<> {
      const auto inner = open_memory_store();
      watched_store store{*inner};
      store.is_slow = true;
      scripted_engine subject{store, slow(200ms), {.window = 16}};
      REQUIRE(co_await subject.submit(machines(200, 20)));
      co_await with_scope([&](scope& all) -> task<> {
        all.go(run_well(subject, run_until::drained));
        co_await pause_below(400ms);
        subject.stop();
        const auto calls = store.lease_calls.load();
        co_await pause(2s);
        CHECK(store.lease_calls == calls);
      });
      CHECK(store.leased == 0);
      CHECK(subject.progress().running == 0);
      scripted_engine next{*inner, {}, {}};
      co_await run_well(next, run_until::drained);
      check_whole(*inner, 200);
      CHECK(subject.progress().completed + next.progress().completed == 200);
    });
  }

  TEST_CASE("steps beyond the grace period are unwound and their machines stay as they were") {
    over_seeds(30, []() -> task<> {
      const auto inner = open_memory_store();
      watched_store store{*inner};
      scripted kind{.on_first = [](first at, step_context) -> task<said> {
                      co_await pause(at.number % 2 == 0 ? 2s : 9min);
                      co_return second{at.number, at.lane};
                    },
                    .on_second = {}};
      scripted_engine subject{store, kind, {.grace = 10s}};
      REQUIRE(co_await subject.submit(machines(10)));
      co_await with_scope([&](scope& all) -> task<> {
        all.go(run_well(subject, run_until::stopped));
        co_await pause(1s);
        subject.stop();
      });
      CHECK(store.leased == 0);
      for (int i = 0; i < 10; ++i) {
        const auto view = view_of(*inner, std::to_string(i));
        CHECK(view.state == (i % 2 == 0 ? "second" : "first"));
        CHECK(view.phase == phase::ready);
        CHECK(view.attempt == 1);
        CHECK(view.version == (i % 2 == 0 ? 1 : 0));
        CHECK(view.error.empty());
      }
      scripted_engine next{*inner, {}, {}};
      co_await run_well(next, run_until::drained);
      check_whole(*inner, 10);
    });
  }

  TEST_CASE("a stopped engine ends as soon as its last step does") {
    over_seeds(10, []() -> task<> {
      const auto store = open_memory_store();
      scripted_engine subject{*store, slow(500ms), {.grace = 1h}};
      REQUIRE(co_await subject.submit(machines(10)));
      const auto began = now();
      co_await with_scope([&](scope& all) -> task<> {
        all.go(run_well(subject, run_until::stopped));
        co_await pause(100ms);
        subject.stop();
      });
      CHECK(now() - began < 1s);
    });
  }

  TEST_CASE("the longest grace there is waits for every step") {
    over_seeds(3, []() -> task<> {
      const auto store = open_memory_store();
      scripted_engine subject{*store, slow(500ms), {.grace = duration::max()}};
      REQUIRE(co_await subject.submit(machines(10)));
      co_await with_scope([&](scope& all) -> task<> {
        all.go(run_well(subject, run_until::stopped));
        co_await pause(1ms);
        subject.stop();
      });
      CHECK(count_in(*store, phase::ready) == 10);
      for (int i = 0; i < 10; ++i) CHECK(view_of(*store, std::to_string(i)).version == 1);
    });
  }

  TEST_CASE("a stop before run lets nothing begin") {
    over_seeds(10, []() -> task<> {
      const auto inner = open_memory_store();
      watched_store store{*inner};
      scripted_engine subject{store, {}, {}};
      REQUIRE(co_await subject.submit(machines(10)));
      subject.stop();
      co_await run_well(subject, run_until::drained);
      CHECK(store.lease_calls == 0);
    });
  }

  TEST_CASE("an engine that runs until stopped waits for later work and does it") {
    over_seeds(20, []() -> task<> {
      const auto store = open_memory_store();
      scripted_engine subject{*store, slow(50ms), {}};
      co_await with_scope([&](scope& all) -> task<> {
        all.go(run_well(subject, run_until::stopped));
        co_await pause(1min);
        for (int round = 0; round < 3; ++round) {
          auto wanted = machines(10);
          for (auto& each : wanted) each.id += " of " + std::to_string(round);
          REQUIRE(co_await subject.submit(std::move(wanted)));
          co_await pause(2s);
          CHECK(subject.progress().completed == static_cast<std::uint64_t>(10 * (round + 1)));
        }
        subject.stop();
      });
      check_whole(*store, 30);
    });
  }

  TEST_CASE("an engine that drained may run again") {
    over_seeds(10, []() -> task<> {
      const auto store = open_memory_store();
      scripted_engine subject{*store, slow(50ms), {}};
      co_await run_all(subject, machines(10));
      auto more = machines(20);
      more.erase(more.begin(), more.begin() + 10);
      co_await run_all(subject, std::move(more));
      check_whole(*store, 20);
      CHECK(subject.progress().completed == 20);
    });
  }

  TEST_CASE("an engine has drained as soon as its last machine is cancelled") {
    over_seeds(10, []() -> task<> {
      const auto store = open_memory_store();
      scripted_engine subject{*store, {}, {}};
      auto wanted = machines(1);
      wanted.front().due = now() + 1h;
      REQUIRE(co_await subject.submit(std::move(wanted)));
      const auto began = now();
      co_await with_scope([&](scope& all) -> task<> {
        all.go(run_well(subject, run_until::drained));
        co_await pause(1s);
        CHECK(co_await store->control(control_verb::cancel, {}) == 1u);
      });
      CHECK(now() - began == 1s);
    });
  }

  TEST_CASE(
      "what is due at once begins before all of it is promoted and a stop is heard meanwhile") {
    over_seeds(3, []() -> task<> {
      const auto inner = open_memory_store();
      watched_store store{*inner};
      store.is_slow = true;
      bool asked = false;
      scripted kind;
      scripted_engine* running = nullptr;
      kind.on_first = [&](first at, step_context) -> task<said> {
        if (!std::exchange(asked, true)) {
          CHECK(count_in(*inner, phase::waiting) > 0);
          running->stop();
        }
        co_return second{at.number, at.lane};
      };
      scripted_engine subject{store, kind, {}};
      running = &subject;
      auto wanted = machines(5'000);
      for (auto& each : wanted) each.due = now() + 1h;
      REQUIRE(co_await subject.submit(std::move(wanted)));
      co_await run_well(subject, run_until::drained);
      CHECK(asked);
      CHECK(count_in(*inner, phase::waiting) > 0);
    });
  }

  TEST_CASE("a stopped engine ends though a lease that somebody lost is found meanwhile") {
    over_seeds(5, []() -> task<> {
      const auto store = open_memory_store();
      scripted kind{.on_first = [](first at, step_context) -> task<said> {
                      co_await pause(20s);
                      co_return second{at.number, at.lane};
                    },
                    .on_second = {}};
      scripted_engine subject{*store, kind, {.window = 1}};
      REQUIRE(co_await subject.submit(machines(2)));
      REQUIRE((co_await store->lease("lane", 1, now() + 5s)).has_value());  // and never renewed
      co_await with_scope([&](scope& all) -> task<> {
        all.go(run_well(subject, run_until::stopped));
        co_await pause(1s);
        subject.stop();
      });
      CHECK(history_of(*store, "0").size() + history_of(*store, "1").size() == 2);
    });
  }

  TEST_CASE("an engine with nothing to do has drained") {
    over_seeds(3, []() -> task<> {
      const auto store = open_memory_store();
      scripted_engine subject{*store, {}, {}};
      const auto began = now();
      co_await run_well(subject, run_until::drained);
      CHECK(now() - began < 1s);
    });
  }
}

}  // namespace wherry::test
