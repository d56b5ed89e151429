// SPDX-License-Identifier: Apache-2.0
// Goal: every answer has one meaning, by the spec's rules or by its status. Method: tables; `now`
// is an argument.
#include "source/answer.hpp"

#include <doctest/doctest.h>

namespace wherry::app {
namespace {

using meaning = answer_rule::meaning;
using namespace std::chrono_literals;

// 1994-11-06 08:49:37 UTC, the example of RFC 9110.
constexpr std::chrono::system_clock::time_point then{784'111'777s};

answer_meaning classify_plain(int status, http_headers headers = {}) {
  return classify({}, {.status = status, .headers = headers, .body_prefix = ""}, then);
}

meaning by(const std::vector<answer_rule>& rules, int status, std::string_view body,
           bool whole = true) {
  const http_headers none;
  return classify(rules,
                  {.status = status, .headers = none, .body_prefix = body, .body_is_whole = whole},
                  then)
      .is;
}

}  // namespace

TEST_SUITE("source/answer.hpp") {
  TEST_CASE("without rules the status decides") {
    const std::pair<int, meaning> table[] = {
        {200, meaning::rows},      {201, meaning::rows},      {204, meaning::empty},
        {202, meaning::transient}, {206, meaning::permanent},

        {301, meaning::permanent}, {400, meaning::permanent}, {401, meaning::credentials},
        {403, meaning::permanent}, {404, meaning::permanent}, {408, meaning::transient},
        {425, meaning::transient}, {429, meaning::throttled}, {500, meaning::transient},
        {503, meaning::transient}, {599, meaning::transient}};
    for (const auto& [status, is] : table) {
      CAPTURE(status);
      CHECK(classify_plain(status).is == is);
      CHECK_FALSE(classify_plain(status).rule);
    }
  }

  TEST_CASE("the first rule whose conditions all hold decides") {
    answer_rule throttled, empty;
    throttled.status = 200;
    throttled.json = {{"code", "40100"}};
    throttled.is = meaning::throttled;
    throttled.wait = 5min;
    empty.body_contains = "no data";
    empty.is = meaning::empty;
    const std::vector rules{throttled, empty};
    CHECK(by(rules, 200, R"({"code": 40100, "message": "no data"})") == meaning::throttled);
    CHECK(by(rules, 200, R"({"code": 40101, "message": "no data"})") == meaning::empty);
    CHECK(by(rules, 500, R"({"code": 40100})") == meaning::transient);
    CHECK(by(rules, 500, "no data") == meaning::empty);
    CHECK(by(rules, 200, "a,b\n1,2\n") == meaning::rows);
  }

  TEST_CASE("conditions on JSON follow dotted paths and compare text") {
    const auto is_met = [](std::string path, std::string value, std::string_view body) {
      answer_rule rule;
      rule.json = {{std::move(path), std::move(value)}};
      rule.is = meaning::permanent;
      return by({rule}, 200, body) == meaning::permanent;
    };
    constexpr auto body = R"( {"error": {"code": 7, "why": "quota"}, "list": [{"ok": false}, 1.5],
                             "none": null, "a.b": 1} )";
    CHECK(is_met("error.code", "7", body));
    CHECK(is_met("error.why", "quota", body));
    CHECK(is_met("list.0.ok", "false", body));
    CHECK(is_met("none", "null", body));
    CHECK_FALSE(is_met("error.code", "70", body));
    CHECK_FALSE(is_met("error", "{}", body));
    CHECK_FALSE(is_met("list.2", "1.5", body));
    CHECK_FALSE(is_met("list.x", "1.5", body));
    CHECK_FALSE(is_met("error.code.deeper", "7", body));
    CHECK_FALSE(is_met("error.code", "7", "not json"));
    CHECK_FALSE(is_met("error.code", "7", R"({"error": {"code": 7})"));
    CHECK_FALSE(is_met("error.code", "7", std::string(100'000, '[')));
  }

  TEST_CASE("a body that is cut is no JSON but may still contain a word") {
    answer_rule json, contains;
    json.json = {{"code", "1"}};
    contains.body_contains = "code";
    json.is = contains.is = meaning::permanent;
    CHECK(by({json}, 200, R"({"code": 1})", false) == meaning::rows);
    CHECK(by({contains}, 200, R"({"code": 1})", false) == meaning::permanent);
  }

  TEST_CASE("only rules about bodies ask for bodies") {
    answer_rule status, contains, json;
    status.status = 404;
    contains.body_contains = "x";
    json.json = {{"a", "b"}};
    CHECK_FALSE(looks_at_bodies({}));
    CHECK_FALSE(looks_at_bodies({status}));
    CHECK(looks_at_bodies({status, contains}));
    CHECK(looks_at_bodies({json}));
    answer_rule waits;
    waits.wait_from = wait_place{.header = "X-Wait", .json = "a", .in = wait_place::unit::seconds};
    CHECK_FALSE(looks_at_bodies({waits}));
    waits.wait_from->header.clear();
    CHECK(looks_at_bodies({waits}));
  }

  TEST_CASE("the wait is the longer of the rule's and the server's") {
    answer_rule rule;
    rule.status = 429;
    rule.is = meaning::throttled;
    rule.wait = 10s;
    const auto wait = [&](const char* retry_after) {
      const http_headers headers{{"Retry-After", retry_after}};
      return classify({rule}, {.status = 429, .headers = headers, .body_prefix = ""}, then).wait;
    };
    CHECK(wait("3") == 10s);
    CHECK(wait("30") == 30s);
    CHECK(wait("soon") == 10s);
    CHECK(classify_plain(429, {{"retry-after", "7"}}).wait == 7s);
    CHECK(classify_plain(503, {{"retry-after", "7"}}).wait == 7s);
    CHECK_FALSE(classify_plain(404, {{"retry-after", "7"}}).wait);
    CHECK_FALSE(classify_plain(429).wait);
  }

  TEST_CASE("conditions on headers compare the whole value and names without case") {
    answer_rule rule;
    rule.headers = {{"X-State", "over quota"}};
    rule.is = meaning::throttled;
    const auto is = [&](http_headers headers) {
      return classify({rule}, {.status = 200, .headers = headers, .body_prefix = ""}, then).is;
    };
    CHECK(is({{"x-state", "over quota"}}) == meaning::throttled);
    CHECK(is({{"X-State", "over"}}) == meaning::rows);
    CHECK(is({}) == meaning::rows);
  }

  TEST_CASE("a wait is read from a header or the body in its unit") {
    using unit = wait_place::unit;
    const auto wait = [&](wait_place from, http_headers headers, std::string_view body) {
      answer_rule rule;
      rule.status = 400;
      rule.is = meaning::throttled;
      rule.wait_from = std::move(from);
      return classify({rule}, {.status = 400, .headers = headers, .body_prefix = body}, then).wait;
    };
    const auto header = [&](const char* value, unit in) {
      return wait({.header = "X-Wait", .json = {}, .in = in}, {{"x-wait", value}}, "");
    };
    CHECK(header("30", unit::seconds) == 30s);
    CHECK(header("30s", unit::seconds) == 30s);
    CHECK(header("1.5", unit::seconds) == 1500ms);
    CHECK(header("250", unit::milliseconds) == 250ms);
    CHECK(header("3", unit::minutes) == 3min);
    CHECK(header("784111787", unit::epoch) == 10s);
    CHECK(header("784111700", unit::epoch) == 0s);
    CHECK(header("99999999999", unit::epoch) == 24h);
    CHECK(header("-5", unit::seconds) == 0s);
    for (const auto* wrong : {"", "soon", "1 2", "nan", "5x"}) {
      CAPTURE(wrong);
      CHECK_FALSE(header(wrong, unit::seconds));
    }
    CHECK(wait({.header = {}, .json = "error.0.delay", .in = unit::seconds}, {},
               R"({"error": [{"delay": "7s"}]})") == 7s);
    CHECK(wait({.header = "x-usage", .json = "*.0.minutes", .in = unit::minutes},
               {{"X-Usage", R"({"4711": [{"minutes": 2}]})"}}, "") == 2min);
    CHECK_FALSE(wait({.header = {}, .json = "delay", .in = unit::seconds}, {}, "no JSON"));
  }

  TEST_CASE("the longest of all waits that are known counts") {
    answer_rule rule;
    rule.status = 429;
    rule.is = meaning::throttled;
    rule.wait = 10s;
    rule.wait_from = wait_place{.header = "X-Wait", .json = {}, .in = wait_place::unit::seconds};
    const auto wait = [&](const char* there, const char* retry_after) {
      const http_headers headers{{"X-Wait", there}, {"Retry-After", retry_after}};
      return classify({rule}, {.status = 429, .headers = headers, .body_prefix = ""}, then).wait;
    };
    CHECK(wait("20", "15") == 20s);
    CHECK(wait("20", "25") == 25s);
    CHECK(wait("1", "2") == 10s);
  }

  TEST_CASE("an answer that is not ready may say when to ask again") {
    answer_rule rule;
    rule.status = 202;
    rule.is = meaning::pending;
    const http_headers headers{{"Retry-After", "40"}};
    const auto meant =
        classify({rule}, {.status = 202, .headers = headers, .body_prefix = ""}, then);
    CHECK(meant.is == meaning::pending);
    CHECK(meant.wait == 40s);
  }

  TEST_CASE("a server cannot make a report wait for more than a day") {
    CHECK(classify_plain(429, {{"Retry-After", "999999999999"}}).wait == 24h);
  }

}  // TEST_SUITE

}  // namespace wherry::app
