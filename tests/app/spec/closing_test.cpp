// SPDX-License-Identifier: Apache-2.0
// Goal: a day ends at the midnight of the client, also where clocks are changed. Method: known
// moments.
#include "spec/closing.hpp"

#include <doctest/doctest.h>

namespace wherry::app {
namespace {

using std::chrono::sys_seconds;

day on(std::string_view text) { return parse_day(text).value(); }

sys_seconds utc(std::string_view date, int hour, int minute = 0) {
  return std::chrono::sys_days{on(date)} + std::chrono::hours{hour} + std::chrono::minutes{minute};
}

}  // namespace

TEST_SUITE("spec/closing.hpp") {
  TEST_CASE("a day ends at the client's midnight in summer and in winter") {
    CHECK(end_of_day(on("2025-01-31"), "UTC") == utc("2025-02-01", 0));
    CHECK(end_of_day(on("2025-01-31"), "Europe/Berlin") == utc("2025-01-31", 23));
    CHECK(end_of_day(on("2025-07-31"), "Europe/Berlin") == utc("2025-07-31", 22));
    CHECK(end_of_day(on("2025-01-31"), "America/Los_Angeles") == utc("2025-02-01", 8));
    CHECK(end_of_day(on("2025-01-31"), "Asia/Kolkata") == utc("2025-01-31", 18, 30));
  }

  TEST_CASE("days on which clocks change have 23 and 25 hours") {
    const auto hours = [](std::string_view date) {
      const auto end = end_of_day(on(date), "Europe/Berlin");
      const day before{std::chrono::sys_days{on(date)} - std::chrono::days{1}};
      return (end - end_of_day(before, "Europe/Berlin")) / std::chrono::hours{1};
    };
    CHECK(hours("2025-03-30") == 23);
    CHECK(hours("2025-10-26") == 25);
    CHECK(hours("2025-06-01") == 24);
  }

  TEST_CASE("a midnight that is skipped ends its day when the clock goes on") {
    // 2018-11-04 in Brazil began at 01:00.
    CHECK(end_of_day(on("2018-11-03"), "America/Sao_Paulo") == utc("2018-11-04", 3));
  }

  TEST_CASE("the newest day that has ended is another one here and there") {
    const auto now = utc("2025-01-31", 23, 30);
    CHECK(newest_ended(now, "UTC") == on("2025-01-30"));
    CHECK(newest_ended(now, "Europe/Berlin") == on("2025-01-31"));
    CHECK(newest_ended(now, "America/Los_Angeles") == on("2025-01-30"));
    CHECK(newest_ended(utc("2025-01-31", 23), "Europe/Berlin") == on("2025-01-31"));
    CHECK(newest_ended(utc("2025-01-31", 22, 59), "Europe/Berlin") == on("2025-01-30"));
  }

  TEST_CASE("zones that this machine lacks are known to be") {
    CHECK(is_known_timezone("Europe/Berlin"));
    CHECK(is_known_timezone("UTC"));
    CHECK_FALSE(is_known_timezone("Europe/Atlantis"));
  }
}

}  // namespace wherry::app
