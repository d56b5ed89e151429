// SPDX-License-Identifier: Apache-2.0
// Goal: the one word of a process decides between all who want to end its wait. Method: two real
// threads on one word, a hundred thousand times, in step at every start.

#include "wherry/csp/process.hpp"

#include <doctest/doctest.h>

#include <atomic>
#include <barrier>
#include <functional>
#include <optional>
#include <thread>

namespace {

using wherry::detail::process;

constexpr int rounds = 20'000;

/// Runs both in each round, together, on a new process that is parked already.
void race(const std::function<void(process&)>& left, const std::function<void(process&)>& right,
          const std::function<void()>& judge) {
  std::optional<process> subject;
  std::barrier step(2);
  std::thread other([&] {
    for (int round = 0; round < rounds; ++round) {
      step.arrive_and_wait();
      right(*subject);
      step.arrive_and_wait();
    }
  });
  for (int round = 0; round < rounds; ++round) {
    subject.emplace();
    CHECK(subject->park({}));
    step.arrive_and_wait();
    left(*subject);
    step.arrive_and_wait();
    judge();
  }
  other.join();
}

}  // namespace

TEST_SUITE("csp/process") {
  TEST_CASE("a wait is ended once and a cancelled process does not park unless shielded") {
    process subject;
    CHECK_FALSE(subject.claim());
    REQUIRE(subject.park({}));
    CHECK(subject.claim());
    CHECK_FALSE(subject.claim());
    REQUIRE(subject.park({}));
    CHECK(subject.cancel());
    CHECK_FALSE(subject.cancel());
    CHECK_FALSE(subject.park({}));
    subject.shield();
    REQUIRE(subject.park({}));
    CHECK_FALSE(subject.cancel());
    CHECK(subject.claim());
    subject.unshield();
    CHECK_FALSE(subject.park({}));
  }

  TEST_CASE("of a claim and a cancellation that race exactly one ends the wait") {
    bool claimed = false;
    bool ended = false;
    race([&](process& subject) { claimed = subject.claim(); },
         [&](process& subject) { ended = subject.cancel(); }, [&] { CHECK(claimed != ended); });
  }

  TEST_CASE("a cancellation that comes late does not end a shielded wait") {
    bool claimed = false;
    bool ended = false;
    race(
        [&](process& subject) {  // its value came, it goes on, shields itself and waits anew
          claimed = subject.claim();
          if (!claimed) return;
          subject.shield();
          CHECK(subject.park({}));
        },
        [&](process& subject) { ended = subject.cancel(); }, [&] { CHECK(claimed != ended); });
  }
}
