// SPDX-License-Identifier: Apache-2.0
// Goal: the SQL functions that money and time need are exact, know what they do not know, and see
// the report that they are called for; DuckDB's own time zones work under the lock-down.
#include "transform/functions.hpp"

#include <string>
#include <thread>
#include <vector>

#include <doctest/doctest.h>
#include <fmt/format.h>

#include "fixture.hpp"
#include "transform/minor_units.hpp"

using namespace wherry::app;
using namespace wherry::app::testing;
using kind = transform_error::kind;

namespace {

setup selecting(const std::string& what,
                std::vector<column> source = {{"x", "bigint"}, {"c", "varchar"}}) {
  return {.source = std::move(source),
          .sql = fmt::format("select {} as y from report", what),
          .rates = ecb};
}

/// The only value that comes of one row.
std::string value(const std::string& what, const std::string& row) {
  const auto out = selecting(what).converts("x,c\n" + row + "\n");
  return out.substr(2, out.size() - 3);
}

}  // namespace

TEST_SUITE("functions.hpp: money") {
  TEST_CASE("minor units are those of ISO 4217") {
    CHECK(minor_unit_of("EUR") == 2);
    CHECK(minor_unit_of("JPY") == 0);
    CHECK(minor_unit_of("BHD") == 3);
    CHECK(minor_unit_of("CLF") == 4);
    CHECK(minor_unit_of("AED") == 2);
    CHECK(minor_unit_of("ZWG") == 2);
    CHECK(minor_unit_of("XCG") == 2);
    CHECK_FALSE(minor_unit_of("DAF"));  // within "AED AFN"
    CHECK_FALSE(minor_unit_of("ED "));
    CHECK_FALSE(minor_unit_of("eur"));
    CHECK_FALSE(minor_unit_of(""));
  }
  TEST_CASE("from_minor moves the point by what the currency has") {
    CHECK(value("from_minor(x, c)", "12345,EUR") == "123.4500000000");
    CHECK(value("from_minor(x, c)", "12345,JPY") == "12345.0000000000");
    CHECK(value("from_minor(x, c)", "-12345,BHD") == "-12.3450000000");
    CHECK(value("from_minor(x, 'EUR')", "9223372036854775807,") == "92233720368547758.0700000000");
    CHECK(value("from_minor(x, c)", ",EUR").empty());
    CHECK(value("from_minor(x, c)", "1,").empty());
    CHECK(value("from_minor(x::decimal(10,2), c)", "5,EUR") == "0.0500000000");
  }
  TEST_CASE("from_minor refuses what it cannot do exactly") {
    check(selecting("from_minor(x, 'EURO')").refusal(), kind::currency,
          {"from_minor", "unknown currency 'EURO'", "ISO 4217"});
    check(selecting("from_minor(c, 'EUR')").refusal(), kind::currency, {"not a number"});
    check(selecting("from_minor(x::decimal(20,8), 'EUR')").refusal(), kind::currency,
          {"8 decimals, at most 6"});
    check(selecting("from_minor(x, c)").fails("x,c\n1,XXQ\n"), kind::currency,
          {"unknown currency 'XXQ'"});
  }
  TEST_CASE("from_micros is a millionth, exactly") {
    CHECK(value("from_micros(x)", "1234567,") == "1.2345670000");
    CHECK(value("from_micros(x)", "-1,") == "-0.0000010000");
    CHECK(value("from_micros(x)", "9007199254740993,") == "9007199254.7409930000");  // 2^53 + 1
    CHECK(value("from_micros(x::decimal(18,4))", "5,") == "0.0000050000");
    CHECK(value("from_micros(x)", ",").empty());
    check(selecting("from_micros(x::decimal(18,5))").refusal(), kind::currency,
          {"from_micros", "5 decimals, at most 4"});
  }
  TEST_CASE("the rate that was used, and its day, can be put into a column") {
    const auto rated = [](const std::string& what) {
      return setup{.source = {{"day", "date"}, {"amount", "decimal(18,2)"}},
                   .sql = "select " + what + " as y from report",
                   .rates = ecb};
    };
    // 2001-03-10 is a Saturday: Friday's rate is used.
    const std::string row = "day,amount\n2001-03-10,100.00\n";
    CHECK(rated("currency_rate_day('EUR', 'USD', day)").converts(row) == "y\n2001-03-09\n");
    CHECK(rated("currency_rate_day('EUR', 'EUR', day)").converts(row) == "y\n2001-03-10\n");
    CHECK(rated("currency_rate('EUR', 'EUR', day)").converts(row) == "y\n1.000000000000000000\n");
    CHECK(rated("cast(convert_currency(amount, 'USD', 'JPY', day) as decimal(18,6)) ="
                " cast(amount * currency_rate('USD', 'JPY', day)::decimal(20,12) as decimal(18,6))")
              .converts(row) == "y\ntrue\n");
    check(rated("currency_rate('EUR', 'XXX', day)").refusal(), kind::currency,
          {"currency_rate", "unknown currency 'XXX'"});
    auto without = rated("currency_rate('EUR', 'USD', day)");
    without.rates.clear();
    check(without.refusal(), kind::currency, {"[transform] rates"});
    check(rated("currency_rate('EUR', 'USD', day)").fails("day,amount\n1950-01-01,1\n"),
          kind::currency, {"no rate of USD for 1950-01-01"});
  }
}

TEST_SUITE("functions.hpp: the report") {
  TEST_CASE("SQL knows whose report it is, also when many are converted at once") {
    const scratch place;
    const setup one{.source = {{"x", "bigint"}},
                    .sql =
                        "select client_id() as a, client_account() as b, client_currency() as c,"
                        " client_timezone() as d, report_day() as e, x from report",
                    .threads = 2};
    const auto shared = one.opened();
    const auto convert = [&](const std::string& client, const std::string& currency) {
      for (int i = 0; i < 50; ++i) {
        const auto out = place.file(client);
        const auto done = shared->run("x\n1\n2\n", {.client = client,
                                                    .day = "2001-03-12",
                                                    .input = {},
                                                    .output = out,
                                                    .account = "a-" + client,
                                                    .currency = currency,
                                                    .timezone = "Europe/Berlin"});
        REQUIRE(done);
        const auto row = fmt::format("{0},a-{0},{1},Europe/Berlin,2001-03-12,", client, currency);
        CHECK(content(out) == fmt::format("a,b,c,d,e,x\n{0}1\n{0}2\n", row));
      }
    };
    std::jthread other([&] { convert("acme", "EUR"); });
    convert("globex", "");
  }
  TEST_CASE("a report of nobody has none") {
    CHECK(setup{.sql = "select client_id() as a, report_day() as b from report"}.converts(
              "day,name,amount\n2001-03-12,x,5\n") == "a,b\n,\n");
  }
  TEST_CASE("columns and functions of the same name do not meet") {
    CHECK(
        setup{.source = {{"client_id", "varchar"}}, .sql = "select client_id from report"}.converts(
            "client_id\nx\n") == "client_id\nx\n");
  }
}

TEST_SUITE("functions.hpp: time zones") {
  TEST_CASE("moments become the client's local time across a change of the clocks") {
    const scratch place;
    const setup local{.source = {{"t", "timestamp"}},
                      .sql =
                          "select timezone(client_timezone(), timezone('UTC', t)) as here,"
                          " cast(timezone(client_timezone(), timezone('UTC', t)) as date) as day"
                          " from report"};
    const transform_job job{.client = "c",
                            .day = "2025-03-30",
                            .input = {},
                            .output = place.file("out"),
                            .account = {},
                            .currency = {},
                            .timezone = "Europe/Berlin"};
    // 2025-03-30 01:00 UTC: from 02:00 to 03:00.
    REQUIRE(
        local.opened()->run("t\n2025-03-29 22:59:59\n2025-03-29 23:00:00\n"
                            "2025-03-30 00:59:59\n2025-03-30 01:00:00\n2025-03-30 22:00:00\n",
                            job));
    CHECK(content(job.output) ==
          "here,day\n2025-03-29 23:59:59,2025-03-29\n2025-03-30 00:00:00,2025-03-30\n"
          "2025-03-30 01:59:59,2025-03-30\n2025-03-30 03:00:00,2025-03-30\n"
          "2025-03-31 00:00:00,2025-03-31\n");
  }
  TEST_CASE("local times become moments, the later of two in the hour that comes twice") {
    const auto moments = setup{
        .source = {{"t", "timestamp"}},
        .sql = "select (t at time zone 'Europe/Berlin') at time zone 'UTC' as utc from report"};
    CHECK(moments.converts("t\n2025-10-26 01:30:00\n2025-10-26 02:30:00\n2025-10-26 03:30:00\n") ==
          "utc\n2025-10-25 23:30:00\n2025-10-26 01:30:00\n2025-10-26 02:30:00\n");
  }
  TEST_CASE("a report's bytes do not depend on the host's zone") {
    const char* const was = std::getenv("TZ");
    const std::string before = was == nullptr ? "" : was;
    ::setenv("TZ", "America/New_York", 1);
    const auto out =
        setup{.source = {{"t", "timestamptz"}}}.converts("t\n2025-01-01 12:00:00+00\n");
    if (was == nullptr)
      ::unsetenv("TZ");
    else
      ::setenv("TZ", before.c_str(), 1);
    CHECK(out == "t\n2025-01-01 12:00:00+00\n");
  }
}
