// SPDX-License-Identifier: Apache-2.0
// Goal: nothing is lost and nothing is committed twice, whatever fails: a store at any write, the
// whole run at any moment. Method: a step checks that it runs only on what its machine's durable
// row says; after the disturbances an undisturbed engine finishes, and every history is whole.

#include <set>

#include "subject.hpp"

namespace wherry::test {
namespace {

/// Steps of drawn length and outcome, which check that their machine is where they think it is.
scripted checked(store& from) {
  const auto check = [&from](const step_context& context) {
    const auto view = view_of(from, context.id);
    CHECK(view.state == context.state);
    CHECK(view.attempt == context.attempt);
    CHECK(view.generation == context.generation);
    CHECK(view.phase == phase::ready);
  };
  return {.on_first = [check](first at, step_context context) -> task<said> {
            check(context);
            co_await pause_below(30ms);
            switch (detail::draw() % 8) {
              case 0: co_return transient{"flaky", {}};
              case 1: co_return throttled{"429", now() + 20ms};
              case 2: throw 7;
              default: co_return second{at.number, at.lane};
            }
          },
          .on_second = [check](second at, step_context context) -> task<said> {
            check(context);
            co_await pause_below(30ms);
            if (at.number % 10 == 9) co_return permanent{"no"};
            co_return last{at.number};
          }};
}

engine_options brisk() {
  return {.window = 12,
          .limits = [](auto) { return lane_limits{.in_flight = 4}; },
          .policy = {.attempts = 1'000, .first = 10ms, .cap = 50ms},
          .grace = 20ms};
}

void check_all_ended(store& from, int machines) {
  check_whole(from, machines);
  CHECK(count_in(from, phase::dead) == machines / 10);
  CHECK(count_in(from, phase::completed) == machines - machines / 10);
}

task<std::expected<void, store_error>> run_once(store& on, store& truth) {
  scripted_engine subject{on, checked(truth), brisk()};
  co_return co_await subject.run();
}

/// Takes a second to make outcomes durable.
class second_long_store final : public forwarding_store {
 public:
  using forwarding_store::forwarding_store;
  task<std::expected<std::vector<bool>, store_error>> record(
      std::vector<transition> outcomes) override {
    co_await pause(1s);
    co_return co_await inner().record(std::move(outcomes));
  }
};

task<> run_to_cancel(store& on, store& truth) {
  const auto ended = co_await run_once(on, truth);
  CHECK(ended.has_value());
}

}  // namespace

TEST_SUITE("engine/loss") {
  TEST_CASE("the next outcomes are with the store while it makes others durable and no more") {
    over_seeds(5, []() -> task<> {
      const auto inner = open_memory_store();
      watched_store store{*inner};
      store.is_slow = true;
      scripted_engine subject{store, scripted{}, {.window = 64}};
      co_await run_all(subject, machines(500, 10));
      check_whole(*inner, 500);
      CHECK(store.recording_most == 2);
    });
  }

  TEST_CASE("a store that cannot write ends the run with its error and nothing is lost") {
    for (const bool done_all_the_same : {false, true}) {
      CAPTURE(done_all_the_same);
      over_seeds(150, [done_all_the_same]() -> task<> {
        const auto inner = open_memory_store();
        watched_store store{*inner};
        store.is_slow = true;
        store.fails_after = done_all_the_same;
        int failures = 0;
        {
          scripted_engine first_of_all{*inner, {}, {}};
          REQUIRE(co_await first_of_all.submit(machines(40, 5)));
        }
        for (;;) {
          auto writes_left = 1 + detail::draw() % 30;
          store.fails = [&](std::string_view) { return --writes_left == 0; };
          if (++failures > 12) store.fails = nullptr;
          const auto began = now();
          const auto ended = co_await run_once(store, *inner);
          CHECK(now() - began < 60s);  // leases came back with the error: nobody waits for them
          if (ended) break;
          CHECK(ended.error().what == store_error::kind::full);
          CHECK(ended.error().message.starts_with("no space for "));
        }
        CHECK(failures > 1);
        check_all_ended(*inner, 40);
      });
    }
  }

  TEST_CASE("a run that is cut off at any moment is finished by the next engine") {
    over_seeds(150, []() -> task<> {
      const auto inner = open_memory_store();
      watched_store store{*inner};
      store.is_slow = true;
      {
        scripted_engine first_of_all{*inner, {}, {}};
        REQUIRE(co_await first_of_all.submit(machines(40, 5)));
      }
      for (int cuts = 0; cuts < 10; ++cuts) {
        co_await with_scope([&](scope& all) -> task<> {
          all.go(run_to_cancel(store, *inner));
          co_await pause_below(80ms);
          all.cancel();
        });
        CHECK(store.leased == 0);
      }
      const auto began = now();
      co_await run_to_cancel(store, *inner);
      CHECK(now() - began < 60s);
      check_all_ended(*inner, 40);
    });
  }

  TEST_CASE("what steps have said is recorded although the run is cancelled while it waits") {
    over_seeds(20, []() -> task<> {
      const auto inner = open_memory_store();
      second_long_store store{*inner};
      // They end one by one; so the last ones wait for those that are being made durable.
      scripted kind{.on_first = [](first at, step_context) -> task<said> {
                      co_await pause(at.number * 100ms);
                      co_return last{at.number};
                    },
                    .on_second = {}};
      scripted_engine subject{store, kind, {}};
      REQUIRE(co_await subject.submit(machines(8)));
      co_await with_scope([&](scope& all) -> task<> {
        all.go(
            [](scripted_engine& run) -> task<> { static_cast<void>(co_await run.run()); }(subject));
        co_await pause(550ms);
        all.cancel();
      });
      CHECK_MESSAGE(count_in(*inner, phase::completed) == 6, "all that had ended");
      CHECK_MESSAGE(count_in(*inner, phase::ready) == 2, "those that had not are as they were");
      CHECK(subject.progress().transitions == 6);
    });
  }

  TEST_CASE("a run that is stopped at any moment is finished by the next engine") {
    over_seeds(100, []() -> task<> {
      const auto inner = open_memory_store();
      watched_store store{*inner};
      store.is_slow = true;
      {
        scripted_engine first_of_all{*inner, {}, {}};
        REQUIRE(co_await first_of_all.submit(machines(40, 5)));
      }
      for (int stops = 0; stops < 5; ++stops) {
        scripted_engine subject{store, checked(*inner), brisk()};
        co_await with_scope([&](scope& all) -> task<> {
          all.go(run_well(subject, run_until::stopped));
          co_await pause_below(80ms);
          subject.stop();
        });
        CHECK(store.leased == 0);
      }
      co_await run_to_cancel(store, *inner);
      check_all_ended(*inner, 40);
    });
  }

  TEST_CASE("an engine has not drained while another engine's lease is out") {
    over_seeds(5, []() -> task<> {
      const auto store = open_memory_store();
      scripted_engine subject{*store, {}, {}};
      REQUIRE(co_await subject.submit(machines(1)));
      const auto orphan = co_await store->lease("lane", 1, now() + 1min);
      REQUIRE(orphan->size() == 1);
      co_await run_well(subject, run_until::drained);
      check_whole(*store, 1);
    });
  }
}

}  // namespace wherry::test
