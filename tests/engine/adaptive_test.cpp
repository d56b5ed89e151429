// SPDX-License-Identifier: Apache-2.0
// Goal: the number in flight grows by one a round, halves once a round trip, and stays in bounds.
// Pure: time is a number.

#include "wherry/engine/adaptive.hpp"

#include <doctest/doctest.h>

namespace {

using namespace std::chrono_literals;
using wherry::system_time;
using wherry::detail::adaptive_limit;

constexpr system_time start{std::chrono::days(20'000)};

}  // namespace

TEST_SUITE("engine/adaptive") {
  TEST_CASE("it begins at half of the most and at least at one") {
    CHECK(adaptive_limit(16).value() == 8);
    CHECK(adaptive_limit(1).value() == 1);
    CHECK(adaptive_limit(0).value() == 1);
  }

  TEST_CASE("a round of steps that end well adds about one and never more than the most") {
    adaptive_limit subject(16);
    for (std::size_t n = 8; n < 16; ++n) {
      for (std::size_t i = 0; i <= n; ++i) subject.ended_well(start);
      CHECK(subject.value() == n + 1);
    }
    for (int i = 0; i < 1'000; ++i) subject.ended_well(start);
    CHECK(subject.value() == 16);
  }

  TEST_CASE("steps of one round trip that are throttled halve it once") {
    adaptive_limit subject(16);
    for (int i = 0; i < 8; ++i) subject.throttled(start, start + 1s);
    CHECK(subject.value() == 4);
    subject.throttled(start + 1s, start + 2s);
    CHECK_MESSAGE(subject.value() == 4, "that one began when it was cut");
    subject.throttled(start + 1001ms, start + 2s);
    CHECK(subject.value() == 2);
  }

  TEST_CASE("it never falls below one") {
    adaptive_limit subject(4);
    auto now = start;
    for (int i = 0; i < 10; ++i, now += 1s) subject.throttled(now, now + 500ms);
    CHECK(subject.value() == 1);
    subject.ended_well(now);
    CHECK(subject.value() == 2);
  }

  TEST_CASE("after a clock was set back throttling counts again") {
    adaptive_limit subject(16);
    subject.throttled(start, start + 1s);
    subject.throttled(start - 1h, start - 1h + 1s);
    CHECK(subject.value() == 2);
  }

  TEST_CASE("it settles near what the other side bears") {
    constexpr std::size_t borne = 10;
    adaptive_limit subject(100);
    std::size_t sum = 0;
    auto now = start;
    for (int round = 0; round < 1'000; ++round, now += 1s) {
      const auto in_flight = subject.value();
      for (std::size_t i = 0; i < in_flight; ++i) {
        if (i < borne) {
          subject.ended_well(now + 500ms);
        } else {
          subject.throttled(now, now + 500ms);
        }
      }
      sum += in_flight;
    }
    CHECK(sum / 1'000 >= borne / 2);
    CHECK(sum / 1'000 <= borne + 1);
  }
}
