// SPDX-License-Identifier: Apache-2.0
// Goal: a lane that a step has stopped holds up nobody else, loses nothing, and begins again when
// it may. Method: engines under virtual time.

#include "subject.hpp"

namespace wherry::test {

TEST_SUITE("engine/failure") {
  TEST_CASE("a step that stops its lane holds up that lane alone and the run ends without it") {
    over_seeds(20, []() -> task<> {
      const auto store = open_memory_store();
      const auto began = now();
      bool is_mended = false;
      int refused = 0;
      scripted kind{.on_first = [&](first at, step_context context) -> task<said> {
                      CHECK(context.attempt == 1);
                      if (at.lane == "lane 0" && !is_mended) {
                        ++refused;
                        co_return stops_lane{"the key is refused", now() + 1h};
                      }
                      co_return second{at.number, at.lane};
                    },
                    .on_second = {}};
      const engine_options options{.limits = [](auto) { return lane_limits{.in_flight = 2}; },
                                   .policy = {.attempts = 1}};
      {
        scripted_engine subject{*store, kind, options};
        co_await run_all(subject, machines(20, 2));
        CHECK(count_in(*store, phase::completed) == 10);
        CHECK(count_in(*store, phase::ready) == 10);
        CHECK(refused <= 2);
        CHECK(subject.stopped_lanes() ==
              std::map<std::string, std::string>{{"lane 0", "the key is refused"}});
        CHECK(now() < began + 1min);
        const auto kept = store->lane_states();
        REQUIRE(kept.size() == 1);
        CHECK(kept[0].lane == "lane 0");
        CHECK(kept[0].error == "the key is refused");
        CHECK(kept[0].parked_until > now());
      }
      is_mended = true;
      scripted_engine next{*store, kind, options};
      co_await run_well(next, run_until::drained);
      CHECK(count_in(*store, phase::completed) == 20);
      CHECK(next.stopped_lanes().empty());
      CHECK(now() < began + 1min);
    });
  }

  TEST_CASE("a stopped lane is tried again once the time has come and then goes on") {
    over_seeds(5, []() -> task<> {
      const auto store = open_memory_store();
      std::vector<system_time> tries;
      scripted kind{.on_first = [&](first at, step_context) -> task<said> {
                      tries.push_back(now());
                      // One that is past does not spin.
                      if (tries.size() == 1) co_return stops_lane{"refused", system_time{}};
                      if (tries.size() == 2) co_return stops_lane{"refused", now() + 15min};
                      co_return second{at.number, at.lane};
                    },
                    .on_second = {}};
      scripted_engine subject{
          *store,
          kind,
          {.limits = [](auto) { return lane_limits{.in_flight = 1}; }, .policy = {.first = 500ms}}};
      REQUIRE(co_await subject.submit(machines(3)));
      co_await with_scope([&](scope& all) -> task<> {
        all.go(run_well(subject, run_until::stopped));
        co_await pause(30min);
        subject.stop();
      });
      REQUIRE(tries.size() == 5);
      CHECK(tries[1] - tries[0] >= 500ms);
      CHECK(tries[2] - tries[1] >= 15min);
      CHECK(count_in(*store, phase::completed) == 3);
      CHECK(subject.stopped_lanes().empty());
    });
  }

  TEST_CASE("a call in a stopped lane stops the caller's own lane too and the run ends") {
    for (const bool pays : {false, true}) {
      over_seeds(20, [pays]() -> task<> {
        const auto store = open_memory_store();
        const auto began = now();
        scripted kind{.on_first = [pays](first at, step_context context) -> task<said> {
                        if (at.lane == "lane 0") co_return stops_lane{"refused", now() + 1h};
                        co_await pause(10ms);
                        if (pays) co_await context.call_in("lane 0");
                        context.expect_open("lane 0");
                        co_return throttled{"no slot is free", now() + 10s};
                      },
                      .on_second = {}};
        scripted_engine subject{*store, kind};
        co_await run_all(subject, machines(20, 2));
        CHECK(count_in(*store, phase::ready) == 20);
        CHECK(subject.stopped_lanes() ==
              std::map<std::string, std::string>{{"lane 0", "refused"}, {"lane 1", "refused"}});
        CHECK(now() < began + 1min);
      });
    }
  }

  TEST_CASE("what was in flight when its lane stopped may end well and does not make it go on") {
    over_seeds(20, []() -> task<> {
      const auto store = open_memory_store();
      const auto began = now();
      scripted kind{.on_first = [](first at, step_context) -> task<said> {
                      if (at.number == 0) co_return stops_lane{"refused", now() + 1h};
                      co_await pause(10ms);
                      co_return second{at.number, at.lane};
                    },
                    .on_second = {}};
      scripted_engine subject{
          *store, kind, {.limits = [](auto) { return lane_limits{.in_flight = 4}; }}};
      co_await run_all(subject, machines(10));
      CHECK(count_in(*store, phase::ready) > 0);
      CHECK(subject.stopped_lanes().size() == 1);
      CHECK(now() < began + 1min);
    });
  }
}

}  // namespace wherry::test
