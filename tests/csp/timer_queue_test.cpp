// SPDX-License-Identifier: Apache-2.0
// Goal: at each look exactly those timers fire that are due, and `earliest` never names a time that
// is later than the first of them.
// Method: timers added, removed and fired at random, over spans from nanoseconds to days, beside a
// plain ordered set.
#include <doctest/doctest.h>

#include <array>
#include <random>
#include <set>
#include <vector>

#include "wherry/csp/timer_queue.hpp"

using namespace wherry;

namespace {

struct counted : detail::timer {
  int fired = 0;
  bool pending = false;
};

void fire(detail::timer& which) noexcept {
  auto& own = static_cast<counted&>(which);
  ++own.fired;
  own.pending = false;
}

}  // namespace

TEST_SUITE("timer_queue.hpp") {
  TEST_CASE(
      "exactly what is due fires, whatever the spans between the timers and between the looks") {
    for (std::uint64_t seed = 1; seed <= 200; ++seed) {
      CAPTURE(seed);
      std::mt19937_64 random(seed);
      const auto span = [&] {  // up to about two hours, small ones as likely as large ones
        return duration{static_cast<duration::rep>(random() >> (21 + random() % 43))};
      };
      detail::timer_queue subject;
      std::array<counted, 64> timers;
      steady_time now{span()};
      for (int step = 0; step < 500; ++step) {
        auto& any = timers[random() % timers.size()];
        if (any.pending && random() % 2 == 0) {
          subject.remove(any);
          any.pending = false;
        } else if (!any.pending) {
          any.due = now + span();
          any.fire = fire;
          any.pending = true;
          subject.add(any);
        }
        if (random() % 4 != 0) continue;
        now += span();
        std::size_t due = 0;
        for (const auto& each : timers) due += each.pending && each.due <= now ? 1u : 0u;
        CHECK(subject.fire_due(now) == due);
        auto first = steady_time::max();
        for (const auto& each : timers) {
          CHECK_FALSE((each.pending && each.due <= now));
          if (each.pending) first = std::min(first, each.due);
        }
        CHECK(subject.earliest() <= first);
        if (first == steady_time::max()) CHECK(subject.earliest() == first);
      }
    }
  }
}
