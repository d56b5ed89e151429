// SPDX-License-Identifier: Apache-2.0
// Goal: what people and programs do to machines of a running engine arrives through SQLite as it
// does through a store in memory: hooks, cancel, redrive, delayed start, priority; and a clock that
// is set back.
// Method: engines under virtual time; commands come through the inbox, as another process leaves
// them, but where a case says otherwise.
#include <map>
#include <set>
#include <stdexcept>

#include "engine_subject.hpp"

using namespace wherry;
using namespace wherry::test;

namespace {

engine_options one_at_a_time() {
  return {.limits = [](auto) { return lane_limits{.in_flight = 1}; }};
}

/// Notes in which order parcels are carried, each for ten seconds.
parcel slow_parcel(strings& order) {
  return {.on_packed = [&order](packed now, step_context run) -> task<said> {
            order.push_back(run.id);
            co_await sleep_for(10s);
            co_return carried{now.lane, run.id};
          },
          .on_carried = {}};
}

phase phase_beside(const std::filesystem::path& file, const std::string& id) {
  const auto beside = inspect_sqlite_store(file);
  REQUIRE_MESSAGE(beside.has_value(), beside.error().message);
  const auto found = (*beside)->query({.id = id}, 1, "");
  REQUIRE(found.has_value());
  REQUIRE(found->size() == 1);
  return found->front().phase;
}

}  // namespace

TEST_SUITE("sqlite.hpp: people") {
  TEST_CASE("a completion is told once and only when others can see it in the file") {
    over_seeds(5, [](store& on, std::filesystem::path file) -> task<> {
      std::map<std::string, int> told;
      parcel_engine subject{on,
                            {.on_packed = [](packed now, step_context run) -> task<said> {
                               if (run.id == "p/4") co_return permanent{"no such address"};
                               if (run.attempt == 1) co_return transient{"rain", {}};
                               co_return carried{now.lane, run.id};
                             },
                             .on_carried = {}},
                            {}};
      subject.on_completed([&](const parcel_engine::finished& end) {
        ++told[end.id];
        CHECK(end.last.note == end.id);
        CHECK(phase_beside(file, end.id) == phase::completed);
      });
      co_await submit_all(subject, some(10));
      co_await run_well(subject, run_until::drained);
      CHECK(told.size() == 9);
      for (const auto& [id, count] : told) CHECK_MESSAGE(count == 1, id);
    });
  }

  TEST_CASE("a hook that throws ends the run with that and no machine is lost") {
    over_seeds(5, [](store& on, std::filesystem::path) -> task<> {
      int told = 0;
      {
        parcel_engine subject{on, {}, {.window = 2}};
        subject.on_completed([&](const parcel_engine::finished&) {
          if (++told == 3) throw std::runtime_error("the bell is broken");
        });
        co_await submit_all(subject, some(20));
        std::string thrown;
        try {
          static_cast<void>(co_await subject.run());
        } catch (const std::runtime_error& why) {
          thrown = why.what();
        }
        CHECK(thrown == "the bell is broken");
      }
      CHECK_MESSAGE(on.count()->in(phase::completed) >= 3, "what was told is durable");
      CHECK(on.count()->in(phase::completed) < 20);
      co_await run_out(on, {});
      CHECK(on.count()->in(phase::completed) == 20);
    });
  }

  TEST_CASE(
      "a machine that is cancelled while its step runs ends so and the step commits nothing") {
    over_seeds(10, [](store& on, std::filesystem::path file) -> task<> {
      strings order;
      parcel_engine subject{on, slow_parcel(order), {}};
      co_await submit_all(subject, some(5));
      co_await with_scope([&](scope& all) -> task<> {
        all.go(run_well(subject, run_until::drained));
        co_await sleep_for(5s);
        CHECK(subject.progress().running == 5);
        ask_beside(file, {.verb = control_verb::cancel, .filter = {.id = "p/2"}});
        co_await sleep_for(1s);
        CHECK_MESSAGE(phase_beside(file, "p/2") == phase::cancelled, "within a second");
      });
      CHECK(ids_in(on, phase::cancelled) == strings{"p/2"});
      CHECK(on.count()->in(phase::completed) == 4);
      CHECK(subject.progress().refused == 1);
      CHECK(view_of(on, "p/2").state == "packed");
      const auto history = on.history("p/2");
      REQUIRE(history->size() == 1);
      CHECK(history->front().outcome == outcome_kind::cancelled);
    });
  }

  TEST_CASE("a machine that is cancelled and redriven while its step runs is not run beside it") {
    over_seeds(10, [](store& on, std::filesystem::path file) -> task<> {
      int inside = 0, most = 0, runs = 0;
      parcel_engine subject{on,
                            {.on_packed = [&](packed now, step_context) -> task<said> {
                               ++runs;
                               most = std::max(most, ++inside);
                               co_await sleep_for(1min);
                               --inside;
                               co_return carried{now.lane, ""};
                             },
                             .on_carried = {}},
                            {}};
      co_await submit_all(subject, some(1));
      co_await with_scope([&](scope& all) -> task<> {
        all.go(run_well(subject, run_until::drained));
        co_await sleep_for(5s);
        ask_beside(file, {.verb = control_verb::cancel, .filter = {.id = "p/0"}});
        ask_beside(file, {.verb = control_verb::redrive, .filter = {.id = "p/0"}});
      });
      CHECK(runs == 2);
      CHECK(most == 1);
      CHECK(on.count()->in(phase::completed) == 1);
      CHECK(subject.progress().refused == 1);
    });
  }

  TEST_CASE("a redrive reaches what matches its filter while the engine runs and nothing else") {
    over_seeds(5, [](store& on, std::filesystem::path file) -> task<> {
      bool is_mended = false;
      std::map<std::string, int> runs;
      const auto broken = [&](const step_context& run) {
        ++runs[run.id];
        return !is_mended;
      };
      parcel_engine subject{on,
                            {.on_packed = [&](packed now, step_context run) -> task<said> {
                               if (run.id.starts_with("late")) co_return carried{now.lane, ""};
                               if (broken(run)) co_return permanent{"no such address"};
                               co_return carried{now.lane, ""};
                             },
                             .on_carried = [&](carried now, step_context run) -> task<said> {
                               if (broken(run)) co_return permanent{"nobody is at home"};
                               co_return delivered{now.note};
                             }},
                            {}};
      co_await submit_all(subject, some(3, "a"));
      co_await submit_all(subject, some(3, "b"));
      co_await submit_all(subject, some(3, "late"));
      co_await with_scope([&](scope& all) -> task<> {
        all.go(run_well(subject, run_until::stopped));
        co_await sleep_for(5s);
        CHECK(on.count()->in(phase::dead) == 9);
        is_mended = true;
        ask_beside(file, {.verb = control_verb::redrive, .filter = {.id_prefix = "a/"}});
        co_await sleep_for(2s);
        CHECK(ids_in(on, phase::completed) == strings{"a/0", "a/1", "a/2"});
        ask_beside(file, {.verb = control_verb::redrive, .filter = {.state = "carried"}});
        co_await sleep_for(2s);
        CHECK(ids_in(on, phase::dead) == strings{"b/0", "b/1", "b/2"});
        ask_beside(file, {.verb = control_verb::redrive,
                          .filter = {.phase = phase::dead, .lane = "another lane"}});
        co_await sleep_for(2s);
        CHECK(on.count()->in(phase::dead) == 3);
        ask_beside(file, {.verb = control_verb::redrive, .filter = {.phase = phase::dead}});
        co_await sleep_for(2s);
        subject.stop();
      });
      CHECK(on.count()->in(phase::completed) == 9);
      CHECK_MESSAGE(runs["b/0"] == 3, "packed twice, carried once");
      CHECK_MESSAGE(runs["late/0"] == 2, "it is redriven from the state in which it died");
    });
  }

  TEST_CASE("a delayed machine starts when it is due and not before, over a restart too") {
    const scratch_directory directory;
    const auto file = directory / "store.db";
    const auto due = virtual_scheduler::usual_start + 1h;
    on_virtual_time(file, 1, [&](store& on) -> task<> {
      parcel_engine subject{on, {}, {}};
      auto wanted = some(5);
      wanted[3].due = due;
      wanted[4].due = due + 1h;
      co_await submit_all(subject, std::move(wanted));
      co_await with_scope([&](scope& all) -> task<> {
        all.go(run_well(subject, run_until::stopped));
        co_await sleep_for(30min);
        CHECK(on.count()->in(phase::completed) == 3);
        CHECK(view_of(on, "p/3").phase == phase::waiting);
        subject.stop();
      });
    });
    on_virtual_time(file, 2, [&](store& on) -> task<> {
      co_await run_out(on, {});
      for (const auto& [id, earliest] : {std::pair{"p/3", due}, std::pair{"p/4", due + 1h}}) {
        const auto started = on.history(id)->front().started;
        CHECK(started >= earliest);
        CHECK(started <= earliest + 2ms);
      }
    });
    check_consistent(file);
  }

  TEST_CASE("a priority that is given to what waits decides who is next") {
    over_seeds(10, [](store& on, std::filesystem::path file) -> task<> {
      strings order;
      parcel_engine subject{on, slow_parcel(order), one_at_a_time()};
      auto wanted = some(5);
      wanted[4].due = scheduler::current().system_now() + 15s;  // waits; due in the second turn
      co_await submit_all(subject, std::move(wanted));
      co_await with_scope([&](scope& all) -> task<> {
        all.go(run_well(subject, run_until::drained));
        co_await sleep_for(5s);
        const auto give = [&](const char* id, std::int32_t priority) {
          ask_beside(
              file, {.verb = control_verb::prioritize, .filter = {.id = id}, .priority = priority});
        };
        give("p/3", 1);
        give("p/4", 2);
        give("p/1", -1);
      });
      REQUIRE(order.size() == 5);
      // Of the first nothing is known but that it had begun.
      const auto was_first = order.front();
      strings expected{was_first, "p/3", "p/4", "p/0", "p/2", "p/1"};
      expected.erase(std::find(expected.begin() + 1, expected.end(), was_first));
      CHECK(order == expected);
      CHECK(on.count()->in(phase::completed) == 5);
    });
  }

  TEST_CASE("a clock that is set back loses no machine and delays none that is ready") {
    over_seeds(10, [](store& on, std::filesystem::path) -> task<> {
      auto& home = dynamic_cast<virtual_scheduler&>(scheduler::current());
      const auto began = home.now();
      std::map<std::string, int> runs;
      parcel_engine subject{on,
                            {.on_packed = [&](packed now, step_context run) -> task<said> {
                               ++runs[run.id];
                               co_await sleep_for(10s);
                               if (run.id == "p/3" && run.attempt == 1) {
                                 co_return transient{"rain", 1min};
                               }
                               co_return carried{now.lane, ""};
                             },
                             .on_carried = {}},
                            one_at_a_time()};
      co_await submit_all(subject, some(10));
      steady_time ninth{};
      int told = 0;
      subject.on_completed([&](const parcel_engine::finished&) {
        if (++told == 9) ninth = home.now();
      });
      co_await with_scope([&](scope& all) -> task<> {
        all.go(run_well(subject, run_until::drained));
        co_await sleep_for(15s);
        home.shift_calendar(-24h);  // while a step runs
        co_await sleep_for(35s);
        home.shift_calendar(-1h);
      });
      CHECK(on.count()->in(phase::completed) == 10);
      for (const auto& [id, count] : runs) CHECK_MESSAGE(count == (id == "p/3" ? 2 : 1), id);
      CHECK(ninth - began < 3min);
      const auto history = on.history("p/3");
      REQUIRE(history->size() == 3);
      CHECK((*history)[0].outcome == outcome_kind::retried);
      CHECK((*history)[1].attempt == 2);
    });
  }

  TEST_CASE("a store that was last used under a later clock runs what is ready at once") {
    const scratch_directory directory;
    const auto file = directory / "store.db";
    on_virtual_time(file, 1, [](store& on) -> task<> {
      auto& home = dynamic_cast<virtual_scheduler&>(scheduler::current());
      home.shift_calendar(std::chrono::days(365));
      parcel_engine subject{on, {}, {}};
      auto wanted = some(5);
      wanted[4].due = home.system_now() + 1min;
      co_await submit_all(subject, std::move(wanted));
    });
    on_virtual_time(file, 2, [&](store& on) -> task<> {
      auto& home = dynamic_cast<virtual_scheduler&>(scheduler::current());
      const auto beside = inspect_sqlite_store(file);
      REQUIRE(beside.has_value());
      CHECK_MESSAGE((*beside)->waiting_since().value() > home.system_now() + std::chrono::days(364),
                    "whoever looks at it can tell");
      parcel_engine subject{on, {}, {}};
      co_await with_scope([&](scope& all) -> task<> {
        all.go(run_well(subject, run_until::drained));
        co_await sleep_for(1min);
        CHECK(on.count()->in(phase::completed) == 4);
        // What waits does so until the calendar comes to its time; so it is set right.
        CHECK(view_of(on, "p/4").phase == phase::waiting);
        home.shift_calendar(std::chrono::days(365));
        co_await sleep_for(3min);
        CHECK_MESSAGE(on.count()->in(phase::completed) == 5, "it looks at it again by itself");
        subject.stop();
      });
    });
    check_consistent(file);
  }
}
