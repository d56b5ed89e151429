// SPDX-License-Identifier: Apache-2.0
// Goal: a range of days and a choice of clients give exactly their reports, in order, and a wrong
// call is told what to write. Method: small calendars with leap days and turns of the year.
#include "spec/backlog.hpp"

#include <doctest/doctest.h>

using namespace wherry::app;

namespace {

const std::vector<client> clients{
    {.id = "acme", .account = "acme", .currency = {}, .timezone = "UTC"},
    {.id = "globex", .account = "7", .currency = {}, .timezone = "UTC"},
    {.id = "initech", .account = "7", .currency = {}, .timezone = "UTC"}};

std::vector<std::string> ids(const backlog_request& request) {
  const auto made = backlog::make(request, clients);
  REQUIRE(made);
  std::vector<std::string> out;
  for (std::size_t i = 0; i < made->size(); ++i) out.push_back(to_string((*made)[i], clients));
  return out;
}

std::string fault(const backlog_request& request) {
  const auto made = backlog::make(request, clients);
  REQUIRE_FALSE(made);
  return made.error().message + "; " + made.error().remedy;
}

}  // namespace

TEST_SUITE("spec/backlog.hpp") {
  TEST_CASE("a backlog runs from the newest day back and then by client") {
    CHECK(ids({"2023-12-31", "2024-01-01", {"initech", "acme"}}) ==
          std::vector<std::string>{"acme/2024-01-01", "initech/2024-01-01", "acme/2023-12-31",
                                   "initech/2023-12-31"});
  }

  TEST_CASE("no named clients means all of them and one day is a range") {
    CHECK(ids({"2025-01-31", "2025-01-31", {}}) ==
          std::vector<std::string>{"acme/2025-01-31", "globex/2025-01-31", "initech/2025-01-31"});
  }

  TEST_CASE("a client named twice is imported once") {
    CHECK(ids({"2025-01-31", "2025-01-31", {"acme", "acme"}}).size() == 1);
  }

  TEST_CASE("a backlog contains its own reports and no others") {
    const auto made = backlog::make({"2025-01-31", "2025-02-01", {"acme", "initech"}}, clients);
    REQUIRE(made);
    const auto holds = [&](std::string_view id) {
      return made->contains(parse_report_id(id, clients).value());
    };
    CHECK(holds("acme/2025-01-31"));
    CHECK(holds("initech/2025-02-01"));
    CHECK_FALSE(holds("globex/2025-01-31"));
    CHECK_FALSE(holds("acme/2025-01-30"));
    CHECK_FALSE(holds("acme/2025-02-02"));
  }

  TEST_CASE("leap days are days") {
    CHECK(ids({"2024-02-28", "2024-03-01", {"acme"}}).size() == 3);
    CHECK(ids({"2023-02-28", "2023-03-01", {"acme"}}).size() == 2);
  }

  TEST_CASE("a wrong call is told what to write") {
    CHECK(fault({"2025-02-30", "2025-03-01", {}}) ==
          R"(--from "2025-02-30" is not a day; write --from 2025-01-31)");
    CHECK(fault({"2025-02-01", "", {}}) == R"(--to "" is not a day; write --to 2025-01-31)");
    CHECK(fault({"2025-02-02", "2025-02-01", {}}) ==
          "--from 2025-02-02 is after --to 2025-02-01; write --from 2025-02-01 --to 2025-02-02");
    CHECK(fault({"2025-02-01", "2025-02-01", {"globx"}}) ==
          R"(the spec has no client "globx"; did you mean "globex"?)");
    CHECK(fault({"2025-02-01", "2025-02-01", {"umbrella"}}) ==
          R"(the spec has no client "umbrella"; known clients: acme, globex, initech)");
  }

  TEST_CASE("a backlog of more than ten million reports is refused") {
    const std::vector<client> many(3'000, clients[0]);
    CHECK(backlog::make({"2016-01-01", "2025-01-01", {}}, many));
    const auto made = backlog::make({"2016-01-01", "2025-03-31", {}}, many);
    REQUIRE_FALSE(made);
    CHECK(made.error().message ==
          "--from 2016-01-01 --to 2025-03-31 asks for 10134000 reports, more than 10000000 in one "
          "import");
  }

  TEST_CASE("an id parses back to its report") {
    for (std::size_t i = 0; i < clients.size(); ++i) {
      const report_id id{.client = i, .day = *parse_day("2024-02-29")};
      const auto back = parse_report_id(to_string(id, clients), clients);
      REQUIRE(back);
      CHECK(*back == id);
    }
  }

  TEST_CASE("what is not an id is refused with a remedy") {
    for (const auto* text :
         {"", "acme", "acme/", "acme/2025-1-31", "acme/2025-02-30", "2025-01-31"}) {
      const auto id = parse_report_id(text, clients);
      REQUIRE_FALSE(id);
      CHECK(id.error().remedy == "write CLIENT/DAY, such as acme/2025-01-31");
    }
    CHECK(parse_report_id("acmo/2025-01-31", clients).error().remedy == R"(did you mean "acme"?)");
  }
}

TEST_SUITE("spec/day.hpp") {
  TEST_CASE("only whole days of the calendar parse") {
    CHECK(to_string(*parse_day("0001-01-01")) == "0001-01-01");
    CHECK(to_string(*parse_day("9999-12-31")) == "9999-12-31");
    for (const auto* text :
         {"2025-02-29", "2025-13-01", "2025-00-10", "2025-01-00", "20250131", "2025-01-31 ",
          " 2025-01-3", "+025-01-31", "2025/01/31", "2025-1-031"}) {
      CAPTURE(text);
      CHECK_FALSE(parse_day(text));
    }
  }

  TEST_CASE("a pattern writes year month and day") {
    CHECK(format_day(*parse_day("2025-01-02"), "%Y/%m/x%d") == "2025/01/x02");
    CHECK_FALSE(day_pattern_fault("%Y%m%d"));
    CHECK(day_pattern_fault("%Y-%H") == "%H");
    CHECK(day_pattern_fault("%Y%") == "%");
  }
}
