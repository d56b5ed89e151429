// SPDX-License-Identifier: Apache-2.0
// Goal: for each outcome of a step the machine's next situation, member by member. Pure.

#include "wherry/engine/decide.hpp"

#include <doctest/doctest.h>

#include <limits>

namespace {

using namespace wherry;
using namespace std::chrono_literals;
using detail::decide;
using detail::raw_outcome;

constexpr system_time began{std::chrono::days(20'000)};
const detail::step_run run{
    .started = began, .ended = began + 2s, .draw = std::numeric_limits<std::uint64_t>::max()};
constexpr state_policy policy{.attempts = 3, .first = 100ms, .cap = 1s};

leased_machine machine(std::int32_t attempt = 1) {
  return {.key = 7,
          .token = 8,
          .id = "a",
          .generation = 2,
          .version = 5,
          .state = "second",
          .data = R"({"n":1})",
          .lane = "old lane",
          .priority = 3,
          .rank = 1,
          .attempt = attempt,
          .setbacks = 1,
          .entered = 4};
}

detail::raw_state state(std::string tag, bool is_final = false) {
  return {.tag = std::move(tag),
          .data = R"({"n":2})",
          .lane = "new lane",
          .rank = 4,
          .is_final = is_final};
}

void check_unchanged_state(const transition& next) {
  CHECK(next.to == "second");
  CHECK(next.data == R"({"n":1})");
  CHECK(next.lane == "old lane");
  CHECK(next.rank == 1);
  CHECK(next.setbacks == 1);
  CHECK(next.entered == 4);
}

}  // namespace

TEST_SUITE("engine/decide") {
  TEST_CASE("every transition names its machine and its lease and its run") {
    const auto next = decide(machine(2), {.next = state("third")}, policy, run);
    CHECK(next.key == 7);
    CHECK(next.token == 8);
    CHECK(next.id == "a");
    CHECK(next.generation == 2);
    CHECK(next.version == 5);
    CHECK(next.from == "second");
    CHECK(next.attempt == 2);
    CHECK(next.started == began);
    CHECK(next.ended == began + 2s);
    CHECK(next.ran_in == "old lane");
  }

  TEST_CASE("a next state is ready at once with its first attempt") {
    const auto next = decide(machine(2), {.next = state("third")}, policy, run);
    CHECK(next.outcome == outcome_kind::advanced);
    CHECK(next.phase == phase::ready);
    CHECK(next.to == "third");
    CHECK(next.data == R"({"n":2})");
    CHECK(next.lane == "new lane");
    CHECK(next.rank == 4);
    CHECK(next.next_attempt == 1);
    CHECK(next.setbacks == 1);
    CHECK_MESSAGE(next.entered == 6,
                  "a machine enters a state with the version that puts it there");
    CHECK(next.error.empty());
    CHECK(next.due == run.ended);
  }

  TEST_CASE("the final state completes the machine") {
    CHECK(decide(machine(), {.next = state("last", true)}, policy, run).phase == phase::completed);
  }

  TEST_CASE("a transient failure waits for its backoff in the state where it was") {
    const auto next =
        decide(machine(2), {.kind = outcome_kind::retried, .error = "flaky"}, policy, run);
    CHECK(next.phase == phase::waiting);
    CHECK(next.next_attempt == 3);
    CHECK(next.due == run.ended + 200ms);
    CHECK(next.error == "flaky");
    check_unchanged_state(next);
  }

  TEST_CASE("a wait that the step names takes the place of the backoff") {
    const auto next = decide(
        machine(), {.kind = outcome_kind::retried, .error = "later", .wait = 1h}, policy, run);
    CHECK(next.due == run.ended + 1h);
    CHECK(next.next_attempt == 2);
  }

  TEST_CASE("the last attempt that fails is a dead letter with its error") {
    const auto next =
        decide(machine(3), {.kind = outcome_kind::retried, .error = "flaky"}, policy, run);
    CHECK(next.phase == phase::dead);
    CHECK(next.outcome == outcome_kind::died);
    CHECK(next.error == "flaky");
    check_unchanged_state(next);
  }

  TEST_CASE("a throttled step spends no attempt and parks the lane in which it ran") {
    const auto next =
        decide(machine(3), {.kind = outcome_kind::throttled, .error = "429", .until = began + 1min},
               policy, run);
    CHECK(next.phase == phase::waiting);
    CHECK(next.next_attempt == 3);
    CHECK(next.due == began + 1min);
    CHECK(next.lane_parked_until == began + 1min);
    check_unchanged_state(next);
  }

  TEST_CASE("a postponed step spends no attempt and parks no lane") {
    const detail::raw_outcome postponed{
        .kind = outcome_kind::postponed, .error = "quota", .until = began + 1h};
    const auto next = decide(machine(3), postponed, policy, run);
    CHECK(next.phase == phase::waiting);
    CHECK(next.next_attempt == 3);
    CHECK(next.due == began + 1h);
    CHECK_FALSE(next.lane_parked_until.has_value());
    check_unchanged_state(next);
  }

  TEST_CASE("a step that stops its lane leaves its machine ready as it was") {
    const detail::raw_outcome stops{.kind = outcome_kind::postponed,
                                    .error = "refused",
                                    .until = began + 1h,
                                    .stops_lane = true};
    const auto next = decide(machine(3), stops, policy, run);
    CHECK(next.phase == phase::ready);
    CHECK(next.next_attempt == 3);
    CHECK(next.error == "refused");
    CHECK(next.lane_parked_until == began + 1h);
    CHECK(next.lane_is_stopped);
    check_unchanged_state(next);
  }

  TEST_CASE("only what the other side did is news of it") {
    using detail::news_of;
    CHECK(news_of({.next = state("third")}) == lane_news::good);
    CHECK(news_of({.kind = outcome_kind::retried, .error = "503"}) == lane_news::failed);
    CHECK(news_of({.kind = outcome_kind::throttled, .error = "429"}) == lane_news::throttled);
    CHECK(news_of({.kind = outcome_kind::postponed, .error = "not ready"}) == lane_news::good);
    CHECK(news_of({.kind = outcome_kind::postponed, .error = "quota", .by_our_limits = true}) ==
          lane_news::nothing);
    CHECK(news_of({.kind = outcome_kind::died, .error = "404"}) == lane_news::nothing);
    CHECK(news_of({.kind = outcome_kind::went_back, .next = state("first"), .error = "file"}) ==
          lane_news::nothing);
  }

  TEST_CASE("a machine is late from its deadline on and one without a deadline never") {
    auto due_soon = machine();
    CHECK_FALSE(detail::is_late(due_soon, system_time::max()));
    due_soon.deadline = began + 1s;
    CHECK_FALSE(detail::is_late(due_soon, began + 999ms));
    CHECK(detail::is_late(due_soon, began + 1s));
    const auto next = decide(due_soon, detail::late_outcome(due_soon, false), policy, run);
    CHECK(next.phase == phase::dead);
    CHECK(next.error.find("not completed by its deadline of 2024-10-04T00:00:01") == 0);
    CHECK(detail::late_outcome(due_soon, true).error.find("unwound") != std::string::npos);
  }

  TEST_CASE("nothing waits beyond its deadline and what runs then is not moved") {
    auto hurried = machine();
    hurried.deadline = run.ended + 1min;
    const detail::raw_outcome later{
        .kind = outcome_kind::throttled, .error = "429", .until = run.ended + 1h};
    CHECK(decide(hurried, later, policy, run).due == run.ended + 1min);
    CHECK(decide(hurried, later, policy, run).lane_parked_until == run.ended + 1h);
    CHECK(decide(hurried, {.kind = outcome_kind::retried, .error = "x", .wait = 1s}, policy, run)
              .due == run.ended + 1s);
    CHECK(decide(hurried, {.next = state("third")}, policy, run).due == run.ended);
    hurried.deadline = run.started;
    CHECK(decide(hurried, later, policy, run).due == run.ended);
  }

  TEST_CASE("a throttled step that names no time to come waits all the same") {
    for (const auto until : {system_time{}, run.ended}) {
      const auto next =
          decide(machine(), {.kind = outcome_kind::throttled, .error = "429", .until = until},
                 policy, run);
      CHECK(next.due == run.ended + policy.first);
      CHECK(next.lane_parked_until == next.due);
    }
  }

  TEST_CASE("a permanent failure is a dead letter at its first attempt") {
    const auto next = decide(machine(), {.kind = outcome_kind::died, .error = "404"}, policy, run);
    CHECK(next.phase == phase::dead);
    CHECK(next.error == "404");
    check_unchanged_state(next);
  }

  TEST_CASE("going back waits for its backoff in the earlier state and counts as a setback") {
    const auto next = decide(
        machine(2), {.kind = outcome_kind::went_back, .next = state("first"), .error = "no file"},
        policy, run);
    CHECK(next.outcome == outcome_kind::went_back);
    CHECK(next.phase == phase::waiting);
    CHECK_MESSAGE(next.due == run.ended + 200ms, "twice the first delay: it is the second setback");
    CHECK(next.entered == 6);
    CHECK(next.to == "first");
    CHECK(next.next_attempt == 1);
    CHECK(next.setbacks == 2);
    CHECK(next.error == "no file");
  }

  TEST_CASE("a machine that makes way for others waits until then and has no setback more") {
    auto often = machine();
    often.setbacks = policy.attempts;
    const auto at = [&](system_time until) {
      return decide(often,
                    {.kind = outcome_kind::went_back,
                     .next = state("first"),
                     .error = "full",
                     .until = until,
                     .makes_way = true},
                    policy, run);
    };
    const auto next = at(run.ended + 1min);
    CHECK(next.outcome == outcome_kind::went_back);
    CHECK(next.to == "first");
    CHECK(next.phase == phase::waiting);
    CHECK(next.due == run.ended + 1min);
    CHECK(next.setbacks == policy.attempts);
    CHECK_MESSAGE(at({}).due == run.ended + policy.first, "one that is past does not spin");
  }

  TEST_CASE("a machine with a single attempt may still go back once") {
    auto single = policy;
    single.attempts = 1;
    auto fresh = machine();
    fresh.setbacks = 0;
    const auto next =
        decide(fresh, {.kind = outcome_kind::went_back, .next = state("first"), .error = "no file"},
               single, run);
    CHECK(next.outcome == outcome_kind::went_back);
    CHECK(next.setbacks == 1);
  }

  TEST_CASE("going back too often is a dead letter that says so however long its error is") {
    auto often = machine();
    often.setbacks = policy.attempts;
    const auto next = decide(
        often,
        {.kind = outcome_kind::went_back, .next = state("first"), .error = std::string(3'000, 'x')},
        policy, run);
    CHECK(next.phase == phase::dead);
    CHECK(next.outcome == outcome_kind::died);
    CHECK(next.to == "second");
    CHECK(next.error.size() <= error_size_limit);
    CHECK(next.error.find("it went back") != std::string::npos);
  }

  TEST_CASE("a long error is cut between two characters") {
    std::string error = "x";
    while (error.size() < 3'000) error += "\xE2\x82\xAC";
    const auto next = decide(machine(), {.kind = outcome_kind::died, .error = error}, policy, run);
    CHECK(next.error.size() <= error_size_limit);
    CHECK(next.error.ends_with("\xE2\x82\xAC"));
  }

  TEST_CASE("a next state that no store would take is a dead letter in the state before") {
    auto bulky = state("third");
    bulky.data = std::string(data_size_limit + 1, 'x');
    const auto next = decide(machine(), {.next = bulky}, policy, run);
    CHECK(next.phase == phase::dead);
    CHECK(next.outcome == outcome_kind::died);
    CHECK(next.error.find("machine a: its state is 1048577 bytes") != std::string::npos);
    check_unchanged_state(next);
    CHECK(refusal(next).empty());
  }
}
