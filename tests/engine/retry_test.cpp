// SPDX-License-Identifier: Apache-2.0
// Goal: the bounds of the backoff, for the largest and smallest draws, and for policies at the edge
// of what numbers can hold. Pure: no scheduler.

#include <doctest/doctest.h>

#include <limits>

#include "wherry/engine/retry.hpp"

namespace {

using namespace std::chrono_literals;
using wherry::backoff;
using wherry::duration;
using wherry::state_policy;

constexpr auto largest = std::numeric_limits<std::uint64_t>::max();
constexpr state_policy policy{.attempts = 10, .first = 100ms, .cap = 1s};

}  // namespace

TEST_SUITE("engine/retry") {
  TEST_CASE("the bound doubles with each failure until the cap") {
    CHECK(backoff(policy, 1, largest) == 100ms);
    CHECK(backoff(policy, 2, largest) == 200ms);
    CHECK(backoff(policy, 3, largest) == 400ms);
    CHECK(backoff(policy, 4, largest) == 800ms);
    CHECK(backoff(policy, 5, largest) == 1s);
    CHECK(backoff(policy, std::numeric_limits<std::int32_t>::max(), largest) == 1s);
  }

  TEST_CASE("the delay is spread over all of the range from zero") {
    CHECK(backoff(policy, 3, 0) == 0ms);
    CHECK(backoff(policy, 3, largest / 2) > 199ms);
    CHECK(backoff(policy, 3, largest / 2) < 201ms);
  }

  TEST_CASE("a cap below the first delay bounds that too") {
    CHECK(backoff({.first = 10s, .cap = 1s}, 1, largest) == 1s);
  }

  TEST_CASE("the longest cap there is does not overflow") {
    const state_policy endless{.first = 1h, .cap = duration::max()};
    duration before{};
    for (int attempt = 1; attempt < 100; ++attempt) {
      CAPTURE(attempt);
      const auto delay = backoff(endless, attempt, largest);
      CHECK(delay > duration::zero());
      CHECK(delay >= before);
      before = delay;
    }
  }

  TEST_CASE("no first delay means no delay and no negative one is made") {
    CHECK(backoff({.first = 0ms, .cap = 1s}, std::numeric_limits<std::int32_t>::max(), largest) ==
          0ms);
    CHECK(backoff({.first = -1s, .cap = 1s}, 40, largest) == 0ms);
  }

  TEST_CASE("equal jitter never falls below half of the bound and none has no range at all") {
    auto equal = policy;
    equal.jitter = wherry::jitter::equal;
    CHECK(backoff(equal, 3, 0) == 200ms);
    CHECK(backoff(equal, 3, largest / 2) > 299ms);
    CHECK(backoff(equal, 3, largest / 2) < 301ms);
    CHECK(backoff(equal, 3, largest) == 400ms);
    auto none = policy;
    none.jitter = wherry::jitter::none;
    for (const auto draw : {std::uint64_t{0}, largest / 2, largest}) {
      CHECK(backoff(none, 3, draw) == 400ms);
    }
    equal.cap = none.cap = duration::max();
    equal.first = none.first = duration::max();
    CHECK(backoff(equal, 9, largest) == duration::max());
    CHECK(backoff(none, 9, 0) == duration::max());
  }
}
