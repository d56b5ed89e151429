// SPDX-License-Identifier: Apache-2.0
// Goal: what comes in from outside while the engine runs or sleeps: submissions, delayed ones,
// commands; and what goes out: completions.

#include <set>

#include "subject.hpp"

namespace wherry::test {

TEST_SUITE("engine/submit") {
  TEST_CASE("submit is idempotent before and while and after a machine runs") {
    over_seeds(20, []() -> task<> {
      const auto store = open_memory_store();
      std::map<int, int> runs;
      scripted kind{.on_first = [&](first at, step_context) -> task<said> {
                      ++runs[at.number];
                      co_await pause_below(100ms);
                      co_return second{at.number, at.lane};
                    },
                    .on_second = {}};
      scripted_engine subject{*store, kind, {}};
      REQUIRE(co_await subject.submit(machines(10)));
      co_await with_scope([&](scope& all) -> task<> {
        all.go(run_well(subject, run_until::stopped));
        for (int round = 0; round < 5; ++round) {
          const auto report = co_await subject.submit(machines(10));
          REQUIRE(report);
          CHECK(report->added == 0);
          CHECK(report->known == 10);
          co_await pause_below(100ms);
        }
        co_await pause(1s);
        subject.stop();
      });
      check_whole(*store, 10);
      for (const auto& [number, count] : runs) CHECK(count == 1);
    });
  }

  TEST_CASE("a delayed machine starts when it is due and not before") {
    over_seeds(10, []() -> task<> {
      const auto store = open_memory_store();
      scripted_engine subject{*store, {}, {}};
      const auto due = now() + 1min;
      auto wanted = machines(5);
      wanted[3].due = due;
      co_await run_all(subject, std::move(wanted));
      check_whole(*store, 5);
      CHECK(history_of(*store, "3").front().started >= due);
      CHECK(history_of(*store, "3").front().started <= due + 2ms);
    });
  }

  TEST_CASE("a delayed machine that is submitted to an idle engine starts when it is due") {
    over_seeds(10, []() -> task<> {
      const auto store = open_memory_store();
      scripted_engine subject{*store, {}, {}};
      co_await with_scope([&](scope& all) -> task<> {
        all.go(run_well(subject, run_until::stopped));
        co_await pause(3s);
        const auto due = now() + 5s;
        auto wanted = machines(2);
        wanted[0].due = due + 10s;  // the earlier one comes later
        wanted[1].due = due;
        for (auto& each : wanted) REQUIRE(co_await subject.submit({std::move(each)}));
        co_await pause(30s);
        subject.stop();
        CHECK(history_of(*store, "1").front().started <= due + 2ms);
        CHECK(history_of(*store, "0").front().started <= due + 10s + 2ms);
      });
      check_whole(*store, 2);
    });
  }

  TEST_CASE("a dead letter that is redriven while the engine runs is run again") {
    over_seeds(10, []() -> task<> {
      const auto store = open_memory_store();
      bool repaired = false;
      scripted kind{.on_first = [&](first at, step_context context) -> task<said> {
                      CHECK(context.attempt == 1);
                      if (!repaired) co_return permanent{"broken"};
                      co_return second{at.number, at.lane};
                    },
                    .on_second = {}};
      scripted_engine subject{*store, kind, {}};
      REQUIRE(co_await subject.submit(machines(5)));
      co_await with_scope([&](scope& all) -> task<> {
        all.go(run_well(subject, run_until::stopped));
        co_await pause(1s);
        CHECK(count_in(*store, phase::dead) == 5);
        repaired = true;
        CHECK(co_await store->control(control_verb::redrive, {}) == 5);
        co_await pause(1s);
        CHECK(count_in(*store, phase::completed) == 5);
        subject.stop();
      });
      check_whole(*store, 5);
    });
  }

  TEST_CASE("a newer generation of a finished machine runs from its first state") {
    over_seeds(5, []() -> task<> {
      const auto store = open_memory_store();
      scripted_engine subject{*store, {}, {}};
      co_await run_all(subject, machines(3));
      auto again = machines(3);
      for (auto& each : again) each.generation = 2;
      const auto report = co_await subject.submit(std::move(again));
      REQUIRE(report);
      CHECK(report->superseded == 3);
      scripted_engine next{*store, {}, {}};
      co_await run_well(next, run_until::drained);
      check_whole(*store, 3);
      CHECK(history_of(*store, "0").size() == 4);
      CHECK(view_of(*store, "0").generation == 2);
    });
  }

  TEST_CASE("each completion is told once with its final state") {
    over_seeds(10, []() -> task<> {
      const auto store = open_memory_store();
      std::set<std::string> told;
      scripted kind{.on_first = [](first at, step_context context) -> task<said> {
                      if (at.number == 4) co_return permanent{"no"};
                      if (context.attempt == 1) co_return transient{"flaky", {}};
                      co_return second{at.number, at.lane};
                    },
                    .on_second = {}};
      scripted_engine subject{*store, kind, {}};
      subject.on_completed([&](const scripted_engine::finished& end) {
        CHECK(told.insert(end.id).second);
        CHECK(std::to_string(end.last.number) == end.id);
        CHECK(view_of(*store, end.id).phase == phase::completed);
      });
      co_await run_all(subject, machines(10));
      CHECK(told.size() == 9);
    });
  }

  TEST_CASE("each transition is told once and as the history has it") {
    over_seeds(10, []() -> task<> {
      const auto inner = open_memory_store();
      watched_store store{*inner};
      store.is_slow = true;
      scripted kind{.on_first = [](first at, step_context context) -> task<said> {
                      if (at.number == 4) co_return permanent{"no"};
                      if (context.attempt == 1) co_return transient{"flaky", {}};
                      co_return second{at.number, at.lane};
                    },
                    .on_second = {}};
      scripted_engine subject{store, kind, {}};
      std::map<std::pair<std::string, std::int64_t>, transition> told;
      subject.on_transition([&](const transition& each) {
        CHECK(told.emplace(std::pair{each.id, each.version + 1}, each).second);
      });
      co_await run_all(subject, machines(10));
      CHECK(told.size() == subject.progress().transitions);
      for (int i = 0; i < 10; ++i) {
        for (const auto& line : history_of(*inner, std::to_string(i))) {
          const auto found = told.find({std::to_string(i), line.version});
          REQUIRE(found != told.end());
          CHECK(found->second.outcome == line.outcome);
          CHECK(found->second.from == line.from);
          CHECK(found->second.to == line.to);
          CHECK(found->second.attempt == line.attempt);
          CHECK(found->second.error == line.error);
          CHECK(found->second.phase == line.phase);
          told.erase(found);
        }
      }
      CHECK(told.empty());
    });
  }

  TEST_CASE("transitions of one machine are told in the order of its versions") {
    over_seeds(20, []() -> task<> {
      const auto inner = open_memory_store();
      watched_store store{*inner};
      store.is_slow = true;
      scripted_engine subject{store, {}, {}};
      std::map<std::string, std::int64_t> newest;
      subject.on_transition([&](const transition& each) {
        CHECK(each.version == newest[each.id]);
        newest[each.id] = each.version + 1;
      });
      co_await run_all(subject, machines(50));
    });
  }

  TEST_CASE("hooks are called one at a time also on several threads") {
    on_threads(2, []() -> task<> {
      const auto store = open_memory_store();
      scripted_engine subject{*store, {}, {}};
      int inside = 0, calls = 0;  // no atomics: so that TSan sees it, too
      const auto enter = [&] {
        CHECK(++inside == 1);
        ++calls;
        --inside;
      };
      subject.on_transition([&](const transition&) { enter(); });
      subject.on_completed([&](const scripted_engine::finished&) { enter(); });
      co_await run_all(subject, machines(2'000));
      CHECK(calls == 6'000);
    });
  }

  TEST_CASE("a machine that would begin in its final state is refused") {
    over_seeds(1, []() -> task<> {
      const auto store = open_memory_store();
      scripted_engine subject{*store, {}, {}};
      const auto report = co_await subject.submit({{.id = "a", .first = last{1}}});
      REQUIRE_FALSE(report.has_value());
      CHECK(report.error().what == store_error::kind::refused);
      CHECK(report.error().message.find("machine a") == 0);
    });
  }

  TEST_CASE("the idempotency key is the same for each run of a step and for no other step") {
    over_seeds(3, []() -> task<> {
      const auto store = open_memory_store();
      std::map<std::string, int> keys;
      scripted kind{.on_first = [&](first at, step_context context) -> task<said> {
                      ++keys[context.idempotency_key()];
                      if (context.attempt < 3) co_return transient{"flaky", {}};
                      co_return second{at.number, at.lane};
                    },
                    .on_second = [&](second at, step_context context) -> task<said> {
                      ++keys[context.idempotency_key()];
                      co_return last{at.number};
                    }};
      scripted_engine subject{*store, kind, {}};
      co_await run_all(subject, machines(2));
      CHECK(keys.size() == 4);
      CHECK(keys["0/1/first/0"] == 3);
      CHECK(keys["0/1/second/3"] == 1);
    });
  }
}

}  // namespace wherry::test
