// SPDX-License-Identifier: Apache-2.0
// Goal: a machine that is not completed by its deadline is a dead letter that says so, whether it
// waits, runs, or stands in a lane that cannot run.

#include "subject.hpp"

namespace wherry::test {
namespace {

starts with_deadline(starts all, system_time deadline) {
  for (auto& each : all) each.deadline = deadline;
  return all;
}

void check_late(store& in, const std::string& id, const char* also = "") {
  const auto view = view_of(in, id);
  CHECK(view.phase == phase::dead);
  CHECK(view.error.find("not completed by its deadline of ") == 0);
  CHECK(view.error.find(also) != std::string::npos);
  CHECK(history_of(in, id).back().outcome == outcome_kind::died);
}

}  // namespace

TEST_SUITE("engine/deadline") {
  TEST_CASE("what is completed in time never hears of it") {
    over_seeds(5, []() -> task<> {
      const auto store = open_memory_store();
      scripted_engine subject{*store, {}, {}};
      co_await run_all(subject, with_deadline(machines(10), now() + 1h));
      CHECK(count_in(*store, phase::completed) == 10);
    });
  }

  TEST_CASE("a machine that waits to be tried again dies when its deadline passes") {
    over_seeds(20, []() -> task<> {
      const auto store = open_memory_store();
      int runs = 0;
      scripted kind{.on_first = [&](first, step_context) -> task<said> {
                      ++runs;
                      co_return transient{"503", 40min};
                    },
                    .on_second = {}};
      scripted_engine subject{*store, kind, {}};
      const auto deadline = now() + 1h;
      co_await run_all(subject, with_deadline(machines(1), deadline));
      CHECK(now() == deadline);
      CHECK(runs == 2);
      check_late(*store, "0");
      CHECK(subject.progress().dead == 1);
    });
  }

  TEST_CASE("a machine that is to begin after its deadline is told so when that passes") {
    over_seeds(5, []() -> task<> {
      const auto store = open_memory_store();
      scripted_engine subject{*store, {}, {}};
      const auto deadline = now() + 1h;
      auto wanted = with_deadline(machines(1), deadline);
      wanted[0].due = now() + 2h;
      co_await run_all(subject, std::move(wanted));
      CHECK(now() == deadline);
      check_late(*store, "0");
    });
  }

  TEST_CASE("a step that runs when it passes is unwound") {
    over_seeds(20, []() -> task<> {
      const auto store = open_memory_store();
      bool unwound = false;
      scripted kind{.on_first = [&](first at, step_context) -> task<said> {
                      struct guard {
                        bool& gone;
                        ~guard() { gone = true; }
                      } const watched{unwound};
                      co_await pause(8min);
                      co_return second{at.number, at.lane};
                    },
                    .on_second = {}};
      scripted_engine subject{*store, kind, {}};
      const auto deadline = now() + 5min;
      co_await run_all(subject, with_deadline(machines(1), deadline));
      CHECK(now() == deadline);
      CHECK(unwound);
      check_late(*store, "0", "unwound");
    });
  }

  TEST_CASE("a time limit that comes first is told as such") {
    over_seeds(5, []() -> task<> {
      const auto store = open_memory_store();
      scripted kind{.on_first = [&](first, step_context) -> task<said> {
                      co_await pause(1h);
                      co_return transient{"never"};
                    },
                    .on_second = {}};
      scripted_engine subject{*store, kind, {.policy = {.attempts = 1, .time_limit = 1min}}};
      co_await run_all(subject, with_deadline(machines(1), now() + 2min));
      CHECK(view_of(*store, "0").error.find("time limit") != std::string::npos);
    });
  }

  TEST_CASE("a machine in a parked lane dies when it would next run and costs the lane no call") {
    over_seeds(10, []() -> task<> {
      const auto store = open_memory_store();
      const auto began = now();
      std::vector<system_time> ran;
      scripted kind{.on_first = [&](first at, step_context) -> task<said> {
                      ran.push_back(now());
                      if (at.number == 0) co_return throttled{"429", began + 2h};
                      co_return second{at.number, "free"};
                    },
                    .on_second = {}};
      const auto limits = [](std::string_view lane) {
        return lane == "lane" ? lane_limits{.in_flight = 1, .quotas = {{2, 24h}}} : lane_limits{};
      };
      scripted_engine subject{*store, kind, {.limits = limits}};
      auto wanted = with_deadline(machines(2), began + 1h);  // 0 parks the lane, 1 stands in it
      auto patient = machines(3);
      wanted.push_back(patient[2]);
      co_await run_all(subject, std::move(wanted));
      check_late(*store, "0");
      check_late(*store, "1");
      CHECK(view_of(*store, "2").phase == phase::completed);
      CHECK(ran == std::vector<system_time>{began, began + 2h});
    });
  }

  TEST_CASE(
      "a deadline that is past is a dead letter before the first run and a redrive lifts it") {
    over_seeds(10, []() -> task<> {
      const auto store = open_memory_store();
      int runs = 0;
      scripted kind{.on_first = [&](first at, step_context) -> task<said> {
                      ++runs;
                      co_return second{at.number, at.lane};
                    },
                    .on_second = {}};
      scripted_engine subject{*store, kind, {}};
      co_await run_all(subject, with_deadline(machines(1), now() - 1s));
      CHECK(runs == 0);
      check_late(*store, "0");
      CHECK(co_await store->control(control_verb::redrive, {}) == 1u);
      co_await run_well(subject, run_until::drained);
      CHECK(runs == 1);
      CHECK(view_of(*store, "0").phase == phase::completed);
    });
  }

  TEST_CASE("a deadline beyond what a timer can hold is none") {
    over_seeds(3, []() -> task<> {
      const auto store = open_memory_store();
      scripted kind{.on_first = [&](first at, step_context) -> task<said> {
                      co_await pause(1min);
                      co_return second{at.number, at.lane};
                    },
                    .on_second = {}};
      scripted_engine subject{*store, kind, {}};
      co_await run_all(subject, with_deadline(machines(2), system_time::max()));
      CHECK(count_in(*store, phase::completed) == 2);
    });
  }
}

}  // namespace wherry::test
