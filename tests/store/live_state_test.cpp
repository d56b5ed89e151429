// SPDX-License-Identifier: Apache-2.0
// Goal: what the owner keeps in memory stays right although queries see commits before they are
// applied. Method: a table stands for the file; it changes at once, effects are applied later, and
// leases and queries come in between.
// long: one model of rows, leases and lanes, and everything that is tried against it.
#include "store/sqlite/live_state.hpp"

#include <deque>
#include <functional>
#include <map>
#include <random>
#include <set>

#include "live_table.hpp"
#include "store/sqlite/commands.hpp"
#include "store/sqlite/schema.hpp"
#include "store/sqlite/surroundings.hpp"
#include "subject.hpp"

using namespace wherry;
using namespace wherry::test;
using namespace wherry::sqlite;
using namespace std::chrono_literals;

TEST_SUITE("live_state.hpp") {
  TEST_CASE("a row that a query saw before it was applied is leased once") {
    live_state subject(1);
    table file;
    file.add(1, "lane");
    file.apply_all(subject);
    file.add(3, "lane");  // committed, not applied
    refill(subject, file, "lane", 9);
    auto leased = lease(subject, file, "lane", 9);
    CHECK_MESSAGE(leased.size() == 2, "the query saw 3 before its effect was applied");
    file.apply_all(subject);
    CHECK(lease(subject, file, "lane", 9).empty());

    file.add(5, "lane");
    file.apply_all(subject);  // without contents: rewinds, so the next lease asks the file
    file.add(6, "lane");      // committed, not applied: the query sees it
    leased = lease(subject, file, "lane", 9);
    CHECK(leased.size() == 2);
    file.apply_all(subject);
    CHECK(lease(subject, file, "lane", 9).empty());
    CHECK(subject.ready_lanes().empty());
  }

  TEST_CASE("a lease of a row that was cancelled already is dropped when that is applied") {
    live_state subject(1);
    table file;
    file.add(2, "lane");
    file.apply_all(subject);
    file.change(2, phase::cancelled);
    const auto leased = lease(subject, file, "lane", 1);
    REQUIRE(leased.size() == 1);
    file.apply_all(subject);
    CHECK_FALSE(subject.begin_commit({outcome_of(leased[0])}).front().has_value());
    CHECK(subject.ready_lanes().empty());
    CHECK(subject.counts().in(phase::cancelled) == 1);
  }

  TEST_CASE("the read-aheads of all lanes together stay within their bytes") {
    live_state subject(1);
    const auto lane_name = [](int number) { return "lane " + std::to_string(number); };
    const auto refill_lane = [&](int number) {
      subject.refill(lane_name(number), 1, [&](const refill_plan&) {
        found_rows found;
        for (std::int64_t i = 0; i < 3; ++i) {
          leased_machine large;
          large.key = number * 10 + i;
          large.data.assign(live_state::warm_byte_limit / 16, 'x');
          found.rows.push_back({{0, 0, large.key}, std::move(large)});
        }
        return found;
      });
    };
    for (int number = 0; number < 20; ++number) subject.load_lane(lane_name(number), 3);
    for (int number = 0; number < 20; ++number) refill_lane(number);
    int kept = 0;
    for (int number = 0; number < 20; ++number) kept += !subject.wants_refill(lane_name(number), 1);
    CHECK_MESSAGE(kept == 5, "three sixteenths each");
    CHECK_FALSE(subject.wants_refill(lane_name(19), 1));
    CHECK(subject.lease(lane_name(19), 9, late).size() == 3);
    refill_lane(3);
    CHECK(subject.lease(lane_name(3), 9, late).size() == 3);
  }

  TEST_CASE("a lease that a commit is under way for is neither reclaimed nor released") {
    live_state subject(1);
    table file;
    file.add(2, "lane");
    file.apply_all(subject);
    const auto leased = lease(subject, file, "lane", 1);
    REQUIRE(leased.size() == 1);
    const std::vector outcomes{outcome_of(leased[0]), outcome_of(leased[0])};
    const auto claims = subject.begin_commit(outcomes);
    CHECK(claims[0].has_value());
    CHECK_FALSE(claims[1].has_value());
    subject.release(leased);
    CHECK(subject.reclaim(late, later).empty());
    CHECK(subject.ready_lanes().empty());
    subject.abort_commit(outcomes.front());
    CHECK(subject.reclaim(late, later).size() == 1);
    subject.release(leased);
    CHECK_MESSAGE(subject.ready_lanes().empty(), "the lease is another's now");
  }

  TEST_CASE("tokens of a later epoch are larger than all of an earlier one") {
    std::vector<std::uint64_t> tokens;
    for (const std::int64_t epoch : {1, 2}) {
      live_state subject(epoch);
      table file;
      for (std::int64_t key = 2; key <= 100; key += 2) file.add(key, "lane");
      file.apply_all(subject);
      for (const auto& each : lease(subject, file, "lane", 50)) tokens.push_back(each.token);
    }
    CHECK(tokens.size() == 100);
    CHECK(std::is_sorted(tokens.begin(), tokens.end()));
    CHECK(std::adjacent_find(tokens.begin(), tokens.end()) == tokens.end());
  }

  TEST_CASE("what moves while a query runs is neither lost nor leased twice") {
    live_state subject(1);
    table file;
    for (const std::int64_t key : {1, 3, 5, 7}) file.add(key, "lane");
    file.apply_all(subject);  // without contents: all is still to be found
    auto held = lease(subject, file, "lane", 1);
    REQUIRE(held.size() == 1);
    file.add(9, "lane");
    file.apply_all(subject);  // the bound is 9
    REQUIRE(subject.lease("lane", 3, late).size() == 3);
    subject.refill("lane", 2, [&](const refill_plan& plan) {
      auto found = file.read(plan);
      file.change(9, phase::cancelled);
      file.add(10, "lane");
      file.add(11, "lane");
      file.apply_all(subject);
      return found;
    });
    std::vector<std::int64_t> keys;
    for (const auto& each : lease(subject, file, "lane", 9)) keys.push_back(each.key);
    CHECK(keys == std::vector<std::int64_t>{10, 11});
    CHECK(subject.ready_lanes().empty());
  }

  TEST_CASE("what comes into a lane behind its bound while a query runs is found by the next") {
    for (const bool released : {false, true}) {
      CAPTURE(released);
      live_state subject(1);
      table file;
      for (const std::int64_t key : {1, 3}) file.add(key, "lane");
      file.apply_all(subject);  // without contents: the bound is 1
      auto held = lease(subject, file, "lane", 1);
      REQUIRE(held.size() == 1);
      file.add(-1, "lane");
      file.apply_all(subject);  // the bound is -1: before the one that is leased
      while (subject.ready_signal().poll()) continue;
      subject.refill("lane", 9, [&](const refill_plan& plan) {
        auto found = file.read(plan);
        if (released) {
          subject.release(held);
        } else {
          file.add(0, "lane");
          file.apply_all(subject);
        }
        return found;
      });
      CHECK_MESSAGE(subject.ready_signal().poll().has_value(), "whoever leases must ask again");
      std::vector<std::int64_t> keys;
      for (int round = 0; round < 3; ++round) {
        for (const auto& each : lease(subject, file, "lane", 9)) keys.push_back(each.key);
      }
      CHECK(keys ==
            (released ? std::vector<std::int64_t>{-1, 1, 3} : std::vector<std::int64_t>{-1, 0, 3}));
    }
  }

  TEST_CASE("more lanes than may stay warm still hand out every machine") {
    live_state subject(1);
    table file;
    const std::int64_t lanes = 3 * live_state::warm_limit;
    for (std::int64_t key = 0; key < 2 * lanes; ++key) {
      file.add(key, "lane" + std::to_string(key % lanes));
    }
    file.apply_all(subject);
    CHECK(subject.ready_lanes().size() == static_cast<std::size_t>(lanes));
    std::size_t leased = 0;
    for (int round = 0; round < 3; ++round) {
      for (const auto& lane : subject.ready_lanes()) {
        leased += lease(subject, file, lane, 1).size();
      }
    }
    CHECK(leased == static_cast<std::size_t>(2 * lanes));
    CHECK(subject.ready_lanes().empty());
  }

  TEST_CASE("a machine that moved twice before any of it was applied is leased once") {
    live_state subject(1);
    table file;
    file.add(2, "lane", 1);
    file.add(3, "lane", 5);
    file.apply_all(subject);
    file.change(2, phase::cancelled);
    file.supersede(2, "lane", 6);  // seen by the query, while the old one still stands in memory
    const auto leased = lease(subject, file, "lane", 9);
    REQUIRE(leased.size() == 2);
    CHECK(leased[1].key == 2);
    CHECK(leased[1].generation == 2);
    file.apply_all(subject);
    CHECK(lease(subject, file, "lane", 9).empty());
    CHECK(subject.begin_commit({outcome_of(leased[1])}).front().has_value());
  }

  TEST_CASE("the end of an older generation is not that of a lease of the newer one") {
    live_state subject(1);
    table file;
    file.add(2, "lane");
    subject.load_lane("lane", 1);
    subject.load_count(phase::ready, "state", 1);
    file.pending.clear();
    file.change(2, phase::cancelled);
    file.supersede(2, "lane", 3);
    const auto leased = lease(subject, file, "lane", 1);
    REQUIRE(leased.size() == 1);
    CHECK(leased.front().generation == 2);
    file.apply_all(subject);
    CHECK(lease(subject, file, "lane", 1).empty());
    CHECK(subject.begin_commit({outcome_of(leased.front())}).front().has_value());
  }

  TEST_CASE("a priority that changes under a lease ends it not and is that of its commit") {
    live_state subject(1);
    table file;
    file.add(2, "lane", 5);
    file.add(4, "lane", 5);
    file.apply_all(subject);
    const auto leased = lease(subject, file, "lane", 1);
    file.prioritize(2, 7);
    file.prioritize(4, 3);
    file.apply_all(subject);
    const auto claim = subject.begin_commit({outcome_of(leased.front())}).front();
    REQUIRE(claim.has_value());
    CHECK(claim->priority == 7);
    CHECK(claim->before.at.precedence == 7);
    subject.abort_commit(outcome_of(leased.front()));
    subject.release(leased);
    std::vector<std::int64_t> keys;
    for (const auto& each : lease(subject, file, "lane", 9)) keys.push_back(each.key);
    CHECK(keys == std::vector<std::int64_t>{4, 2});
  }

  TEST_CASE("a paused lane is no ready lane and leases nothing") {
    live_state subject(1);
    table file;
    file.add(2, "lane");
    file.apply_all(subject);
    subject.set_paused("lane", true);
    while (subject.ready_signal().poll()) continue;
    CHECK(subject.ready_lanes().empty());
    CHECK_FALSE(subject.wants_refill("lane", 9));
    CHECK(subject.lease("lane", 9, late).empty());
    subject.set_paused("lane", false);
    CHECK(subject.ready_signal().poll().has_value());
    CHECK(lease(subject, file, "lane", 9).size() == 1);
  }

  TEST_CASE("a lease of a version that is no more commits nothing and comes back") {
    const scratch_directory directory;
    database db(directory / "store.db", access::create);
    migrate(db);
    transaction changes(db, real_calendar, sqlite_retention{});
    live_state subject(1);
    table file;
    file.add(2, "lane");  // in no row of the database
    file.apply_all(subject);
    const auto leased = lease(subject, file, "lane", 1);
    REQUIRE(leased.size() == 1);
    record_command stale(subject, {outcome_of(leased.front())});
    stale.run(changes);
    CHECK(changes.effects.empty());
    CHECK(subject.reclaim(late, later).size() == 1);
  }

  TEST_CASE("a priority that is given in the transaction of an outcome is that of its machine") {
    const scratch_directory directory;
    database db(directory / "store.db", access::create);
    migrate(db);
    transaction changes(db, real_calendar, sqlite_retention{});
    live_state subject(1);
    const auto apply = [&] {
      subject.apply(changes.effects);
      changes.begin();
    };
    submit_command({item("a"), item("b")}, late).run(changes);
    apply();
    const auto leased = subject.lease("lane", 1, later);
    REQUIRE(leased.size() == 1);
    control_command(
        {.asked = {.verb = control_verb::prioritize, .filter = {.id = "a"}, .priority = -5}}, late)
        .run(changes);
    auto outcome = outcome_of(leased.front());
    outcome.id = "a";
    outcome.from = outcome.to = "second";
    outcome.data = "{}";
    outcome.lane = "lane";
    record_command(subject, {outcome}).run(changes);
    REQUIRE(changes.effects.size() == 2);
    apply();
    const auto next = subject.lease("lane", 9, later);
    REQUIRE(next.size() == 2);
    CHECK(next[0].id == "b");
    CHECK(next[1].id == "a");
    CHECK(next[1].priority == -5);
    CHECK(next[1].state == "second");
  }

  TEST_CASE("random commits that are applied late never lose or double a machine") {
    for (std::uint64_t seed = 1; seed <= 100; ++seed) {
      CAPTURE(seed);
      std::mt19937_64 random(seed);
      live_state subject(1);
      table file;
      std::map<std::int64_t, leased_machine> out;
      std::int64_t last_key = 0;
      const auto any_lane = [&] { return random() % 3 == 0 ? "left" : "right"; };
      const auto any_precedence = [&] { return static_cast<std::int64_t>(random() % 4); };
      const auto people_act = [&] {  // cancel, redrive, prioritize, or submit a newer generation
        if (last_key == 0) return;
        const auto key = 1 + static_cast<std::int64_t>(random() % static_cast<unsigned>(last_key));
        if (file.rows.at(key).in == phase::ready && random() % 2 == 0) {
          file.prioritize(key, any_precedence());
        } else if (file.rows.at(key).in == phase::ready) {
          file.change(key, phase::cancelled, any_precedence());
        } else if (random() % 2 == 0) {
          file.supersede(key, any_lane(), any_precedence());
        } else {
          file.change(key, phase::ready, any_precedence());
        }
      };
      const auto any_time_later = [&] {  // what the writer and others do while a query runs
        for (auto left = random() % 4; left > 0; --left) {
          switch (random() % 4) {
            case 0: people_act(); break;
            case 1: file.add(++last_key, any_lane(), any_precedence()); break;
            case 2: file.apply_all(subject); break;
            default:
              if (out.empty()) break;
              subject.release({out.begin()->second});
              out.erase(out.begin());
          }
        }
      };
      file.between = any_time_later;
      for (int step = 0; step < 600; ++step) {
        switch (random() % 8) {
          case 0:
          case 1: file.add(++last_key, any_lane(), any_precedence()); break;
          case 2: people_act(); break;
          case 3:  // a step ends: nothing else is under way in the writer then
            file.apply_all(subject);
            if (!out.empty()) {
              const auto done = std::next(out.begin(), static_cast<long>(random() % out.size()));
              if (subject.begin_commit({outcome_of(done->second)}).front()) {
                REQUIRE(file.rows.at(done->first).version == done->second.version);
                file.change(done->first, random() % 2 == 0 ? phase::ready : phase::completed,
                            any_precedence());
              }
              out.erase(done);
            }
            break;
          case 4:
            if (!file.pending.empty()) file.apply_one(subject);
            break;
          case 5:
            if (!out.empty()) {
              subject.release({out.begin()->second});
              out.erase(out.begin());
            }
            break;
          case 6:
            if (random() % 10 == 0) {
              give_back_all(subject);
              out.clear();
            }
            break;
          default:
            for (auto& each : lease(subject, file, any_lane(), random() % 5)) {
              const auto held = out.find(each.key);
              if (held != out.end()) {
                REQUIRE(std::pair(held->second.generation, held->second.version) <
                        std::pair(each.generation, each.version));
              }
              out.insert_or_assign(each.key, each);
            }
        }
      }
      file.between = nullptr;
      // At rest every ready row can be had, once, in order.
      file.apply_all(subject);
      give_back_all(subject);
      for (const auto* lane : {"left", "right"}) {
        std::vector<turn> expected;
        for (const auto& [key, row] : file.rows) {
          if (row.lane == lane && row.in == phase::ready) expected.push_back(row.at);
        }
        std::sort(expected.begin(), expected.end());
        std::vector<turn> had;
        for (;;) {
          const auto some = lease(subject, file, lane, 7);
          if (some.empty()) break;
          for (const auto& each : some) had.push_back(file.rows.at(each.key).at);
        }
        CHECK((had == expected));
      }
      CHECK(subject.ready_lanes().empty());
    }
  }
}
