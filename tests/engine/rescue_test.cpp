// SPDX-License-Identifier: Apache-2.0
// Goal: steps that take too long: those that can be unwound are, those that cannot lose their
// lease, and what they say in the end changes nothing.

#include "subject.hpp"

namespace wherry::test {
namespace {

/// A wait that nothing can unwind.
task<> stubborn_pause(duration how_long) {
  const auto guard = co_await shield();
  co_await pause(how_long);
}

}  // namespace

TEST_SUITE("engine/rescue") {
  TEST_CASE("a step over its time limit is unwound and tried again") {
    over_seeds(20, []() -> task<> {
      const auto store = open_memory_store();
      int unwound = 0;
      scripted kind{.on_first = [&](first at, step_context context) -> task<said> {
                      if (context.attempt == 1) {
                        try {
                          co_await pause(1h);
                        } catch (const cancelled&) {
                          ++unwound;
                          throw;
                        }
                      }
                      co_return second{at.number, at.lane};
                    },
                    .on_second = {}};
      const auto began = now();
      scripted_engine subject{*store, kind, {.policy = {.time_limit = 2s}}};
      co_await run_all(subject, machines(5));
      check_whole(*store, 5);
      CHECK(count_in(*store, phase::completed) == 5);
      CHECK(unwound == 5);
      CHECK(now() - began < 10s);
      const auto failed = history_of(*store, "0").front();
      CHECK(failed.outcome == outcome_kind::retried);
      CHECK(failed.error.find("time limit of 2000 ms") != std::string::npos);
    });
  }

  TEST_CASE("the longest time limit there is means none") {
    over_seeds(3, []() -> task<> {
      const auto inner = open_memory_store();
      watched_store store{*inner};
      scripted kind{.on_first = [](first at, step_context) -> task<said> {
                      co_await pause(1h);
                      co_return second{at.number, at.lane};
                    },
                    .on_second = {}};
      scripted_engine subject{store, kind, {.policy = {.time_limit = duration::max()}}};
      co_await run_all(subject, machines(2));
      check_whole(*inner, 2);
      CHECK(history_of(*inner, "0").size() == 2);
      CHECK(store.reclaimed == 0);
    });
  }

  TEST_CASE("a step that does not return loses its lease and its late outcome is refused") {
    over_seeds(20, []() -> task<> {
      const auto inner = open_memory_store();
      watched_store store{*inner};
      int runs = 0;
      scripted kind{.on_first = [&](first at, step_context) -> task<said> {
                      if (++runs == 1) co_await stubborn_pause(1h);
                      co_return second{at.number, at.lane};
                    },
                    .on_second = {}};
      scripted_engine subject{store, kind, {.policy = {.time_limit = 1s}}};
      std::optional<system_time> done;
      const auto began = now();
      subject.on_completed([&](const scripted_engine::finished&) { done = now(); });
      co_await run_all(subject, machines(1));
      REQUIRE(done.has_value());
      CHECK(*done - began < 5min);  // others did not wait for the one that hangs
      CHECK(now() - began >= 1h);   // but run does: it owns the step
      CHECK(store.reclaimed == 1);
      CHECK(subject.progress().refused == 1);
      check_whole(*inner, 1);
      CHECK(history_of(*inner, "0").size() == 2);
    });
  }

  TEST_CASE("a step that was cancelled from outside cannot commit") {
    over_seeds(10, []() -> task<> {
      const auto store = open_memory_store();
      scripted kind{.on_first = [](first at, step_context) -> task<said> {
                      co_await pause(1min);
                      co_return second{at.number, at.lane};
                    },
                    .on_second = {}};
      scripted_engine subject{*store, kind, {}};
      REQUIRE(co_await subject.submit(machines(3)));
      co_await with_scope([&](scope& all) -> task<> {
        all.go(run_well(subject, run_until::drained));
        co_await pause(1s);
        CHECK(co_await store->control(control_verb::cancel, {.id = "1"}) == 1);
      });
      check_whole(*store, 3);
      CHECK(count_in(*store, phase::completed) == 2);
      CHECK(view_of(*store, "1").phase == phase::cancelled);
      CHECK(subject.progress().refused == 1);
    });
  }
}

}  // namespace wherry::test
