// SPDX-License-Identifier: Apache-2.0
// Goal: a plan tells what limits a lane, to people and to programs; and a store is opened as the
// spec says.
#include "commands/plan_lines.hpp"

#include <doctest/doctest.h>

#include "commands/store_file.hpp"

using namespace wherry;
using namespace wherry::app;
using namespace std::chrono_literals;

namespace {

const lane_limits everything{.in_flight = 32,
                             .rate = 10,
                             .quotas = {{100, 1min}, {10'000, std::chrono::days(1)}},
                             .adaptive = true,
                             .breaker = {.failures = 5, .open_for = 30s, .longest = 10min},
                             .weight = 2};

}  // namespace

TEST_SUITE("commands/plan_lines.hpp") {
  TEST_CASE("a lane with rate and room alone is told in few words") {
    CHECK(line_of(lane_limits{.in_flight = 8}) == "any rate, 8 in flight");
    CHECK(line_of(lane_limits{.in_flight = 8, .rate = 600, .per = 1min}) ==
          "600 calls per 60 s, 8 in flight");
  }

  TEST_CASE("all that limits a lane is told") {
    CHECK(line_of(everything) ==
          "10 calls per 1 s, 32 in flight or fewer (adaptive), at most 100 per min and 10000 per "
          "day, rests for 30 s to 600 s after 5 failures, weight 2");
  }

  TEST_CASE("a program is told the same in numbers with units") {
    CHECK(boost::json::serialize(json_of("api", everything)) ==
          R"({"lane":"api","rate":1E1,"per_ms":1000,"in_flight":32,)"
          R"("quotas":[{"calls":100,"per_ms":60000},{"calls":10000,"per_ms":86400000}],)"
          R"("adaptive":true,)"
          R"("breaker":{"failures":5,"open_for_ms":30000,"longest_ms":600000},"weight":2E0})");
    CHECK(boost::json::serialize(json_of("api", {}).at("breaker")) == "null");
  }
}

TEST_SUITE("commands/store_file.hpp") {
  TEST_CASE("a store is opened for its import with the retention of the spec") {
    app::spec spec;
    spec.name = "ads";
    const auto usual = store_options(spec);
    const sqlite_retention defaults;
    CHECK(usual.purpose == "import ads");
    CHECK(usual.retention.keep_for == defaults.keep_for);
    CHECK(usual.retention.history_for == defaults.history_for);
    CHECK(usual.retention.history_lines == defaults.history_lines);
    spec.retention = {.keep_for = 720h, .history_for = 1h, .history_lines = 20};
    const auto asked = store_options(spec).retention;
    CHECK(asked.keep_for == 720h);
    CHECK(asked.history_for == 1h);
    CHECK(asked.history_lines == 20);
  }
}
