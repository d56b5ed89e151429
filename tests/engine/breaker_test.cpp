// SPDX-License-Identifier: Apache-2.0
// Goal: when a breaker opens, for how long, who probes, and what its probe decides; clocks that
// jump. Pure: time is a number.

#include "wherry/engine/breaker.hpp"

#include <doctest/doctest.h>

namespace {

using namespace std::chrono_literals;
using wherry::breaker_limits;
using wherry::system_time;
using wherry::detail::breaker;

constexpr system_time start{std::chrono::days(20'000)};
constexpr breaker_limits limits{.failures = 3, .open_for = 1s, .longest = 5s};

breaker opened(system_time at = start) {
  breaker subject{limits};
  for (int i = 0; i < 3; ++i) subject.failed(false, at);
  return subject;
}

/// The probe passes at `now`, and fails.
void fail_probe(breaker& subject, system_time now) {
  REQUIRE(subject.allows(now));
  REQUIRE(subject.pass());
  subject.failed(true, now);
}

}  // namespace

TEST_SUITE("engine/breaker") {
  TEST_CASE("it opens after so many failures in a row and a success in between starts anew") {
    breaker subject{limits};
    for (int round = 0; round < 3; ++round) {
      subject.failed(false, start);
      subject.failed(false, start);
      CHECK(subject.allows(start));
      CHECK_FALSE(subject.pass());
      subject.succeeded(false);
    }
    for (int i = 0; i < 3; ++i) {
      CHECK(subject.allows(start));
      subject.failed(false, start);
    }
    CHECK_FALSE(subject.allows(start + 999ms));
    CHECK(subject.next(start) == start + 1s);
  }

  TEST_CASE("without a limit it never opens") {
    breaker subject{{}};
    for (int i = 0; i < 1'000; ++i) subject.failed(false, start);
    CHECK(subject.allows(start));
    CHECK(subject.forgotten_at() == system_time{});
  }

  TEST_CASE("what says nothing about the other side neither opens nor closes it") {
    breaker subject{limits};
    subject.failed(false, start);
    subject.failed(false, start);
    subject.neither(false);
    CHECK(subject.allows(start));
    subject.failed(false, start);
    CHECK_FALSE(subject.allows(start));
  }

  TEST_CASE("after its time it lets a single probe through") {
    auto subject = opened();
    CHECK(subject.allows(start + 1s));
    CHECK(subject.pass());
    CHECK_FALSE(subject.allows(start + 1h));
    CHECK_FALSE(subject.next(start + 1h).has_value());
  }

  TEST_CASE("a probe that succeeds closes it and one that fails opens it for twice as long") {
    auto subject = opened();
    fail_probe(subject, start + 1s);
    CHECK(subject.next(start + 1s) == start + 3s);
    fail_probe(subject, start + 3s);
    CHECK(subject.next(start + 3s) == start + 7s);
    for (auto now = start + 7s; now < start + 60s; now += 5s) {
      fail_probe(subject, now);
      CHECK_MESSAGE(subject.next(now) == now + 5s, "never for longer than the limit");
    }
    const auto later = *subject.next(start + 60s);
    REQUIRE(subject.allows(later));
    REQUIRE(subject.pass());
    subject.succeeded(true);
    CHECK(subject.allows(later));
    CHECK_FALSE(subject.pass());
    subject.failed(false, later);
    subject.failed(false, later);
    CHECK_MESSAGE(subject.allows(later), "it counts from nothing again");
  }

  TEST_CASE("what began before it opened neither opens it for longer nor closes it") {
    auto subject = opened();
    for (int i = 0; i < 10; ++i) subject.failed(false, start + 500ms);
    CHECK(subject.next(start + 500ms) == start + 1s);
    subject.succeeded(false);
    CHECK_FALSE(subject.allows(start + 500ms));
    REQUIRE(subject.allows(start + 1s));
    REQUIRE(subject.pass());
    subject.succeeded(false);
    CHECK_FALSE(subject.allows(start + 1s));
  }

  TEST_CASE("a probe that says nothing leaves its place to another") {
    auto subject = opened();
    REQUIRE(subject.allows(start + 1s));
    REQUIRE(subject.pass());
    subject.neither(true);
    CHECK(subject.allows(start + 1s));
    CHECK(subject.pass());
  }

  TEST_CASE("a clock that is set back delays nobody for longer than it is open anyway") {
    auto subject = opened();
    CHECK_FALSE(subject.allows(start - 1h));
    CHECK(subject.next(start - 1h) == start - 1h + 1s);
    CHECK(subject.allows(start - 1h + 1s));
    REQUIRE(subject.pass());
    subject.succeeded(true);
    CHECK(subject.allows(start - 2h));
  }

  TEST_CASE("failures are forgotten after the longest time without news") {
    breaker subject{limits};
    subject.failed(false, start);
    subject.failed(false, start);
    CHECK(subject.forgotten_at() == start + 5s);
    subject.failed(false, start + 5s);
    CHECK(subject.allows(start + 5s));
    CHECK(opened().forgotten_at() == start + 6s);
  }

  TEST_CASE("it comes back from a restart as it was and asks for a probe again") {
    auto subject = opened();
    fail_probe(subject, start + 1s);
    REQUIRE(subject.allows(start + 3s));
    REQUIRE(subject.pass());
    const auto kept = subject.keep();
    CHECK(kept.failures == 4);
    CHECK(kept.open_until == start + 3s);
    breaker after{limits};
    after.restore(kept, start + 2s);
    CHECK_FALSE(after.allows(start + 2s));
    fail_probe(after, start + 3s);
    CHECK(after.next(start + 3s) == start + 7s);
    breaker off{{}};
    off.restore(kept, start);
    CHECK(off.allows(start));
    breaker wild{limits};
    wild.restore({-7, system_time::max()}, start);
    CHECK(wild.allows(start));
  }

  TEST_CASE("limits at the edge of what numbers hold do no harm") {
    constexpr auto most = std::chrono::milliseconds::max();
    breaker subject{{.failures = 1, .open_for = most, .longest = most}};
    for (int i = 0; i < 100; ++i) {
      subject.failed(i > 0, start);
      CHECK(subject.next(start).has_value());
      CHECK_FALSE(subject.allows(start + std::chrono::days(100)));
    }
    breaker quick{{.failures = 1, .open_for = -1ms, .longest = -1ms}};
    quick.failed(false, start);
    CHECK(quick.allows(start + 1ms));
  }
}
