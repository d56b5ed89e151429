// SPDX-License-Identifier: Apache-2.0
// Goal: what waits is woken when due, no earlier and no later, and the earliest is known.
#include "subject.hpp"

using namespace wherry;
using namespace wherry::test;
using namespace std::chrono_literals;

TEST_SUITE("store.hpp: waiting") {
  TEST_CASE("promotion wakes exactly what is due") {
    on_every_store([](store& subject) -> task<> {
      const auto start = now();
      std::vector<submission> wanted;
      for (int i = 1; i <= 5; ++i) {
        wanted.push_back(item("m" + std::to_string(i)));
        wanted.back().due = start + std::chrono::hours(i);
      }
      co_await submit_new(subject, wanted);
      CHECK(subject.next_due() == start + 1h);
      CHECK(co_await subject.promote(start + 1h - 1ms) == 0u);
      CHECK(co_await subject.promote(start + 2h) == 2u);
      CHECK(subject.next_due() == start + 3h);
      CHECK(view_of(subject, "m2").phase == phase::ready);
      CHECK(view_of(subject, "m2").version == 0);
      CHECK(view_of(subject, "m2").due == start + 2h);
      CHECK(view_of(subject, "m3").phase == phase::waiting);
      CHECK(co_await subject.promote(start + 9h) == 3u);
      CHECK_FALSE(subject.next_due().has_value());
      CHECK(ids(co_await lease_some(subject, "lane", 9)) == strings{"m1", "m2", "m3", "m4", "m5"});
    });
  }

  TEST_CASE("a failed machine waits for its due time with its error and its attempt") {
    on_every_store([](store& subject) -> task<> {
      co_await submit_new(subject, {item("a")});
      const auto due = now() + 30min;
      CHECK(co_await record_one(subject, retry(co_await lease_one(subject), due)));
      CHECK(subject.next_due() == due);
      CHECK(subject.ready_lanes().empty());
      auto seen = view_of(subject, "a");
      CHECK(seen.phase == phase::waiting);
      CHECK(seen.attempt == 2);
      CHECK(seen.error == "the other side is down");
      CHECK(co_await subject.promote(due) == 1u);
      const auto leased = co_await lease_one(subject);
      CHECK(leased.attempt == 2);
      CHECK(leased.version == 1);
      CHECK(co_await record_one(subject, advance(leased, "second")));
      CHECK(view_of(subject, "a").error.empty());
    });
  }

  TEST_CASE("the earliest due time follows what comes and goes") {
    on_every_store([](store& subject) -> task<> {
      const auto start = now();
      auto late = item("late");
      late.due = start + 9h;
      auto early = item("early");
      early.due = start + 2h;
      co_await submit_new(subject, {late});
      CHECK(subject.next_due() == start + 9h);
      co_await submit_new(subject, {early});
      CHECK(subject.next_due() == start + 2h);
      machine_filter filter;
      filter.id = "early";
      CHECK(co_await subject.control(control_verb::cancel, filter) == 1u);
      CHECK(subject.next_due() == start + 9h);
      CHECK(co_await subject.promote(start + 9h) == 1u);
      CHECK_FALSE(subject.next_due().has_value());
    });
  }

  TEST_CASE("thousands that are due at once are promoted in parts") {
    on_every_store([](store& subject) -> task<> {
      const auto due = now() + 1h;
      std::vector<submission> wanted;
      for (int i = 0; i < 2'500; ++i) {
        wanted.push_back(item("m" + std::to_string(i)));
        wanted.back().due = due;
      }
      co_await submit_new(subject, std::move(wanted));
      const auto part = co_await subject.promote(due);
      CHECK(*part > 0);
      CHECK(*part <= 1'000);
      CHECK(subject.next_due() == due);
      CHECK((co_await lease_some(subject, "lane", 1)).size() == 1);
      CHECK(co_await promote_all(subject, due) == 2'500 - *part);
      CHECK_FALSE(subject.next_due().has_value());
      CHECK((co_await lease_all(subject, "lane")).size() == 2'499);
    });
  }
}
