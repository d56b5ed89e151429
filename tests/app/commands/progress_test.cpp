// SPDX-License-Identifier: Apache-2.0
// Goal: the progress display says what there is to say, in as many columns as there are, and its
// rate is that of the last seconds. Pure: times are arguments.
#include "commands/progress.hpp"

#include <doctest/doctest.h>

#include <limits>

using namespace wherry::app;
using namespace std::chrono_literals;

namespace {

const progress_view half{.total = 2'000,
                         .completed = 999,
                         .dead = 1,
                         .cancelled = 0,
                         .waiting = 5,
                         .in_flight = 32,
                         .rate = 200};

constexpr std::chrono::steady_clock::time_point start{1h};

}  // namespace

TEST_SUITE("commands/progress.hpp") {
  TEST_CASE("a line says done and in flight and waiting and dead and rate and what is left") {
    CHECK(progress_text(half) ==
          "999 of 2,000 done, 32 in flight, 5 waiting, 1 dead, 200.0/s, 6s left");
  }

  TEST_CASE("nothing is said of the time left when all has ended or nothing moves") {
    auto view = half;
    view.rate = 0;
    CHECK(progress_text(view).ends_with("0.0/s"));
    view = half;
    view.completed = 1'999;
    CHECK(progress_text(view).ends_with("200.0/s"));
  }

  TEST_CASE("a bar is filled by what has ended and is cut to the terminal") {
    CHECK(progress_bar(half, 200).starts_with("[##########..........] 999 of"));
    CHECK(progress_bar(half, 30).size() == 30);
    CHECK(progress_bar({}, 79).starts_with("[####################] 0 of 0"));
  }

  TEST_CASE("numbers are grouped by three") {
    CHECK(grouped(0) == "0");
    CHECK(grouped(999) == "999");
    CHECK(grouped(1'000) == "1,000");
    CHECK(grouped(-1'234'567) == "-1,234,567");
    CHECK(grouped(std::numeric_limits<std::uint64_t>::max()) == "18,446,744,073,709,551,615");
  }

  TEST_CASE("times are spoken in the two units that count") {
    CHECK(spoken(59s) == "59s");
    CHECK(spoken(3min + 20s) == "3m 20s");
    CHECK(spoken(2h + 5min + 1s) == "2h 5m");
  }

  TEST_CASE("the rate is that of the last five seconds") {
    rate_meter meter;
    CHECK(meter.observe(start, 0) == 0);
    for (int turn = 1; turn <= 40; ++turn) meter.observe(start + turn * 250ms, turn * 50);
    CHECK(meter.observe(start + 10'250ms, 2'050) == doctest::Approx(200));
    // 5 s without anything: the earlier ones do not count any more.
    double last = 1;
    for (int turn = 1; turn <= 24; ++turn)
      last = meter.observe(start + 10'250ms + turn * 250ms, 2'050);
    CHECK(last == 0);
  }

  TEST_CASE("looked at seldom the rate is that since the last look") {
    rate_meter meter;
    meter.observe(start, 0);
    CHECK(meter.observe(start + 60s, 600) == doctest::Approx(10));
    CHECK(meter.observe(start + 120s, 600) == 0);
  }
}
