// SPDX-License-Identifier: Apache-2.0
// Goal: one commit a (machine, generation, version), under the live lease only, entry by entry.
#include "subject.hpp"

using namespace wherry;
using namespace wherry::test;
using namespace std::chrono_literals;

TEST_SUITE("store.hpp: record") {
  TEST_CASE("a recorded machine is in its new situation and may be leased again") {
    on_every_store([](store& subject) -> task<> {
      co_await submit_new(subject, {item("a")});
      auto outcome = advance(co_await lease_one(subject), "second");
      outcome.lane = "other";
      outcome.rank = 2;
      CHECK(co_await record_one(subject, outcome));
      const auto seen = view_of(subject, "a");
      CHECK(seen.version == 1);
      CHECK(seen.state == "second");
      CHECK(seen.data == R"({"n":2})");
      CHECK(seen.lane == "other");
      CHECK(seen.phase == phase::ready);
      CHECK(seen.updated == outcome.ended);
      CHECK(subject.ready_lanes() == strings{"other"});
      const auto leased = co_await lease_some(subject, "other", 9);
      REQUIRE(leased.size() == 1);
      CHECK(leased.front().version == 1);
      CHECK(leased.front().state == "second");
      CHECK(leased.front().data == R"({"n":2})");
    });
  }

  TEST_CASE("one version is committed once") {
    on_every_store([](store& subject) -> task<> {
      co_await submit_new(subject, {item("a")});
      const auto leased = co_await lease_one(subject);
      const auto accepted =
          co_await subject.record({advance(leased, "second"), advance(leased, "third")});
      REQUIRE(accepted.has_value());
      CHECK(*accepted == std::vector<bool>{true, false});
      CHECK_FALSE(co_await record_one(subject, advance(leased, "third")));
      CHECK(view_of(subject, "a").state == "second");
      CHECK(subject.history("a")->size() == 1);
    });
  }

  TEST_CASE("a lease that ended cannot commit and hinders no other") {
    on_every_store([](store& subject) -> task<> {
      co_await submit_new(subject, {item("a"), item("b"), item("c"), item("d")});
      const auto first = co_await lease_some(subject, "lane", 4);
      REQUIRE(first.size() == 4);
      subject.release({first[0], first[1]});
      const auto again = co_await lease_some(subject, "lane", 1);
      REQUIRE(ids(again) == strings{"a"});
      auto wrong_token = advance(first[2], "second");
      wrong_token.token += 1'000;
      const auto accepted = co_await subject.record(
          {advance(first[0], "stale"), advance(first[1], "none"), wrong_token,
           advance(first[3], "second"), advance(again[0], "second")});
      REQUIRE(accepted.has_value());
      CHECK(*accepted == std::vector<bool>{false, false, false, true, true});
      CHECK(view_of(subject, "a").state == "second");
      CHECK(view_of(subject, "b").version == 0);
      CHECK(view_of(subject, "c").version == 0);
      CHECK(co_await record_one(subject, advance(first[2], "second")));
    });
  }

  TEST_CASE("a lease that was reclaimed cannot commit") {
    on_every_store([](store& subject) -> task<> {
      co_await submit_new(subject, {item("a")});
      const auto lost = co_await lease_one(subject);
      const auto taken = co_await subject.reclaim(now() + 2h, now() + 9h);
      REQUIRE(taken->size() == 1);
      CHECK_FALSE(co_await record_one(subject, advance(lost, "second")));
      subject.release(*taken);
      const auto again = co_await lease_one(subject);
      CHECK_FALSE(co_await record_one(subject, advance(lost, "second")));
      CHECK_FALSE(co_await record_one(subject, advance(taken->front(), "second")));
      CHECK(co_await record_one(subject, advance(again, "third")));
      CHECK(view_of(subject, "a").state == "third");
    });
  }

  TEST_CASE("a finished machine runs no more") {
    on_every_store([](store& subject) -> task<> {
      co_await submit_new(subject, {item("a"), item("b")});
      CHECK(co_await record_one(subject, finish(co_await lease_one(subject), phase::completed)));
      CHECK(co_await record_one(subject, finish(co_await lease_one(subject), phase::dead)));
      CHECK(subject.ready_lanes().empty());
      CHECK_FALSE(subject.next_due().has_value());
      CHECK(view_of(subject, "a").phase == phase::completed);
      CHECK(view_of(subject, "b").phase == phase::dead);
      CHECK(view_of(subject, "b").error == "hopeless");
    });
  }

  TEST_CASE("runs that are throttled one after the other share one line of history") {
    on_every_store([](store& subject) -> task<> {
      co_await submit_new(subject, {item("a")});
      std::vector<system_time> started;
      for (int run = 0; run < 5; ++run) {
        auto outcome = retry(co_await lease_one(subject), now() + 1h);
        if (run != 3) {
          outcome.outcome = outcome_kind::throttled;
          outcome.next_attempt = outcome.attempt;
        }
        outcome.error = "run " + std::to_string(run);
        started.push_back(outcome.started);
        CHECK(co_await record_one(subject, outcome));
        CHECK(co_await subject.promote(now() + 2h) == 1u);
      }
      CHECK(view_of(subject, "a").version == 5);
      const auto history = subject.history("a");
      REQUIRE(history.has_value());
      REQUIRE(history->size() == 3);
      CHECK((*history)[0].version == 3);
      CHECK((*history)[0].runs == 3);
      CHECK((*history)[0].started == started[0]);
      CHECK((*history)[0].error == "run 2");
      CHECK((*history)[1].version == 4);
      CHECK((*history)[1].runs == 1);
      CHECK((*history)[2].version == 5);
      CHECK((*history)[2].outcome == outcome_kind::throttled);
      CHECK((*history)[2].runs == 1);
    });
  }

  TEST_CASE("runs that are postponed share a line of history but not with those throttled") {
    on_every_store([](store& subject) -> task<> {
      co_await submit_new(subject, {item("a")});
      for (const auto how : {outcome_kind::postponed, outcome_kind::postponed,
                             outcome_kind::throttled, outcome_kind::postponed}) {
        auto outcome = retry(co_await lease_one(subject), now() + 1h);
        outcome.outcome = how;
        outcome.next_attempt = outcome.attempt;
        CHECK(co_await record_one(subject, outcome));
        CHECK(co_await subject.promote(now() + 2h) == 1u);
      }
      const auto history = subject.history("a");
      REQUIRE(history.has_value());
      REQUIRE(history->size() == 3);
      CHECK((*history)[0].outcome == outcome_kind::postponed);
      CHECK((*history)[0].runs == 2);
      CHECK((*history)[1].outcome == outcome_kind::throttled);
      CHECK((*history)[2].runs == 1);
    });
  }

  TEST_CASE("a parked lane is remembered with the latest time") {
    on_every_store([](store& subject) -> task<> {
      co_await submit_new(subject, {item("a")});
      const auto until = now() + 2h;
      auto outcome = retry(co_await lease_one(subject), until);
      outcome.outcome = outcome_kind::throttled;
      outcome.next_attempt = 1;
      outcome.error = "slow down";
      outcome.lane_parked_until = until;
      CHECK(co_await record_one(subject, outcome));
      CHECK(co_await subject.promote(until) == 1u);
      outcome = advance(co_await lease_one(subject), "second");
      outcome.error = "of another run";
      outcome.lane_parked_until = until - 1h;
      outcome.lane_is_stopped = true;
      CHECK(co_await record_one(subject, outcome));
      const auto states = subject.lane_states();
      REQUIRE(states.size() == 1);
      CHECK(states.front().lane == "lane");
      CHECK(states.front().parked_until == until);
      CHECK(states.front().error == "slow down");
      CHECK_FALSE(states.front().is_stopped);
    });
  }

  TEST_CASE("a lane that a step has stopped is known with its error for that run") {
    on_every_store([](store& subject) -> task<> {
      co_await submit_new(subject, {item("a")});
      auto outcome = advance(co_await lease_one(subject), "second");
      outcome.error = "the key is refused";
      outcome.lane_parked_until = now() + 1h;
      outcome.lane_is_stopped = true;
      CHECK(co_await record_one(subject, outcome));
      const auto states = subject.lane_states();
      REQUIRE(states.size() == 1);
      CHECK(states.front().parked_until == outcome.lane_parked_until);
      CHECK(states.front().error == "the key is refused");
      CHECK(states.front().is_stopped);
    });
  }

  TEST_CASE("a lane whose breaker is open is known with the error that opened it") {
    on_every_store([](store& subject) -> task<> {
      co_await submit_new(subject, {item("a")});
      auto outcome = advance(co_await lease_one(subject), "second");
      outcome.error = "the host is down";
      outcome.lane_memory = {.failures = 3, .open_until = now() + 1h, .keep_until = now() + 2h};
      CHECK(co_await record_one(subject, outcome));
      const auto states = subject.lane_states();
      REQUIRE(states.size() == 1);
      CHECK(states.front().error == "the host is down");
    });
  }

  TEST_CASE("a lane whose park is over is remembered no more") {
    on_every_store([](store& subject) -> task<> {
      co_await submit_new(subject, {item("a")});
      auto outcome = advance(co_await lease_one(subject), "second");
      outcome.lane_parked_until = now() - 1ms;
      CHECK(co_await record_one(subject, outcome));
      CHECK(subject.lane_states().empty());
    });
  }

  TEST_CASE("a state that is too large is refused with its name and the lease stays") {
    on_every_store([](store& subject) -> task<> {
      co_await submit_new(subject, {item("a"), item("b")});
      const auto leased = co_await lease_some(subject, "lane", 2);
      REQUIRE(leased.size() == 2);
      auto large = advance(leased[0], "second");
      large.data.assign(data_size_limit + 1, 'x');
      const auto refused = co_await subject.record({advance(leased[1], "second"), large});
      REQUIRE_FALSE(refused.has_value());
      CHECK(refused.error().what == store_error::kind::refused);
      CHECK(refused.error().message.find("machine a") != std::string::npos);
      CHECK(view_of(subject, "b").version == 0);
      CHECK(co_await record_one(subject, advance(leased[0], "second")));
      CHECK(co_await record_one(subject, advance(leased[1], "second")));
    });
  }

  TEST_CASE("when a state was entered comes back with each lease until a newer generation") {
    on_every_store([](store& subject) -> task<> {
      co_await submit_new(subject, {item("a")});
      const auto first = co_await lease_one(subject);
      CHECK(first.entered == 0);
      auto next = advance(first, "second");
      next.entered = 1;
      CHECK(co_await record_one(subject, next));
      auto leased = co_await lease_one(subject);
      CHECK(leased.entered == 1);
      subject.release({leased});
      CHECK(co_await record_one(subject, retry(co_await lease_one(subject), now() + 1h)));
      CHECK(co_await subject.promote(now() + 2h) == 1u);
      leased = co_await lease_one(subject);
      CHECK(leased.entered == 1);
      CHECK(co_await record_one(subject, finish(leased, phase::dead)));
      CHECK(co_await subject.control(control_verb::redrive, {.id = "a"}) == 1u);
      leased = co_await lease_one(subject);
      CHECK_MESSAGE(leased.entered == 1, "the same state, and the step may have acted already");
      CHECK(co_await record_one(subject, finish(leased, phase::dead)));
      auto again = item("a");
      again.generation = 2;
      REQUIRE((co_await subject.submit({again})).has_value());
      CHECK((co_await lease_one(subject)).entered == 0);
    });
  }

  TEST_CASE("the shape of a state comes back with each lease until another one is recorded") {
    on_every_store([](store& subject) -> task<> {
      auto wanted = item("a");
      wanted.shape = 2;
      co_await submit_new(subject, {wanted});
      CHECK((co_await lease_one(subject)).shape == 2);
      const auto lost = co_await subject.reclaim(now() + 2h, now() + 4h);
      REQUIRE(lost.has_value());
      REQUIRE(lost->size() == 1);
      CHECK(lost->front().shape == 2);
      CHECK(co_await record_one(subject, retry(lost->front(), now() + 1h)));
      CHECK(co_await subject.promote(now() + 2h) == 1u);
      auto next = advance(co_await lease_one(subject), "second");
      CHECK(next.shape == 2);
      next.shape = 3;
      CHECK(co_await record_one(subject, next));
      const auto leased = co_await lease_one(subject);
      CHECK(leased.shape == 3);
      CHECK(view_of(subject, "a").shape == 3);
      CHECK(co_await record_one(subject, finish(leased, phase::dead)));
      CHECK(view_of(subject, "a").shape == 3);
      auto again = item("a");
      again.generation = 2;
      REQUIRE((co_await subject.submit({again})).has_value());
      CHECK((co_await lease_one(subject)).shape == 0);
    });
  }

  TEST_CASE("a deadline stays with its machine until a redrive or a newer generation") {
    on_every_store([](store& subject) -> task<> {
      const auto deadline = now() + 1h;
      auto ready = item("a");
      ready.deadline = deadline;
      auto waiting = item("w");
      waiting.deadline = deadline;
      waiting.due = now() + 1min;
      waiting.lane = "waiting";
      co_await submit_new(subject, {ready, waiting});
      CHECK(view_of(subject, "w").deadline == deadline);
      CHECK(co_await promote_all(subject, now() + 2min) == 1u);
      CHECK((co_await lease_some(subject, "waiting", 1)).front().deadline == deadline);

      auto leased = co_await lease_one(subject);
      CHECK(leased.deadline == deadline);
      CHECK(co_await record_one(subject, advance(leased, "second")));
      leased = co_await lease_one(subject);
      CHECK(leased.deadline == deadline);
      CHECK(co_await record_one(subject, retry(leased, now() + 1min)));
      CHECK(co_await promote_all(subject, now() + 2min) == 1u);
      leased = co_await lease_one(subject);
      CHECK(leased.deadline == deadline);
      CHECK(co_await record_one(subject, finish(leased, phase::dead)));
      CHECK(view_of(subject, "a").deadline == deadline);
      CHECK(co_await subject.control(control_verb::redrive, {.id = "a"}) == 1u);
      leased = co_await lease_one(subject);
      CHECK(leased.deadline == system_time{});
      CHECK(co_await record_one(subject, finish(leased, phase::completed)));
      auto again = item("a");
      again.generation = 2;
      again.deadline = deadline;
      REQUIRE((co_await subject.submit({again})).has_value());
      CHECK((co_await lease_one(subject)).deadline == deadline);
    });
  }

  TEST_CASE("rank and setbacks come back with the next lease and a redrive forgets the setbacks") {
    on_every_store([](store& subject) -> task<> {
      co_await submit_new(subject, {item("a")});
      auto back = advance(co_await lease_one(subject), "second");
      back.rank = 3;
      back.setbacks = 2;
      CHECK(co_await record_one(subject, back));
      const auto again = co_await lease_one(subject);
      CHECK(again.rank == 3);
      CHECK(again.setbacks == 2);
      CHECK(view_of(subject, "a").setbacks == 2);
      auto end = advance(again, "second");
      end.rank = 3;
      end.setbacks = 2;
      end.phase = phase::dead;
      CHECK(co_await record_one(subject, end));
      CHECK(co_await subject.control(control_verb::redrive, {.id = "a"}) == 1u);
      CHECK((co_await lease_one(subject)).setbacks == 0);
    });
  }
}
