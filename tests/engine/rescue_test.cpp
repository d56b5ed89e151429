// SPDX-License-Identifier: Apache-2.0
// Goal: steps that take too long: those that can be unwound are, those that cannot are waited for
// and never run beside themselves; and leases that nobody holds any more.

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

  TEST_CASE("what a store has to tidy is asked for at each tick and at once while more is left") {
    over_seeds(3, []() -> task<> {
      const auto inner = open_memory_store();
      watched_store store{*inner};
      std::vector<steady_time> at;
      store.on_tidy = [&] {
        at.push_back(scheduler::current().now());
        return at.size() % 4 != 0;  // three times more is left, then nothing
      };
      scripted kind{.on_first = [](first, step_context) -> task<said> {
                      co_await pause(3s);
                      co_return permanent{"no"};
                    },
                    .on_second = {}};
      scripted_engine subject{store, kind, {.rescue_every = 1s}};
      co_await run_all(subject, machines(1));
      REQUIRE(at.size() >= 8);
      for (std::size_t i = 1; i < at.size(); ++i) {
        CHECK(at[i] - at[i - 1] == (i % 4 == 0 ? duration(1s) : duration::zero()));
      }
    });
  }

  TEST_CASE("a store that cannot be tidied ends the run with its error and loses nothing") {
    over_seeds(3, []() -> task<> {
      const auto inner = open_memory_store();
      watched_store store{*inner};
      store.on_tidy = []() -> std::expected<bool, store_error> {
        return std::unexpected(store_error{store_error::kind::full, "no space left"});
      };
      scripted kind{.on_first = [](first at, step_context) -> task<said> {
                      co_await pause(1min);
                      co_return second{at.number, at.lane};
                    },
                    .on_second = {}};
      scripted_engine subject{store, kind, {.grace = duration::zero()}};
      REQUIRE((co_await subject.submit(machines(3))).has_value());
      const auto ended = co_await subject.run();
      REQUIRE_FALSE(ended.has_value());
      CHECK(ended.error().what == store_error::kind::full);
      store.on_tidy = {};
      scripted_engine next{store, scripted{}};
      co_await run_well(next, run_until::drained);
      check_whole(*inner, 3);
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

  TEST_CASE(
      "a step that ignores its time limit is never run beside itself and spends its attempts") {
    over_seeds(20, []() -> task<> {
      const auto inner = open_memory_store();
      watched_store store{*inner};
      int runs = 0, inside = 0;
      scripted kind{.on_first = [&](first at, step_context context) -> task<said> {
                      CHECK(context.attempt == ++runs);
                      CHECK(++inside == 1);
                      co_await stubborn_pause(5min);
                      --inside;
                      co_return second{at.number, at.lane};
                    },
                    .on_second = {}};
      scripted_engine subject{store, kind, {.policy = {.attempts = 3, .time_limit = 1s}}};
      REQUIRE(co_await subject.submit(machines(1)));
      co_await with_scope([&](scope& all) -> task<> {
        all.go(run_well(subject, run_until::drained));
        co_await pause(2min);
        CHECK(subject.progress().running == 1);
      });
      CHECK(runs == 3);
      CHECK(store.reclaimed == 0);
      CHECK(subject.progress().refused == 0);
      check_whole(*inner, 1);
      CHECK(view_of(*inner, "0").phase == phase::dead);
      CHECK(history_of(*inner, "0").size() == 3);
    });
  }

  TEST_CASE("others go on while a step ignores its time limit") {
    over_seeds(10, []() -> task<> {
      const auto store = open_memory_store();
      scripted kind{.on_first = [](first at, step_context context) -> task<said> {
                      if (at.number == 0 && context.attempt == 1) co_await stubborn_pause(1h);
                      co_return second{at.number, at.lane};
                    },
                    .on_second = {}};
      scripted_engine subject{*store,
                              kind,
                              {.limits = [](auto) { return lane_limits{.in_flight = 2}; },
                               .policy = {.time_limit = 1s}}};
      const auto began = now();
      std::map<std::string, system_time> done;
      subject.on_completed([&](const scripted_engine::finished& end) { done[end.id] = now(); });
      co_await run_all(subject, machines(20));
      check_whole(*store, 20);
      CHECK(count_in(*store, phase::completed) == 20);
      for (const auto& [id, at] : done) CHECK((at - began >= 1h) == (id == "0"));
    });
  }

  TEST_CASE("a lease that nobody renews spends an attempt") {
    over_seeds(5, []() -> task<> {
      const auto store = open_memory_store();
      scripted_engine subject{*store, {}, {.policy = {.attempts = 2}}};
      REQUIRE(co_await subject.submit(machines(2)));
      const auto lost = co_await store->lease("lane", 2, now() + 1min);
      REQUIRE(lost->size() == 2);
      store->renew({{lost->back().key, lost->back().token}}, now() + 1h);
      const auto began = now();
      co_await with_scope([&](scope& all) -> task<> {
        all.go(run_well(subject, run_until::stopped));
        co_await pause(2h);  // without end for who never gets them back
        subject.stop();
      });
      check_whole(*store, 2);
      for (const auto* id : {"0", "1"}) {
        const auto history = history_of(*store, id);
        REQUIRE(history.size() == 3);
        CHECK(history[0].outcome == outcome_kind::retried);
        CHECK(history[0].error.find("lease") != std::string::npos);
        CHECK(history[1].attempt == 2);
      }
      CHECK(history_of(*store, "0")[0].ended < began + 2min);
      CHECK(history_of(*store, "1")[0].ended >= began + 1h);
    });
  }

  TEST_CASE("a machine whose every run lets its lease run out is a dead letter in the end") {
    over_seeds(1, []() -> task<> {
      const auto store = open_memory_store();
      scripted_engine subject{*store, {}, {.policy = {.attempts = 1}}};
      REQUIRE(co_await subject.submit(machines(1)));
      REQUIRE((co_await store->lease("lane", 1, now() + 1min))->size() == 1);
      co_await run_well(subject, run_until::drained);
      CHECK(count_in(*store, phase::dead) == 1);
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

  TEST_CASE("a machine that is cancelled and redriven while its step runs waits for that step") {
    over_seeds(20, []() -> task<> {
      const auto store = open_memory_store();
      int runs = 0, inside = 0;
      scripted kind{.on_first = [&](first at, step_context) -> task<said> {
                      ++runs;
                      CHECK(++inside == 1);
                      co_await pause(1min);
                      --inside;
                      co_return second{at.number, at.lane};
                    },
                    .on_second = {}};
      scripted_engine subject{*store, kind, {}};
      REQUIRE(co_await subject.submit(machines(1)));
      co_await with_scope([&](scope& all) -> task<> {
        all.go(run_well(subject, run_until::drained));
        co_await pause(1s);
        CHECK(co_await store->control(control_verb::cancel, {.id = "0"}) == 1);
        CHECK(co_await store->control(control_verb::redrive, {.id = "0"}) == 1);
      });
      CHECK(runs == 2);
      check_whole(*store, 1);
      CHECK(view_of(*store, "0").phase == phase::completed);
      CHECK(subject.progress().refused == 1);
    });
  }

  TEST_CASE("a lease that runs out under its step is taken up again, and the step counts") {
    over_seeds(20, []() -> task<> {
      const auto inner = open_memory_store();
      watched_store store{*inner};
      store.loses_renewals = true;
      int runs = 0;
      scripted kind{.on_first = [&](first at, step_context) -> task<said> {
                      ++runs;
                      co_await stubborn_pause(5min);
                      co_return second{at.number, at.lane};
                    },
                    .on_second = {}};
      scripted_engine subject{store, kind, {}};
      REQUIRE(co_await subject.submit(machines(3)));
      co_await run_well(subject, run_until::drained);
      CHECK(store.reclaimed > 3);
      CHECK(runs == 3);
      CHECK(subject.progress().refused == 0);
      check_whole(*inner, 3);
      CHECK(history_of(*inner, "0").size() == 2);
    });
  }
}

}  // namespace wherry::test
