// SPDX-License-Identifier: Apache-2.0
// Goal: what becomes of a machine whose step fails, in each way, and that nobody else suffers. What
// happened is read from the store's history, not from what the engine says of itself.

#include <set>
#include <stdexcept>

#include "subject.hpp"

namespace wherry::test {
namespace {

/// Fails `times` runs of the first step of each machine by calling `fail`.
template <class Fail>
scripted failing(int times, Fail fail) {
  return {.on_first = [times, fail](first at, step_context context) -> task<said> {
            if (context.attempt <= times) co_return fail();
            co_return second{at.number, at.lane};
          },
          .on_second = {}};
}

struct no_exception {};

}  // namespace

TEST_SUITE("engine/failure") {
  TEST_CASE("a transient failure is tried again within the bounds of its backoff") {
    over_seeds(30, []() -> task<> {
      const auto store = open_memory_store();
      const state_policy policy{.attempts = 5, .first = 100ms, .cap = 300ms};
      scripted_engine subject{
          *store, failing(4, [] { return transient{"flaky", {}}; }), {.policy = policy}};
      co_await run_all(subject, machines(10));
      check_whole(*store, 10);
      CHECK(count_in(*store, phase::completed) == 10);
      const std::vector<duration> bounds{100ms, 200ms, 300ms, 300ms};
      for (int i = 0; i < 10; ++i) {
        const auto history = history_of(*store, std::to_string(i));
        REQUIRE(history.size() == 6);
        for (std::size_t failed = 0; failed < 4; ++failed) {
          CHECK(history[failed].outcome == outcome_kind::retried);
          CHECK(history[failed].error == "flaky");
          CHECK(history[failed].attempt == static_cast<int>(failed) + 1);
          const duration waited = history[failed + 1].started - history[failed].ended;
          CHECK(waited <= bounds[failed] + 1ms);
        }
        CHECK(history[4].attempt == 5);
        CHECK(history[5].attempt == 1);
      }
      CHECK(subject.progress().retried == 40);
    });
  }

  TEST_CASE("out of attempts a machine is a dead letter with its last error") {
    over_seeds(10, []() -> task<> {
      const auto store = open_memory_store();
      int runs = 0;
      scripted kind{.on_first = [&](first, step_context context) -> task<said> {
                      ++runs;
                      co_return transient{"failure " + std::to_string(context.attempt), {}};
                    },
                    .on_second = {}};
      scripted_engine subject{*store, kind, {.policy = {.attempts = 4}}};
      co_await run_all(subject, machines(1));
      CHECK(runs == 4);
      const auto view = view_of(*store, "0");
      CHECK(view.phase == phase::dead);
      CHECK(view.state == "first");
      CHECK(view.error == "failure 4");
      CHECK(subject.progress().dead == 1);
    });
  }

  TEST_CASE("each state has its own policy") {
    over_seeds(3, []() -> task<> {
      const auto store = open_memory_store();
      scripted kind{.on_first = {}, .on_second = [](second, step_context) -> task<said> {
                      co_return transient{"flaky", {}};
                    }};
      scripted_engine subject{
          *store, kind, {.policies = {{"second", {.attempts = 2}}}, .policy = {.attempts = 9}}};
      co_await run_all(subject, machines(1));
      CHECK(history_of(*store, "0").size() == 3);
    });
  }

  TEST_CASE("an exception is a transient failure with its text") {
    over_seeds(5, []() -> task<> {
      const auto store = open_memory_store();
      scripted_engine subject{
          *store, failing(1, []() -> said { throw std::runtime_error("the cable is out"); }), {}};
      co_await run_all(subject, machines(3));
      check_whole(*store, 3);
      CHECK(history_of(*store, "2").front().outcome == outcome_kind::retried);
      CHECK(history_of(*store, "2").front().error == "the cable is out");
    });
  }

  TEST_CASE("an exception that is no std exception is a transient failure too") {
    over_seeds(5, []() -> task<> {
      const auto store = open_memory_store();
      scripted kind{.on_first = [](first at, step_context context) -> task<said> {
                      if (context.attempt == 1) throw no_exception{};
                      if (context.attempt == 2) throw 7;
                      if (context.attempt == 3) throw cancelled{};
                      co_return second{at.number, at.lane};
                    },
                    .on_second = {}};
      scripted_engine subject{*store, kind, {}};
      co_await run_all(subject, machines(3));
      check_whole(*store, 3);
      CHECK(count_in(*store, phase::completed) == 3);
      for (std::size_t i = 0; i < 3; ++i) {
        CHECK(history_of(*store, "0")[i].outcome == outcome_kind::retried);
        CHECK_FALSE(history_of(*store, "0")[i].error.empty());
      }
    });
  }

  TEST_CASE("a throttled machine parks its lane alone and spends no attempt") {
    over_seeds(20, []() -> task<> {
      const auto store = open_memory_store();
      const auto began = now();
      const auto until = began + 1min;
      bool asked = false;
      std::map<std::string, system_time> earliest;  // start of a run after the throttling
      scripted kind{.on_first = [&](first at, step_context context) -> task<said> {
                      CHECK(context.attempt == 1);
                      if (at.lane == "lane 0" && !asked) {
                        asked = true;
                        co_return throttled{"slow down", until};
                      }
                      earliest.try_emplace(at.lane, now());
                      co_return second{at.number, at.lane};
                    },
                    .on_second = {}};
      scripted_engine subject{
          *store, kind, {.limits = [](auto) { return lane_limits{.in_flight = 1}; }}};
      co_await run_all(subject, machines(20, 2));
      check_whole(*store, 20);
      CHECK(earliest["lane 0"] >= until);
      CHECK(earliest["lane 1"] < began + 1s);
      CHECK(subject.progress().throttled == 1);
      CHECK(subject.progress().retried == 0);
    });
  }

  TEST_CASE("a postponed machine runs again then and spends no attempt and nobody else waits") {
    over_seeds(20, []() -> task<> {
      const auto store = open_memory_store();
      const auto began = now();
      std::vector<system_time> polls;
      scripted kind{.on_first = [&](first at, step_context context) -> task<said> {
                      CHECK(context.attempt == 1);
                      if (at.number == 0) polls.push_back(now());
                      if (at.number == 0 && now() < began + 50s) {
                        co_return postponed{"not ready yet", now() + 10s};
                      }
                      if (at.number != 0) CHECK(now() < began + 1s);
                      co_return second{at.number, at.lane};
                    },
                    .on_second = {}};
      scripted_engine subject{
          *store,
          kind,
          {.limits = [](auto) { return lane_limits{.in_flight = 1, .breaker = {.failures = 2}}; },
           .policy = {.attempts = 2}}};
      co_await run_all(subject, machines(20));
      check_whole(*store, 20);
      REQUIRE(polls.size() == 6);
      for (std::size_t i = 1; i < polls.size(); ++i) CHECK(polls[i] >= polls[i - 1] + 10s);
      CHECK(subject.progress().postponed == 5);
      CHECK(subject.progress().throttled == 0);
      CHECK(subject.progress().retried == 0);
      const auto history = history_of(*store, "0");
      CHECK(history.front().runs == 5);
      CHECK(history.front().error == "not ready yet");
    });
  }

  TEST_CASE("a parked lane is still parked for the next engine on the store") {
    over_seeds(5, []() -> task<> {
      const auto store = open_memory_store();
      const auto until = now() + 1min;
      {
        scripted kind{.on_first = [&](first, step_context) -> task<said> {
                        co_return throttled{"slow down", until};
                      },
                      .on_second = {}};
        scripted_engine subject{*store, kind, {}};
        REQUIRE(co_await subject.submit(machines(1)));
        co_await with_scope([&](scope& all) -> task<> {
          all.go(run_well(subject, run_until::stopped));
          co_await pause(1s);
          subject.stop();
        });
      }
      scripted_engine next{*store, {}, {}};
      co_await run_all(next, {{.id = "another", .first = first{0, "lane"}}});
      CHECK(history_of(*store, "another").front().started >= until);
    });
  }

  TEST_CASE("a step that is throttled for ever with no time to come does not spin") {
    over_seeds(3, []() -> task<> {
      const auto store = open_memory_store();
      int runs = 0;
      scripted kind{.on_first = [&](first, step_context) -> task<said> {
                      ++runs;
                      co_return throttled{"slow down", now()};
                    },
                    .on_second = {}};
      scripted_engine subject{*store, kind, {.policy = {.first = 500ms}}};
      REQUIRE(co_await subject.submit(machines(1)));
      co_await with_scope([&](scope& all) -> task<> {
        all.go(run_well(subject, run_until::drained));
        co_await pause(60s);
        subject.stop();
      });
      CHECK(runs > 50);
      CHECK(runs < 130);
    });
  }

  TEST_CASE("a permanent failure is a dead letter at once with its error") {
    over_seeds(5, []() -> task<> {
      const auto store = open_memory_store();
      scripted kind{.on_first = [](first at, step_context) -> task<said> {
                      if (at.number % 2 == 1) co_return permanent{"404: no such report"};
                      co_return second{at.number, at.lane};
                    },
                    .on_second = {}};
      scripted_engine subject{*store, kind, {}};
      co_await run_all(subject, machines(10));
      check_whole(*store, 10);
      CHECK(count_in(*store, phase::dead) == 5);
      CHECK(count_in(*store, phase::completed) == 5);
      CHECK(history_of(*store, "3").size() == 1);
      CHECK(view_of(*store, "3").error == "404: no such report");
    });
  }

  TEST_CASE("a state too large for any store is a dead letter and no end of the engine") {
    over_seeds(3, []() -> task<> {
      const auto store = open_memory_store();
      scripted kind{.on_first = [](first at, step_context) -> task<said> {
                      if (at.number == 1) co_return second{1, std::string(data_size_limit, 'x')};
                      if (at.number == 2) co_return second{2, "caf\xE9"};
                      co_return second{at.number, at.lane};
                    },
                    .on_second = {}};
      scripted_engine subject{*store, kind, {}};
      co_await run_all(subject, machines(4));
      check_whole(*store, 4);
      CHECK(count_in(*store, phase::completed) == 2);
      CHECK(view_of(*store, "1").state == "first");
      CHECK(view_of(*store, "1").error.find("put the bulk into a file") != std::string::npos);
      CHECK(view_of(*store, "2").error.find("UTF-8") != std::string::npos);
    });
  }

  TEST_CASE("a machine goes back to an earlier state and on again") {
    over_seeds(10, []() -> task<> {
      const auto store = open_memory_store();
      std::set<int> went_back;
      scripted kind{.on_first = {}, .on_second = [&](second at, step_context) -> task<said> {
                      if (went_back.insert(at.number).second) {
                        co_return go_back<scripted::state>{first{at.number, at.lane}, "no file"};
                      }
                      co_return last{at.number};
                    }};
      scripted_engine subject{*store, kind, {}};
      co_await run_all(subject, machines(10));
      check_whole(*store, 10);
      CHECK(count_in(*store, phase::completed) == 10);
      const auto history = history_of(*store, "0");
      REQUIRE(history.size() == 4);
      CHECK(history[1].outcome == outcome_kind::went_back);
      CHECK(history[1].from == "second");
      CHECK(history[1].to == "first");
      CHECK(history[1].error == "no file");
      CHECK(view_of(*store, "0").setbacks == 1);
    });
  }

  TEST_CASE("an idempotency key is that of all runs since a state was entered and of no other") {
    over_seeds(10, []() -> task<> {
      const auto store = open_memory_store();
      std::vector<std::string> keys;  // by run of a step
      scripted kind{.on_first = [&](first at, step_context context) -> task<said> {
                      keys.push_back(context.idempotency_key());
                      if (keys.size() == 1) co_return transient{"flaky", {}};
                      if (keys.size() == 2) co_return throttled{"slow down", now()};
                      if (at.number < 2) co_return first{at.number + 1, at.lane};  // page by page
                      co_return second{at.number, at.lane};
                    },
                    .on_second = [&](second at, step_context context) -> task<said> {
                      keys.push_back(context.idempotency_key());
                      if (keys.size() < 8) {
                        co_return go_back<scripted::state>{first{at.number, at.lane}, "no file"};
                      }
                      co_return last{at.number};
                    }};
      scripted_engine subject{*store, kind, {}};
      co_await run_all(subject, machines(1));
      REQUIRE(keys.size() == 8);  // three runs of page 0, two pages more, second, first, second
      CHECK(keys[0] == keys[1]);
      CHECK(keys[0] == keys[2]);
      CHECK(std::set<std::string>(keys.begin(), keys.end()).size() == 6);
    });
  }

  TEST_CASE("two states cannot send a machine back and forth for ever") {
    over_seeds(5, []() -> task<> {
      const auto store = open_memory_store();
      scripted kind{.on_first = {}, .on_second = [](second at, step_context) -> task<said> {
                      co_return go_back<scripted::state>{first{at.number, at.lane}, "no file"};
                    }};
      scripted_engine subject{*store, kind, {.policy = {.attempts = 4}}};
      co_await run_all(subject, machines(2));
      check_whole(*store, 2);
      CHECK(count_in(*store, phase::dead) == 2);
      CHECK(history_of(*store, "0").size() == 10);  // there and back four times, and there again
      CHECK(view_of(*store, "0").error.find("no file; it went back") == 0);
    });
  }

  TEST_CASE("a redriven machine may go back as often as a new one") {
    over_seeds(3, []() -> task<> {
      const auto store = open_memory_store();
      scripted kind{.on_first = {}, .on_second = [](second at, step_context) -> task<said> {
                      co_return go_back<scripted::state>{first{at.number, at.lane}, "no file"};
                    }};
      scripted_engine subject{*store, kind, {.policy = {.attempts = 4}}};
      co_await run_all(subject, machines(1));
      const auto once = history_of(*store, "0").size();
      REQUIRE(co_await store->control(control_verb::redrive, {}));
      CHECK(view_of(*store, "0").setbacks == 0);
      scripted_engine again{*store, kind, {.policy = {.attempts = 4}}};
      co_await run_well(again, run_until::drained);
      CHECK(history_of(*store, "0").size() ==
            2 * once);  // the redrive, for the first run that it skips
    });
  }
}

}  // namespace wherry::test
