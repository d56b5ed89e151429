// SPDX-License-Identifier: Apache-2.0
// Goal: whose turn it is, with how many permits, and what brings a lane back that stood aside.
// No scheduler: time is a number, the claimer is the case.

#include "wherry/engine/lane_board.hpp"

#include <doctest/doctest.h>

#include <map>

namespace {

using namespace std::chrono_literals;
using namespace wherry;
using detail::lane_board;

constexpr system_time start{std::chrono::days(20'000)};

/// Takes turns with `room` until none can run; how many permits each lane had.
std::map<std::string, std::size_t> all_turns(lane_board& subject, std::size_t room) {
  std::map<std::string, std::size_t> had;
  subject.begin_round();
  while (room > 0) {
    const auto turn = subject.next_turn(room, start);
    if (!turn) break;
    had[turn->lane] += turn->permits;
    room -= turn->permits;
    subject.end_turn(*turn, turn->permits, turn->permits, "", start);
  }
  return had;
}

void end_one(lane_board& subject, std::string_view lane, lane_news news = lane_news::good,
             system_time now = start) {
  static_cast<void>(subject.end_step(
      {.lane = lane, .state = "state", .used = {start}, .news = news, .parked_until = {}}, now));
}

}  // namespace

TEST_SUITE("engine/lane_board") {
  TEST_CASE("a round shares the room by weight") {
    lane_board subject({.limits = [](std::string_view lane) {
      return lane_limits{.in_flight = 1'000, .weight = lane == "heavy" ? 3.0 : 1.0};
    }});
    subject.set_ready({"heavy", "a", "b"}, start);
    const auto had = all_turns(subject, 100);
    CHECK(had.at("heavy") == 60);
    CHECK(had.at("a") == 20);
    CHECK(had.at("b") == 20);
  }

  TEST_CASE("one place at a time is shared by weight too") {
    lane_board subject({.limits = [](std::string_view lane) {
      return lane_limits{.in_flight = 1'000, .weight = lane == "heavy" ? 3.0 : 1.0};
    }});
    subject.set_ready({"heavy", "a", "b"}, start);
    std::map<std::string, int> had;
    for (int i = 1; i <= 500; ++i) {
      const auto turn = subject.next_turn(1, start);
      REQUIRE(turn);
      ++had[turn->lane];
      subject.end_turn(*turn, 1, 1, "", start);
      CHECK(std::abs(had["heavy"] - i * 3 / 5) <= 2);
      CHECK(std::abs(had["a"] - had["b"]) <= 1);
    }
  }

  TEST_CASE("a lane that could not run has no claim to what it missed") {
    lane_board subject({});
    const auto round = [&] {
      auto had = all_turns(subject, 10);
      for (const auto& [lane, count] : had) {
        for (std::size_t i = 0; i < count; ++i) end_one(subject, lane);
      }
      return had["b"];
    };
    subject.set_ready({"a"}, start);
    for (int i = 0; i < 100; ++i) CHECK(round() == 0);
    subject.set_ready({"a", "b"}, start);
    std::size_t had = 0;
    for (int i = 0; i < 10; ++i) had += round();
    CHECK(had >= 40);
    CHECK(had <= 60);
  }

  TEST_CASE("a lane at its limit stands aside until a permit comes back and says so") {
    lane_board subject({.limits = [](auto) { return lane_limits{.in_flight = 2}; }});
    subject.set_ready({"a"}, start);
    CHECK(all_turns(subject, 9).at("a") == 2);
    CHECK_FALSE(subject.next_turn(9, start));
    CHECK_FALSE(subject.next_time());
    CHECK_FALSE(subject.changed().poll());
    end_one(subject, "a");
    CHECK(subject.changed().poll());
    const auto turn = subject.next_turn(9, start);
    REQUIRE(turn);
    CHECK(turn->permits == 1);
  }

  TEST_CASE("a lane that waits for time names it and comes back with it") {
    lane_board subject({.limits = [](auto) { return lane_limits{.rate = 1}; }});
    subject.set_ready({"a"}, start);
    CHECK(all_turns(subject, 9).at("a") == 1);
    CHECK(subject.next_time() == start + 1s);
    CHECK_FALSE(subject.next_turn(9, start + 999ms));
    CHECK(subject.next_turn(9, start + 1s));
  }

  TEST_CASE("after a clock was set back lanes that wait for time are looked at again") {
    lane_board subject({.limits = [](auto) { return lane_limits{.rate = 1}; }});
    subject.set_ready({"a"}, start);
    CHECK(all_turns(subject, 9).at("a") == 1);
    const auto back = start - 24h;
    CHECK_FALSE(subject.next_turn(9, back));
    CHECK(subject.next_time() <= back + 1'001ms);
    CHECK(subject.next_turn(9, back + 1'001ms));
  }

  TEST_CASE("a lane without ready machines stands nowhere until it has some") {
    lane_board subject({});
    subject.set_ready({"a"}, start);
    const auto turn = subject.next_turn(9, start);
    REQUIRE(turn);
    subject.end_turn(*turn, 0, 0, "", start);
    CHECK_FALSE(subject.next_turn(9, start));
    subject.set_ready({"a"}, start);
    CHECK(subject.next_turn(9, start));
  }

  TEST_CASE("a lane that is ready no more has no turn") {
    lane_board subject({});
    subject.set_ready({"a", "b"}, start);
    subject.set_ready({"b"}, start);
    CHECK(subject.next_turn(1, start)->lane == "b");
  }

  TEST_CASE("what is kept of a lane holds from the first turn on") {
    lane_board subject(
        {.limits = [](auto) { return lane_limits{.breaker = {.failures = 2, .open_for = 1min}}; }});
    subject.restore({.lane = "parked", .parked_until = start + 1h}, start);
    subject.restore(
        {.lane = "broken",
         .memory = {.failures = 2, .open_until = start + 1min, .keep_until = start + 1h}},
        start);
    subject.set_ready({"parked", "broken", "well"}, start);
    const auto had = all_turns(subject, 90);
    CHECK_MESSAGE(had.size() == 1, "and what stands aside takes nothing from the room");
    CHECK(had.at("well") == 16);
    CHECK(subject.next_time() == start + 1min);
    const auto probe = subject.next_turn(9, start + 1min);
    REQUIRE(probe);
    CHECK(probe->lane == "broken");
    CHECK(probe->permits == 1);
    CHECK(probe->each.is_probe);
  }

  TEST_CASE("what a lane must not forget is told once each time that it changes") {
    lane_board subject({.limits = [](std::string_view lane) {
      return lane == "plain" ? lane_limits{} : lane_limits{.quotas = {{9, 1min}}};
    }});
    subject.set_ready({"counted"}, start);
    CHECK(all_turns(subject, 2).at("counted") == 2);
    CHECK(subject.end_step(
        {.lane = "counted", .state = "s", .used = {start}, .news = lane_news::good}, start));
    const auto kept = subject.memory_of("counted");
    REQUIRE(kept);
    CHECK(kept->keep_until > start + 1min);
    CHECK_FALSE(subject.memory_of("counted"));
    CHECK(subject.end_step({.lane = "counted", .state = "s", .used = {start}}, start));
    CHECK_MESSAGE(subject.memory_of("counted"), "the other one did not run: its call came back");
    subject.set_ready({"plain"}, start);
    CHECK(all_turns(subject, 1).at("plain") == 1);
    CHECK_FALSE(subject.end_step(
        {.lane = "plain", .state = "s", .used = {start}, .news = lane_news::good}, start));
  }

  TEST_CASE("a lane whose next machine finds no room in its state waits for that room alone") {
    lane_board subject({.in_flight = {{"full", 1}}});
    subject.set_ready({"x"}, start);
    const auto running = subject.next_turn(1, start);
    REQUIRE(running);
    CHECK(subject.begin_step("other"));
    CHECK(subject.begin_step("full"));
    CHECK_FALSE(subject.begin_step("full"));
    subject.end_turn(*running, 1, 1, "", start);

    subject.set_ready({"a", "b", "c"}, start);
    for (int i = 0; i < 2; ++i) {  // of a and b
      const auto turn = subject.next_turn(1, start);
      REQUIRE(turn);
      subject.end_turn(*turn, 1, 0, "full", start);
    }
    const auto other = subject.next_turn(1, start);
    REQUIRE(other);
    CHECK(other->lane == "c");
    subject.end_turn(*other, 0, 0, "", start);
    CHECK_FALSE(subject.next_turn(9, start));

    while (subject.changed().poll()) continue;
    static_cast<void>(subject.end_step(
        {.lane = "x", .state = "full", .used = running->each, .news = lane_news::good}, start));
    CHECK(subject.changed().poll());
    const auto next = subject.next_turn(9, start);
    REQUIRE(next);
    CHECK(next->lane == "a");
    CHECK_MESSAGE(next->permits == 1, "as many as there is room for");
    REQUIRE(subject.begin_step("full"));
    subject.end_turn(*next, 1, 1, "", start);
    const auto again = subject.next_turn(9, start);
    REQUIRE(again);
    CHECK_MESSAGE(again->lane == "a", "what else it has may be in another state; b still waits");
  }
}
