// SPDX-License-Identifier: Apache-2.0
// Goal: what a lane bears and how long things are kept are read, and each slip has its place and
// remedy; the examples of docs/limits.md and of the starting spec are good. Method: as keys_test.
#include "spec/limits.hpp"

#include <fstream>
#include <iterator>

#include "sample.hpp"
#include "spec/init.hpp"
#include "spec/schema.hpp"

using namespace wherry::app;
using namespace wherry::app::sample;
using namespace std::chrono_literals;

namespace {

constexpr std::string_view in_source = "[source]";

lines quotas_told(std::string_view list) {
  return mistakes(added(in_source, "limit.quotas = " + std::string{list}));
}

void has_everything(const limit& of) {
  REQUIRE(of.quotas.size() == 4);
  CHECK(of.quotas[0].calls == 5);
  CHECK(of.quotas[0].per == 1s);
  CHECK(of.quotas[1].per == 1min);
  CHECK(of.quotas[2].per == 1h);
  CHECK(of.quotas[3].calls == 10'000);
  CHECK(of.quotas[3].per == 24h);
  CHECK(of.adaptive);
  CHECK(of.breaker.failures == 5);
  CHECK(of.breaker.open_for == 20s);
  CHECK(of.breaker.longest == 2min);
  CHECK(of.weight == 2);
}

// Each block of TOML in a page, as the lines of one table under its header.
std::vector<std::string> toml_blocks(const std::string& page) {
  std::vector<std::string> blocks;
  constexpr std::string_view opening = "```toml\n", closing = "```\n";
  for (auto at = page.find(opening); at != page.npos; at = page.find(opening, at)) {
    at += opening.size();
    blocks.push_back(page.substr(at, page.find(closing, at) - at));
  }
  return blocks;
}

}  // namespace

TEST_SUITE("spec/limits.hpp") {
  TEST_CASE("source and sink are told what their lanes bear in the same words") {
    constexpr std::string_view all = R"(limit.quotas = ["5/s", "100/min", "2000/h", "10000/day"]
limit.adaptive = true
limit.breaker = { failures = 5, open_for = "20s", longest = "2m" }
limit.weight = 2)";
    has_everything(good(added(in_source, all)).source.limit);
    has_everything(good(added("[sink]", all)).sink.limit);
  }

  TEST_CASE("a limit that says nothing holds nothing back") {
    const auto made = good(smallest);
    for (const auto* of : {&made.source.limit, &made.sink.limit}) {
      CHECK(of->quotas.empty());
      CHECK_FALSE(of->adaptive);
      CHECK(of->breaker.failures == 0);
      CHECK(of->weight == 1);
    }
  }

  TEST_CASE("a breaker needs its failures alone and a weight may be a fraction") {
    const auto made =
        good(added(in_source, "limit = { breaker = { failures = 3 }, weight = 0.5 }")).source.limit;
    CHECK(made.breaker.failures == 3);
    CHECK(made.breaker.open_for == 30s);
    CHECK(made.breaker.longest == 10min);
    CHECK(made.weight == 0.5);
  }

  TEST_CASE("a quota is a whole number of calls and a window") {
    using namespace toml_file;
    CHECK(parse_quota("100/min")->calls == 100);
    CHECK(parse_quota("1000000000/day")->calls == 1'000'000'000);
    for (const auto* text : {"", "10", "10/", "/s", "1.5/s", "-1/s", "10/m", "10/ms", "10/d",
                             "10/week", " 10/s", "10/s ", "10 /s", "1e3/s", "10/s/s"}) {
      CAPTURE(text);
      REQUIRE_FALSE(parse_quota(text));
      CHECK(parse_quota(text).error() == quota_fault::shape);
    }
    CHECK(parse_quota("0/s").error() == quota_fault::zero);
    CHECK(parse_quota("1000000001/s").error() == quota_fault::too_large);
    CHECK(parse_quota("99999999999999999999/s").error() == quota_fault::too_large);
  }

  TEST_CASE("a quota that is none is quoted where it stands") {
    CHECK(quotas_told(R"(["100/min", "10/week"])") ==
          lines{R"(ads.toml:6:28: quotas in [source.limit] holds "10/week"; write a whole number)"
                R"( of calls per s, min, h or day, such as "100/min")"});
    CHECK(quotas_told(R"(["0/min"])") ==
          lines{R"(ads.toml:6:17: quotas in [source.limit] holds "0/min", which allows no call at)"
                R"( all; write at least 1, or take it out)"});
    CHECK(quotas_told(R"(["2000000000/s"])") ==
          lines{R"(ads.toml:6:17: quotas in [source.limit] holds "2000000000/s", which is too many)"
                R"( to count; write at most 1000000000 calls)"});
    CHECK(quotas_told("[100]") ==
          lines{R"(ads.toml:6:17: quotas in [source.limit] holds a whole number; write quotas = )"
                R"(["100/min", "10000/day"])"});
    CHECK(mistakes(added("[sink]", R"(limit.quotas = ["x"])")) ==
          lines{R"(ads.toml:10:17: quotas in [sink.limit] holds "x"; write a whole number of calls)"
                R"( per s, min, h or day, such as "100/min")"});
  }

  TEST_CASE("two quotas of one window and more quotas than windows and none are mistakes") {
    CHECK(quotas_told("[\"100/min\",\n\"5/s\",\n\"90/min\"]") ==
          lines{R"(ads.toml:8:1: quotas in [source.limit] holds "90/min", a second quota of one)"
                R"( window; the first is in line 6: keep the smaller)"});
    CHECK(quotas_told(R"(["1/s", "2/min", "3/h", "4/day", "5/s", "6/s"])") ==
          lines{"ads.toml:6:49: quotas in [source.limit] holds 6 quotas; write at most 4, one for "
                "each of s, min, h and day"});
    CHECK(quotas_told("[]") ==
          lines{R"(ads.toml:6:16: quotas in [source.limit] is empty; write quotas = ["100/min", )"
                R"("10000/day"], or take it out)"});
    CHECK(quotas_told(R"("100/min")") ==
          lines{R"(ads.toml:6:16: quotas in [source.limit] is a string; write quotas = )"
                R"(["100/min", "10000/day"])"});
  }

  TEST_CASE("a quota of the environment is never quoted") {
    const auto told = shown(added(in_source, R"(limit.quotas = ["${QUOTA}"])"), {{"QUOTA", "x77"}});
    REQUIRE(told.size() == 1);
    CHECK(told[0].contains(R"(holds "${QUOTA}")"));
    CHECK_FALSE(told[0].contains("x77"));
  }

  TEST_CASE("a breaker that is wrong is told how one looks") {
    const auto told = [](std::string_view breaker) {
      return mistakes(added(in_source, "limit.breaker = " + std::string{breaker}));
    };
    CHECK(told("{}") == lines{"ads.toml:6:17: missing key \"failures\" in [source.limit.breaker]; "
                              "add failures: Failures in a row that open it."});
    CHECK(told("{ failures = 0 }") ==
          lines{"ads.toml:6:30: failures in [source.limit.breaker] is 0; write a number from 1 to "
                "1000000"});
    CHECK(told("true") ==
          lines{R"(ads.toml:6:17: breaker in [source.limit] is true or false; write breaker = )"
                R"({ failures = 5, open_for = "30s", longest = "10m" })"});
    CHECK(told(R"({ failures = 5, open_for = "1 minute" })") ==
          lines{R"(ads.toml:6:44: open_for in [source.limit.breaker] is "1 minute"; write a)"
                R"( duration such as "30s", "5m" or "500ms")"});
    CHECK(told(R"({ failures = 5, open_for = "2m", longest = "1m" })") ==
          lines{"ads.toml:6:44: open_for in [source.limit.breaker] is longer than longest; write a "
                "longest of at least that"});
    CHECK(told(R"({ failures = 5, open_for = "11m" })") ==
          lines{"ads.toml:6:44: open_for in [source.limit.breaker] is longer than 10m; write a "
                "longest of at least that"});
    CHECK(told(R"({ failures = 5, longest = "10s" })") ==
          lines{"ads.toml:6:43: longest in [source.limit.breaker] is shorter than the 30s of "
                "open_for; write an open_for of at most that"});
  }

  TEST_CASE("a weight out of bounds is told the bounds and adaptive is yes or no") {
    const auto told = [](std::string_view weight) {
      return mistakes(added(in_source, "limit.weight = " + std::string{weight}));
    };
    CHECK(told("0") ==
          lines{"ads.toml:6:16: weight in [source.limit] is 0; write a number from 0.001 to 1000"});
    CHECK(told("-1.5").at(0).contains("is -1.5; write a number from"));
    CHECK(told("nan").at(0).contains("is nan; write a number from"));
    CHECK(told("inf").at(0).contains("is inf; write a number from"));
    CHECK(told("\"2\"") == lines{"ads.toml:6:16: weight in [source.limit] is a string; write a "
                                 "number such as 2 or 0.5"});
    CHECK(mistakes(added(in_source, "limit.adaptive = 1")) ==
          lines{"ads.toml:6:18: adaptive in [source.limit] is a whole number; write true or "
                "false"});
  }

  TEST_CASE("how long things are kept is read and has defaults") {
    const auto usual = good(smallest).retention;
    CHECK(usual.keep_for == 0s);
    CHECK(usual.history_for == 90 * 24h);
    CHECK(usual.history_lines == 1'000);
    const auto made =
        good(added("[import]", "keep_for = \"30d\"\nhistory_for = \"12h\"\nhistory_lines = 20"))
            .retention;
    CHECK(made.keep_for == 30 * 24h);
    CHECK(made.history_for == 12h);
    CHECK(made.history_lines == 20);
    CHECK(good(added("[import]", "history_for = \"forever\"")).retention.history_for == 0s);
    CHECK(mistakes(added("[import]", "keep_for = \"0d\"")) ==
          lines{R"(ads.toml:4:12: keep_for in [import] is "0d"; write a duration such as "30d", )"
                R"(or "forever")"});
    CHECK(mistakes(added("[import]", "history_lines = 1")) ==
          lines{"ads.toml:4:17: history_lines in [import] is 1; write a number from 2 to "
                "1000000000"});
  }

  TEST_CASE("the schema knows what a limit can say") {
    const auto schema = spec_schema();
    for (const auto* piece :
         {R"("quotas":{"type":"array","minItems":1,"maxItems":4,"items":{"type":"string")",
          R"("adaptive":{"type":"boolean")", R"("required":["failures"])",
          R"("weight":{"type":"number","minimum":1E-3,"maximum":1000)", R"("keep_for":{)",
          R"("history_for":{)", R"("history_lines":{"type":"integer","minimum":2)"}) {
      CAPTURE(piece);
      CHECK(schema.contains(piece));
    }
  }

  TEST_CASE("limits and retention of the starting spec are good without their comment signs") {
    std::string text{starting_spec()};
    for (const std::string key : {"limit.quotas", "limit.adaptive", "limit.breaker", "limit.weight",
                                  "keep_for", "history_for", "history_lines"}) {
      const auto at = text.find("\n#" + key);
      REQUIRE(at != text.npos);
      text.erase(at + 1, 1);
    }
    const auto made = good(text, {{"API_TOKEN", "t"}, {"PWD", "/home/me"}});
    CHECK(made.source.limit.quotas.size() == 2);
    CHECK(made.source.limit.in_flight == 32);
    CHECK(made.source.limit.breaker.failures == 5);
  }

  TEST_CASE("each example of the page about limits is good") {
    std::ifstream file{WHERRY_DOCS "/limits.md", std::ios::binary};
    const auto blocks = toml_blocks({std::istreambuf_iterator<char>{file}, {}});
    CHECK(blocks.size() >= 4);
    for (const auto& block : blocks) {
      CAPTURE(block);
      const auto end = block.find('\n');
      REQUIRE(smallest.contains(block.substr(0, end)));  // the header of a table
      (void)good(added(block.substr(0, end), block.substr(end + 1)));
    }
  }
}
