// SPDX-License-Identifier: Apache-2.0
// Goal: every form of Retry-After that RFC 9110 knows, and nothing else. Method: tables.
#include "net/retry_after.hpp"

#include <doctest/doctest.h>

namespace wherry::app {
namespace {

using namespace std::chrono_literals;

// 1994-11-06 08:49:37 UTC, the example of RFC 9110.
constexpr std::chrono::system_clock::time_point then{784'111'777s};

}  // namespace

TEST_SUITE("net/retry_after.hpp") {
  TEST_CASE("Retry-After is seconds or a date in any of three shapes") {
    CHECK(parse_retry_after("0", then) == 0ms);
    CHECK(parse_retry_after("120", then) == 120s);
    CHECK(parse_retry_after("Sun, 06 Nov 1994 08:50:37 GMT", then) == 60s);
    CHECK(parse_retry_after("Sunday, 06-Nov-94 08:50:37 GMT", then) == 60s);
    CHECK(parse_retry_after("Sun Nov  6 08:50:37 1994", then) == 60s);
    CHECK(parse_retry_after("Sun, 06 Nov 1994 08:49:37 GMT", then + 1ms) == 0ms);
    CHECK(parse_retry_after("Sun, 06 Nov 1994 08:49:38 GMT", then + 1ms) == 999ms);
  }

  TEST_CASE("other text is no Retry-After") {
    for (const char* text : {"", "-1", "1.5", "soon", "Sun, 06 Nov 1994 08:49:37", "12 s",
                             "Sun, 31 Feb 1994 08:49:37 GMT", "Sun, 06 Xxx 1994 08:49:37 GMT",
                             "Sun, 06 Nov 1994 24:49:37 GMT", "Sun, 06 Nov 1994 08:49:37 GMT x"}) {
      CAPTURE(text);
      CHECK_FALSE(parse_retry_after(text, then));
    }
  }

  TEST_CASE("no wait is longer than a day") {
    CHECK(parse_retry_after("86401", then) == 24h);
    CHECK(parse_retry_after("99999999999999999999999", then) == 24h);
    CHECK(parse_retry_after("Sun, 06 Nov 2094 08:49:37 GMT", then) == 24h);
  }

}  // TEST_SUITE

}  // namespace wherry::app
