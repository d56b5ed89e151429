// SPDX-License-Identifier: Apache-2.0
// Goal: a store that is closed and opened again goes on where it was; leases of before are void.
#include <unistd.h>

#include "sqlite_subject.hpp"

using namespace wherry;
using namespace wherry::test;
using namespace std::chrono_literals;

namespace {

/// A command in the inbox that no version of ours wrote is refused by `named`, and changes nothing.
void check_refused(const std::string& verb, const std::string& phase_name,
                   const std::string& named) {
  const scratch_directory directory;
  const auto file = directory / "store.db";
  with_store(file, [](store& subject) -> task<> { co_await submit_new(subject, {item("a")}); });
  const auto sql =
      "PRAGMA ignore_check_constraints = ON;"
      "INSERT INTO inbox (key, verb, phase, state, id, id_prefix, asked_ms) VALUES (1, '" +
      verb + "', '" + phase_name + "', '', '', '', 0)";
  run_sql(file, sql.c_str());
  with_store(file, [&](store& subject) -> task<> {
    const auto drained = co_await subject.drain_inbox();
    REQUIRE_FALSE(drained.has_value());
    CHECK(drained.error().message.find(named) != std::string::npos);
    CHECK((view_of(subject, "a").phase == phase::ready));
  });
}

}  // namespace

TEST_SUITE("sqlite.hpp: reopen") {
  TEST_CASE("everything that was answered is there after a reopen") {
    const scratch_directory directory;
    const auto file = directory / "store.db";
    machine_counts before;
    std::vector<machine_view> views;
    std::optional<system_time> due;
    with_store(file, [&](store& subject) -> task<> {
      co_await submit_new(subject, {item("a"), item("b"), item("c"), item("d")});
      const auto leased = co_await lease_some(subject, "lane", 4);
      REQUIRE(leased.size() == 4);
      due = now() + 1h;
      auto parked = retry(leased[1], *due);
      auto onward = advance(leased[0], "second");
      onward.due = now() + 1ms;  // after d, whatever the clock says
      onward.ran_in = "another";
      onward.lane_parked_until = *due;
      onward.lane_is_stopped = true;  // which ends with this run
      parked.lane_parked_until = *due;
      const auto accepted =
          co_await subject.record({onward, parked, finish(leased[2], phase::completed)});
      REQUIRE(accepted.has_value());
      before = *subject.count();
      views = *subject.query({}, 9, "");
    });
    check_consistent(file);
    with_store(file, [&](store& subject) -> task<> {
      CHECK((subject.count()->by == before.by));
      const auto again = *subject.query({}, 9, "");
      REQUIRE(again.size() == views.size());
      for (std::size_t i = 0; i < views.size(); ++i) {
        CHECK(again[i].id == views[i].id);
        CHECK(again[i].version == views[i].version);
        CHECK(again[i].state == views[i].state);
        CHECK((again[i].phase == views[i].phase));
        CHECK(again[i].updated == views[i].updated);
      }
      CHECK(subject.next_due() == due);
      CHECK(subject.history("a")->size() == 1);
      REQUIRE(subject.lane_states().size() == 1);
      CHECK(subject.lane_states().front().parked_until == *due);
      CHECK_MESSAGE(subject.ready_signal().poll().has_value(), "there is ready work");
      // d was leased when the store closed: it is ready, at once.
      CHECK(ids(co_await lease_all(subject, "lane")) == strings{"d", "a"});
    });
  }

  TEST_CASE("a lease from before the reopen cannot commit") {
    const scratch_directory directory;
    const auto file = directory / "store.db";
    std::vector<leased_machine> old;
    with_store(file, [&](store& subject) -> task<> {
      co_await submit_new(subject, {item("a")});
      old = co_await lease_some(subject, "lane", 1);
    });
    with_store(file, [&](store& subject) -> task<> {
      CHECK_FALSE(co_await record_one(subject, advance(old.front(), "second")));
      const auto fresh = co_await lease_one(subject);
      CHECK(fresh.token > old.front().token);
      CHECK_FALSE(co_await record_one(subject, advance(old.front(), "second")));
      CHECK(co_await record_one(subject, advance(fresh, "second")));
    });
    check_consistent(file);
  }

  TEST_CASE("another process looks at a running store and leaves commands for it") {
    const scratch_directory directory;
    const auto file = directory / "store.db";
    with_store(file, [&](store& subject) -> task<> {
      co_await submit_new(subject, {item("a/1"), item("a/2"), item("b")});
      auto beside = inspect_sqlite_store(file);
      REQUIRE_MESSAGE(beside.has_value(), beside.error().message);
      auto& inspector = **beside;
      CHECK(inspector.count()->in(phase::ready) == 3);
      CHECK(ids(*inspector.query({}, 9, "")) == strings{"a/1", "a/2", "b"});
      CHECK(inspector.owner().starts_with("pid " + std::to_string(::getpid()) + " on "));

      CHECK(co_await subject.drain_inbox() == 0u);
      machine_filter filter;
      filter.id_prefix = "a/";
      REQUIRE(inspector.ask(control_verb::cancel, filter).has_value());
      filter.phase = phase::ready;
      filter.id = "a/2";
      REQUIRE(inspector.ask(control_verb::redrive, filter).has_value());  // matches nothing
      filter.phase.reset();
      REQUIRE(inspector.ask(control_verb::redrive, filter).has_value());
      CHECK(inspector.count()->in(phase::cancelled) == 0);
      CHECK(co_await subject.drain_inbox() == 3u);
      CHECK(co_await subject.drain_inbox() == 0u);
      CHECK((view_of(subject, "a/1").phase == phase::cancelled));
      CHECK((view_of(subject, "a/2").phase == phase::ready));
      CHECK(inspector.history("a/2")->size() == 2);
      CHECK(inspector.count()->in(phase::cancelled) == 1);
    });
    check_consistent(file);
  }

  TEST_CASE("commands about lanes and priorities come through the inbox in their order") {
    const scratch_directory directory;
    const auto file = directory / "store.db";
    with_store(file, [&](store& subject) -> task<> {
      auto nameless = item("n");
      nameless.lane = "";
      co_await submit_new(subject, {item("a"), item("b"), nameless});
      auto beside = inspect_sqlite_store(file);
      REQUIRE_MESSAGE(beside.has_value(), beside.error().message);
      auto& inspector = **beside;
      REQUIRE(inspector.ask(control_verb::pause, {.lane = "lane"}).has_value());
      REQUIRE(inspector.ask(control_verb::pause, {.lane = ""}).has_value());
      REQUIRE(
          inspector.ask({.verb = control_verb::prioritize, .filter = {.id = "b"}, .priority = -7})
              .has_value());
      REQUIRE(inspector
                  .ask({.verb = control_verb::prioritize,
                        .filter = {.id_prefix = "b", .lane = "lane"},
                        .priority = 7})
                  .has_value());
      CHECK(inspector.lanes()->empty());
      CHECK(co_await subject.drain_inbox() == 4u);
      CHECK(subject.ready_lanes().empty());
      const auto lanes = inspector.lanes();
      REQUIRE(lanes->size() == 2);
      CHECK((*lanes)[0].lane == "");
      CHECK((*lanes)[1].lane == "lane");
      CHECK((*lanes)[1].paused);
      REQUIRE(inspector.ask(control_verb::resume, {.lane = "lane"}).has_value());
      CHECK(co_await subject.drain_inbox() == 1u);
      CHECK(ids(co_await lease_all(subject, "lane")) == strings{"b", "a"});

      const auto unnamed = inspector.ask(control_verb::pause, {});
      REQUIRE_FALSE(unnamed.has_value());
      CHECK(unnamed.error().what == store_error::kind::refused);
    });
    check_consistent(file);
  }

  TEST_CASE("of which shape a state is is there after a reopen") {
    const scratch_directory directory;
    const auto file = directory / "store.db";
    with_store(file, [](store& subject) -> task<> {
      auto ready = item("a");
      ready.shape = 7;
      co_await submit_new(subject, {ready});
    });
    with_store(file, [](store& subject) -> task<> {
      CHECK(view_of(subject, "a").shape == 7);
      CHECK((co_await lease_one(subject)).shape == 7);
    });
  }

  TEST_CASE("a pause and what a lane must not forget are there after a reopen") {
    const scratch_directory directory;
    const auto file = directory / "store.db";
    lane_memory memory{.quotas = R"({"windows":[]})",
                       .failures = 3,
                       .open_until = system_time{17ms},
                       .keep_until = {}};
    with_store(file, [&](store& subject) -> task<> {
      auto other = item("b");
      other.lane = "other";
      co_await submit_new(subject, {item("a"), other});
      CHECK(co_await subject.control(control_verb::pause, {.lane = "other"}) == 1u);
      CHECK(co_await subject.control(control_verb::pause, {.lane = "empty"}) == 1u);
      auto last = item("l");
      last.lane = "left";
      co_await submit_new(subject, {last});
      const auto leaves = co_await lease_some(subject, "left", 1);
      CHECK(co_await subject.control(control_verb::pause, {.lane = "left"}) == 1u);
      CHECK(co_await record_one(subject, finish(leaves.front(), phase::completed)));
      auto done = finish(co_await lease_one(subject), phase::completed);
      memory.keep_until = now() + 1h;
      done.lane_memory = memory;
      CHECK(co_await record_one(subject, done));
    });
    with_store(file, [&](store& subject) -> task<> {
      const auto kept = subject.lane_states();
      REQUIRE(kept.size() == 4);
      CHECK(kept[0].lane == "empty");
      CHECK(kept[0].paused);
      CHECK(kept[1].lane == "lane");
      CHECK(kept[1].memory == memory);
      CHECK_FALSE(kept[1].paused);
      CHECK(kept[2].lane == "left");
      CHECK(kept[2].paused);
      CHECK(kept[3].paused);
      CHECK(subject.ready_lanes().empty());
      CHECK((co_await lease_some(subject, "other", 9)).empty());
      CHECK(co_await subject.control(control_verb::resume, {.lane = "other"}) == 1u);
      CHECK(co_await subject.control(control_verb::resume, {.lane = "empty"}) == 1u);
      CHECK(co_await subject.control(control_verb::resume, {.lane = "left"}) == 1u);
      CHECK((co_await lease_some(subject, "other", 9)).size() == 1);
    });
    // Nothing is kept of a lane without machines once it is resumed.
    CHECK(select_from(file, "SELECT lane FROM lanes ORDER BY lane") == strings{"lane", "other"});
    run_sql(file, "UPDATE lanes SET keep_until_ms = 5");
    with_store(file, [](store& subject) -> task<> {
      CHECK(subject.lane_states().empty());
      co_return;
    });
    CHECK(select_from(file, "SELECT lane FROM lanes") == strings{"other"});
    check_consistent(file);
  }

  TEST_CASE("a command looks at a bounded number of machines at a time whether they match or not") {
    const scratch_directory directory;
    const auto file = directory / "store.db";
    with_store(file, [&](store& subject) -> task<> {
      std::vector<submission> many;
      for (int i = 0; i < 2'000; ++i) {
        many.push_back(item("m" + std::to_string(i)));
        if (i % 2 == 0) many.back().due = now() + 1h;
      }
      many.back().id = "z";
      many.back().state = "rare";
      co_await submit_new(subject, std::move(many));
      auto beside = inspect_sqlite_store(file);
      REQUIRE_MESSAGE(beside.has_value(), beside.error().message);
      REQUIRE((*beside)->ask(control_verb::cancel, {.state = "rare"}).has_value());
      int unfinished_steps = 0;
      for (;;) {
        const auto step = co_await subject.step_inbox();
        REQUIRE_MESSAGE(step.has_value(), step.error().message);
        if (step->finished > 0) break;
        CHECK(step->more);
        ++unfinished_steps;
      }
      CHECK(unfinished_steps >= 2);
      CHECK(subject.count()->in(phase::cancelled) == 1);
      CHECK((view_of(subject, "z").phase == phase::cancelled));
    });
    check_consistent(file);
  }

  TEST_CASE("a command for an unknown phase is refused and reaches no machine") {
    check_refused("cancel", "redy", "redy");
  }

  TEST_CASE("an unknown command is refused and reaches no machine") {
    check_refused("destroy", "", "destroy");
  }

  TEST_CASE("a command that was left while nobody ran the store waits for the next owner") {
    const scratch_directory directory;
    const auto file = directory / "store.db";
    with_store(file, [](store& subject) -> task<> {
      std::vector<submission> many;
      for (int i = 0; i < 1'200; ++i) many.push_back(item("m" + std::to_string(i)));
      co_await submit_new(subject, std::move(many));
    });
    {
      const auto beside = inspect_sqlite_store(file);
      REQUIRE_MESSAGE(beside.has_value(), beside.error().message);
      CHECK((*beside)->owner().empty());
      REQUIRE((*beside)->ask(control_verb::cancel, {}).has_value());
    }
    with_store(file, [](store& subject) -> task<> {
      CHECK(co_await subject.drain_inbox() == 1u);
      CHECK(subject.count()->in(phase::cancelled) == 1'200);
    });
    with_store(file, [](store& subject) -> task<> { CHECK(co_await subject.drain_inbox() == 0u); });
    check_consistent(file);
  }
}
