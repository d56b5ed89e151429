// SPDX-License-Identifier: Apache-2.0
// Goal: permits at the promised rate, neither more nor noticeably fewer, whatever the rate is
// compared with the clock's millisecond; permits at once; parking; clocks that jump. Pure: time is
// a number.

#include <doctest/doctest.h>

#include <limits>
#include <vector>

#include "wherry/engine/lane.hpp"

namespace {

using namespace std::chrono_literals;
using wherry::lane;
using wherry::lane_limits;
using wherry::system_time;

constexpr system_time start{std::chrono::days(20'000)};
constexpr auto endless = std::numeric_limits<std::size_t>::max();

/// When each permit is had by someone who asks every millisecond, during `how_long`.
std::vector<system_time> permits_during(lane& from, std::chrono::milliseconds how_long) {
  std::vector<system_time> had;
  for (auto now = start; now < start + how_long; now += 1ms) {
    while (from.try_acquire(now)) {
      had.push_back(now);
      from.release();
    }
  }
  return had;
}

std::size_t most_within(const std::vector<system_time>& times, std::chrono::milliseconds window) {
  std::size_t most = 0;
  std::size_t begin = 0;
  for (std::size_t end = 0; end < times.size(); ++end) {
    while (times[end] - times[begin] >= window) ++begin;
    most = std::max(most, end - begin + 1);
  }
  return most;
}

}  // namespace

TEST_SUITE("engine/lane") {
  TEST_CASE("no more permits are out than the lane allows at once") {
    lane subject{{.in_flight = 2}};
    CHECK(subject.try_acquire(start));
    CHECK(subject.try_acquire(start));
    CHECK_FALSE(subject.try_acquire(start));
    CHECK_FALSE(subject.next_permit(start).has_value());
    subject.release();
    CHECK(subject.next_permit(start) == start);
    CHECK(subject.try_acquire(start));
    CHECK(subject.in_flight() == 2);
  }

  TEST_CASE("a lane allows at least one at once") {
    lane subject{{.in_flight = 0}};
    CHECK(subject.try_acquire(start));
  }

  TEST_CASE("a rate is kept to within one permit whatever it is compared with a millisecond") {
    for (const double rate :
         {1.0, 3.0, 10.0, 30.0, 700.0, 999.0, 1000.0, 1500.0, 5000.0, 12345.0}) {
      CAPTURE(rate);
      lane subject{{.in_flight = endless, .rate = rate}};
      const auto had = permits_during(subject, 10s);
      CHECK(static_cast<double>(had.size()) >= rate * 10 - 1);
      CHECK(static_cast<double>(had.size()) <= rate * 10 + 1);
      CHECK(static_cast<double>(most_within(had, 1s)) <= rate + 1);
    }
  }

  TEST_CASE("a rate may be per any time") {
    lane subject{{.in_flight = endless, .rate = 6, .per = 1min}};
    CHECK(permits_during(subject, 1min).size() == 6);
  }

  TEST_CASE("after a quiet time a burst may be taken at once and no more") {
    lane subject{{.in_flight = endless, .rate = 10, .burst = 5}};
    int had = 0;
    while (subject.try_acquire(start)) ++had;
    CHECK(had == 5);
    CHECK(subject.next_permit(start) == start + 100ms);
    CHECK_FALSE(subject.try_acquire(start + 99ms));
    CHECK(subject.try_acquire(start + 100ms));
  }

  TEST_CASE("an unused permit gives its share of the rate back") {
    lane subject{{.in_flight = endless, .rate = 10}};
    REQUIRE(subject.try_acquire(start));
    subject.release_unused();
    CHECK(subject.try_acquire(start));
    CHECK_FALSE(subject.try_acquire(start));
  }

  TEST_CASE("a refusal names a later time at which a permit is free") {
    for (const double rate : {0.001, 7.0, 700.0, 5000.0}) {
      lane subject{{.in_flight = endless, .rate = rate, .burst = 3}};
      auto now = start;
      for (int i = 0; i < 100; ++i) {
        while (subject.try_acquire(now)) {}
        const auto next = subject.next_permit(now);
        REQUIRE(next.has_value());
        REQUIRE(*next > now);
        now = *next;
        REQUIRE(subject.try_acquire(now));
      }
    }
  }

  TEST_CASE("a parked lane gives nothing before its time and a shorter parking changes nothing") {
    lane subject{{}};
    subject.park(start + 1min);
    subject.park(start + 1s);
    CHECK_FALSE(subject.try_acquire(start + 59s));
    CHECK(subject.next_permit(start) == start + 1min);
    CHECK(subject.try_acquire(start + 1min));
  }

  TEST_CASE("a clock that is set back does not stop a lane for longer than its rate asks") {
    lane subject{{.in_flight = endless, .rate = 10, .burst = 2}};
    while (subject.try_acquire(start)) {}
    const auto earlier = start - std::chrono::hours(1);
    CHECK_FALSE(subject.try_acquire(earlier));
    const auto next = subject.next_permit(earlier);
    REQUIRE(next.has_value());
    CHECK(*next <= earlier + 101ms);
    CHECK(subject.try_acquire(earlier + 101ms));
  }

  TEST_CASE("limits at the edge of what numbers hold do no harm") {
    lane slow{{.rate = std::numeric_limits<double>::min(), .burst = 1e300}};
    CHECK(slow.try_acquire(start));
    CHECK(slow.next_permit(start).has_value());
    lane none{{.in_flight = endless, .rate = std::numeric_limits<double>::quiet_NaN()}};
    CHECK(none.try_acquire(start));
    CHECK(none.try_acquire(start));
    lane fast{{.in_flight = endless, .rate = std::numeric_limits<double>::infinity()}};
    CHECK(fast.try_acquire(start));
    CHECK(fast.try_acquire(start));
  }
}
