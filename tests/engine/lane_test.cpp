// SPDX-License-Identifier: Apache-2.0
// Goal: permits at the promised rate, neither more nor noticeably fewer, whatever the rate is
// compared with the clock's millisecond; permits at once; parking; clocks that jump. Pure: time is
// a number.

#include <doctest/doctest.h>

#include <algorithm>
#include <limits>
#include <optional>
#include <vector>

#include "wherry/engine/lane.hpp"

namespace {

using namespace std::chrono_literals;
using wherry::lane;
using wherry::lane_limits;
using wherry::lane_news;
using wherry::permit;
using wherry::system_time;

constexpr system_time start{std::chrono::days(20'000)};
constexpr auto endless = std::numeric_limits<std::size_t>::max();

/// When each permit is had by someone who asks every millisecond, during `how_long`.
std::vector<system_time> permits_during(lane& from, std::chrono::milliseconds how_long) {
  std::vector<system_time> had;
  for (auto now = start; now < start + how_long; now += 1ms) {
    while (const auto had_one = from.try_acquire(now)) {
      had.push_back(now);
      from.release(*had_one, lane_news::good, now);
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
    subject.release(permit{start}, lane_news::good, start);
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
    const auto unused = subject.try_acquire(start);
    REQUIRE(unused);
    subject.release_unused(*unused);
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

  TEST_CASE("all quotas and the rate hold at once and a permit pays for one call of each") {
    lane subject{{.in_flight = endless, .rate = 100, .quotas = {{3, 1s}, {5, 1min}}}};
    const auto had = permits_during(subject, 70s);
    CHECK(had.size() == 10);
    CHECK(most_within(had, 10ms) == 1);
    CHECK(most_within(had, 1s) == 3);
    CHECK(most_within(had, 1min) == 5);
  }

  TEST_CASE("an unused permit gives its call back to every quota") {
    lane subject{{.quotas = {{1, 1min}, {1, 24h}}}};
    const auto unused = subject.try_acquire(start);
    REQUIRE(unused);
    CHECK_FALSE(subject.try_acquire(start));
    subject.release_unused(*unused);
    CHECK(subject.try_acquire(start));
  }

  TEST_CASE("further calls of a step are paid for without a permit") {
    lane subject{{.in_flight = 1, .rate = 10, .quotas = {{3, 1min}}}};
    REQUIRE(subject.try_acquire(start));
    CHECK_FALSE(subject.try_call(start));
    CHECK(subject.next_call(start) == start + 100ms);
    CHECK(subject.try_call(start + 100ms));
    CHECK(subject.try_call(start + 200ms));
    CHECK_FALSE(subject.try_call(start + 300ms));
    CHECK(subject.next_call(start + 300ms) > start + 59s);
    CHECK(subject.in_flight() == 1);
  }

  TEST_CASE("a parked lane takes no calls of steps under way either") {
    lane subject{{}};
    REQUIRE(subject.try_acquire(start));
    subject.park(start + 1s);
    CHECK_FALSE(subject.try_call(start));
    CHECK(subject.next_call(start) == start + 1s);
    CHECK(subject.try_call(start + 1s));
  }

  TEST_CASE("a lane whose breaker is open gives one permit and steps under way may call") {
    lane subject{{.breaker = {.failures = 2, .open_for = 1s, .longest = 1min}}};
    const auto under_way = subject.try_acquire(start);
    for (int i = 0; i < 2; ++i) {
      const auto failing = subject.try_acquire(start);
      REQUIRE(failing);
      subject.release(*failing, lane_news::failed, start);
    }
    CHECK_FALSE(subject.try_acquire(start));
    CHECK(subject.next_permit(start) == start + 1s);
    CHECK(subject.try_call(start));
    const auto probe = subject.try_acquire(start + 1s);
    REQUIRE(probe);
    CHECK(probe->is_probe);
    CHECK_FALSE(subject.try_acquire(start + 1s));
    CHECK_MESSAGE(!subject.next_permit(start + 1s), "only the end of the probe can change that");
    subject.release(*under_way, lane_news::good, start + 1s);
    CHECK_MESSAGE(!subject.try_acquire(start + 1s), "it began before the breaker opened");
    subject.release(*probe, lane_news::good, start + 2s);
    CHECK(subject.try_acquire(start + 2s));
    CHECK(subject.try_acquire(start + 2s));
  }

  TEST_CASE("a probe that finds nothing to do or says nothing lets the next one through") {
    lane subject{{.breaker = {.failures = 1, .open_for = 1s, .longest = 1min}}};
    subject.release(*subject.try_acquire(start), lane_news::failed, start);
    const auto unused = subject.try_acquire(start + 1s);
    REQUIRE(unused);
    subject.release_unused(*unused);
    const auto throttled = subject.try_acquire(start + 1s);
    REQUIRE(throttled);
    CHECK(throttled->is_probe);
    subject.release(*throttled, lane_news::throttled, start + 1s);
    const auto next = subject.try_acquire(start + 1s);
    REQUIRE(next);
    CHECK(next->is_probe);
  }

  TEST_CASE("an adaptive lane has fewer in flight once it is throttled") {
    lane subject{{.in_flight = 16, .adaptive = true}};
    CHECK(subject.room() == 8);
    std::vector<permit> out;
    while (const auto one = subject.try_acquire(start)) out.push_back(*one);
    CHECK(out.size() == 8);
    for (const auto& each : out) subject.release(each, lane_news::throttled, start + 1s);
    CHECK(subject.room() == 4);
    lane fixed{{.in_flight = 16}};
    fixed.release(*fixed.try_acquire(start), lane_news::throttled, start + 1s);
    CHECK(fixed.room() == 16);
  }

  TEST_CASE("what was spent and the breaker survive a restart and the rest begins anew") {
    const lane_limits limits{.quotas = {{2, 1min}, {9, 24h}},
                             .breaker = {.failures = 1, .open_for = 1min, .longest = 1h}};
    lane before{limits};
    CHECK(before.has_memory());
    CHECK(before.keep() == wherry::lane_memory{});
    REQUIRE(before.try_acquire(start));
    before.release(*before.try_acquire(start), lane_news::failed, start + 1s);
    const auto kept = before.keep();
    CHECK(kept.failures == 1);
    CHECK(kept.open_until == start + 61s);
    CHECK(kept.keep_until > start + 24h);

    lane after{limits};
    after.restore(kept, start + 30s);
    CHECK(after.in_flight() == 0);
    CHECK_FALSE(after.try_acquire(start + 59s));
    CHECK(after.next_permit(start + 30s) == start + 61s);
    CHECK(after.try_acquire(start + 61s)->is_probe);
    CHECK(after.keep().quotas != kept.quotas);
    CHECK_FALSE(lane{{}}.has_memory());
  }

  TEST_CASE("a lane is as new when its windows have run out and its failures are forgotten") {
    lane subject{{.quotas = {{2, 1min}}, .breaker = {.failures = 5, .longest = 10min}}};
    CHECK(subject.is_as_new(start));
    subject.release(*subject.try_acquire(start), lane_news::good, start);
    CHECK_FALSE(subject.is_as_new(start + 59s));
    CHECK(subject.is_as_new(start + 62s));
    subject.release(*subject.try_acquire(start), lane_news::failed, start);
    CHECK_FALSE(subject.is_as_new(start + 9min));
    CHECK(subject.is_as_new(start + 10min));
  }
}
