// SPDX-License-Identifier: Apache-2.0
// Goal: a lease is exclusive, comes in the order of the contract, and comes back.
#include <algorithm>
#include <random>
#include <set>

#include "subject.hpp"

using namespace wherry;
using namespace wherry::test;
using namespace std::chrono_literals;

TEST_SUITE("store.hpp: lease") {
  TEST_CASE("a lease hands out the whole machine") {
    on_every_store([](store& subject) -> task<> {
      auto wanted = item("a");
      wanted.generation = 4;
      wanted.priority = -2;
      co_await submit_new(subject, {wanted});
      const auto leased = co_await lease_one(subject);
      CHECK(leased.id == "a");
      CHECK(leased.generation == 4);
      CHECK(leased.version == 0);
      CHECK(leased.state == "first");
      CHECK(leased.data == R"({"n":1})");
      CHECK(leased.lane == "lane");
      CHECK(leased.priority == -2);
      CHECK(leased.attempt == 1);
      CHECK(leased.token != 0);
    });
  }

  TEST_CASE("a leased machine is not leased again") {
    on_every_store([](store& subject) -> task<> {
      co_await submit_new(subject, {item("a"), item("b")});
      CHECK(ids(co_await lease_some(subject, "lane", 1)) == strings{"a"});
      CHECK(ids(co_await lease_some(subject, "lane", 5)) == strings{"b"});
      CHECK((co_await lease_some(subject, "lane", 5)).empty());
      CHECK(subject.ready_lanes().empty());
    });
  }

  TEST_CASE("lanes do not mix and only those with free machines are listed") {
    on_every_store([](store& subject) -> task<> {
      auto left = item("l");
      left.lane = "left";
      auto right = item("r");
      right.lane = "right";
      co_await submit_new(subject, {left, right});
      auto lanes = subject.ready_lanes();
      std::ranges::sort(lanes);
      CHECK(lanes == strings{"left", "right"});
      CHECK(ids(co_await lease_some(subject, "left", 5)) == strings{"l"});
      CHECK(subject.ready_lanes() == strings{"right"});
      CHECK((co_await lease_some(subject, "nowhere", 5)).empty());
    });
  }

  TEST_CASE("priority comes before rank before due before age") {
    on_every_store([](store& subject) -> task<> {
      const auto start = now();
      const auto made = [&](std::string id, int priority, int rank, int due) {
        auto wanted = item(std::move(id));
        wanted.priority = priority;
        wanted.rank = rank;
        wanted.due = start + std::chrono::hours(due);
        return wanted;
      };
      co_await submit_new(subject, {made("g", -1, 9, 1), made("f", 0, -1, 1), made("e", 0, 0, 2),
                                    made("c", 0, 0, 1), made("d", 0, 0, 1), made("b", 0, 5, 9),
                                    made("a", 7, 0, 9)});
      CHECK(co_await subject.promote(start + 10h) == 7u);
      CHECK(ids(co_await lease_some(subject, "lane", 9)) ==
            strings{"a", "b", "c", "d", "e", "f", "g"});
    });
  }

  TEST_CASE("a machine that is released is ready as before") {
    on_every_store([](store& subject) -> task<> {
      co_await submit_new(subject, {item("a"), item("b"), item("c")});
      const auto leased = co_await lease_some(subject, "lane", 2);
      subject.release(leased);
      CHECK(subject.ready_lanes() == strings{"lane"});
      const auto again = co_await lease_some(subject, "lane", 9);
      CHECK(ids(again) == strings{"a", "b", "c"});
      CHECK(again.front().version == 0);
      CHECK(again.front().token != leased.front().token);
      subject.release(leased);  // the lease is another's now
      CHECK(subject.ready_lanes().empty());
    });
  }

  TEST_CASE("a lease that ran out comes back and one that did not stays") {
    on_every_store([](store& subject) -> task<> {
      co_await submit_new(subject, {item("a"), item("b")});
      const auto start = now();
      REQUIRE((co_await subject.lease("lane", 1, start + 1h)).has_value());
      REQUIRE((co_await subject.lease("lane", 1, start + 3h)).has_value());
      CHECK((co_await subject.reclaim(start + 59min, start + 9h))->empty());
      const auto lost = co_await subject.reclaim(start + 1h, start + 9h);
      CHECK(ids(*lost) == strings{"a"});
      CHECK((co_await subject.reclaim(start + 2h, start + 9h))->empty());
      CHECK_MESSAGE((co_await lease_some(subject, "lane", 9)).empty(), "it is whose who took it");
      subject.release(*lost);
      CHECK(ids(co_await lease_some(subject, "lane", 9)) == strings{"a"});
    });
  }

  TEST_CASE("a lease that is taken over is the whole machine") {
    on_every_store([](store& subject) -> task<> {
      co_await submit_new(subject, {item("a")});
      auto moved = advance(co_await lease_one(subject), "second");
      moved.rank = 3;
      moved.setbacks = 2;
      CHECK(co_await record_one(subject, moved));
      const auto held = co_await lease_one(subject);
      const auto lost = co_await subject.reclaim(now() + 2h, now() + 9h);
      REQUIRE(lost->size() == 1);
      const auto& taken = lost->front();
      CHECK(taken.key == held.key);
      CHECK(taken.token != held.token);
      CHECK(taken.version == held.version);
      CHECK(taken.state == "second");
      CHECK(taken.data == held.data);
      CHECK(taken.lane == "lane");
      CHECK(taken.rank == 3);
      CHECK(taken.setbacks == 2);
      CHECK(co_await record_one(subject, advance(taken, "third")));
    });
  }

  TEST_CASE("a lease that is renewed lasts and one of before is not renewed") {
    on_every_store([](store& subject) -> task<> {
      co_await submit_new(subject, {item("a"), item("b")});
      const auto start = now();
      const auto leased = co_await lease_some(subject, "lane", 2);
      REQUIRE(leased.size() == 2);
      subject.renew({{leased[0].key, leased[0].token}, {leased[1].key, leased[1].token + 1'000}},
                    start + 5h);
      CHECK(ids(*co_await subject.reclaim(start + 4h, start + 9h)) == strings{"b"});
      CHECK(ids(*co_await subject.reclaim(start + 5h, start + 9h)) == strings{"a"});
    });
  }

  TEST_CASE("more machines than any read-ahead holds are leased once each in order") {
    on_every_store([](store& subject) -> task<> {
      constexpr std::size_t many = 10'000;
      std::mt19937 random(7);
      std::vector<submission> wanted;
      for (std::size_t i = 0; i < many; ++i) {
        auto each = item("m" + std::to_string(i));
        each.priority = static_cast<int>(random() % 5);
        wanted.push_back(std::move(each));
      }
      co_await submit_new(subject, wanted);
      std::vector<leased_machine> all;
      while (all.size() < many) {
        auto some = co_await lease_some(subject, "lane", 1 + random() % 100);
        REQUIRE_FALSE(some.empty());
        // A third comes back, and must come again before the others.
        const std::vector<leased_machine> back(some.end() - static_cast<long>(some.size() / 3),
                                               some.end());
        some.resize(some.size() - back.size());
        subject.release(back);
        std::ranges::move(some, std::back_inserter(all));
      }
      CHECK((co_await lease_some(subject, "lane", 1)).empty());
      std::set<std::string> distinct;
      for (const auto& each : all) distinct.insert(each.id);
      CHECK(distinct.size() == many);
      CHECK(std::ranges::is_sorted(all, [](const auto& one, const auto& other) {
        return std::pair(-one.priority, one.key) < std::pair(-other.priority, other.key);
      }));
    });
  }

  TEST_CASE("the signal holds a value once ready work may have appeared") {
    on_every_store([](store& subject) -> task<> {
      auto signal = subject.ready_signal();
      while (signal.poll()) continue;
      co_await submit_new(subject, {item("a")});
      CHECK(signal.poll().has_value());
      CHECK_FALSE(signal.poll().has_value());
      const auto leased = co_await lease_one(subject);
      CHECK(co_await record_one(subject, retry(leased, now() + 1h)));
      CHECK_MESSAGE(signal.poll().has_value(), "an earlier due time than all others counts too");
      CHECK(co_await subject.promote(now() + 2h) == 1u);
      CHECK(signal.poll().has_value());
      subject.release({co_await lease_one(subject)});
      CHECK(signal.poll().has_value());
    });
  }
}
