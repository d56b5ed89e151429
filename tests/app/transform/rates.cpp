// SPDX-License-Identifier: Apache-2.0
// Goal: a day's rate is the last one at or before it, at most a week old, and nothing else.
#include "transform/rates.hpp"

#include <string>

#include <doctest/doctest.h>

#include "fixture.hpp"
#include "packed.hpp"
#include "transform/csv_reader.hpp"

using namespace wherry::app;

namespace {

// Thursday, Friday, a gap over the weekend, Monday; BGN stops on the first day.
constexpr auto sample =
    "Date,USD,JPY,BGN,\n"
    "2001-03-12,0.9300,111.5,N/A,\n"
    "2001-03-09,0.9329,112.00,N/A,\n"
    "2001-03-08,0.9326,111.87,1.9559,\n";

rates parsed(std::string_view text = sample) {
  auto result = rates::parse(text, "sample.csv");
  REQUIRE_MESSAGE(result, (result ? "" : result.error()));
  return std::move(*result);
}

std::int32_t day(std::string_view text) { return parse_date(text).value(); }

std::string refusal(std::string_view text) {
  const auto result = rates::parse(text, "sample.csv");
  REQUIRE_FALSE(result);
  return result.error();
}

bool has(const std::string& text, std::string_view part) {
  return text.find(part) != std::string::npos;
}

}  // namespace

TEST_SUITE("rates.hpp") {
  TEST_CASE("a rate is kept digit by digit") {
    const auto table = parsed();
    CHECK(table.at(*table.find("USD"), day("2001-03-09")) == 932'900'000u);
    CHECK(table.at(*table.find("JPY"), day("2001-03-08")) == 111'870'000'000u);
    CHECK(table.at(*table.find("EUR"), day("1900-01-01")) == 1'000'000'000u);
  }
  TEST_CASE("a weekend takes the rate of its Friday") {
    const auto table = parsed();
    CHECK(table.at(*table.find("USD"), day("2001-03-11")) == 932'900'000u);
  }
  TEST_CASE("a rate is good for seven days and not for eight") {
    const auto table = parsed();
    CHECK(table.at(*table.find("USD"), day("2001-03-19")) == 930'000'000u);
    const auto late = table.at(*table.find("USD"), day("2001-03-20"));
    REQUIRE_FALSE(late);
    CHECK(has(late.error(), "no rate of USD for 2001-03-20"));
  }
  TEST_CASE("a gap of one currency looks back to its own last rate") {
    const auto table = parsed();
    CHECK(table.at(*table.find("BGN"), day("2001-03-15")) == 1'955'900'000u);
    CHECK_FALSE(table.at(*table.find("BGN"), day("2001-03-16")));
  }
  TEST_CASE("a day before the file is named") {
    const auto table = parsed();
    const auto early = table.at(*table.find("USD"), day("2001-03-07"));
    REQUIRE_FALSE(early);
    CHECK(has(early.error(), "USD"));
    CHECK(has(early.error(), "2001-03-07"));
    CHECK(has(early.error(), "begins on 2001-03-08"));
  }
  TEST_CASE("an unknown currency is not found") {
    const auto table = parsed();
    CHECK_FALSE(table.find("XXX"));
    CHECK_FALSE(table.find(""));
    CHECK_FALSE(table.find("usd"));
  }
  TEST_CASE("between two currencies lies the fraction of their rates") {
    const auto table = parsed();
    const auto by = table.between({*table.find("USD"), *table.find("JPY"), day("2001-03-09")});
    REQUIRE(by);
    CHECK(by->factor.numerator == 112'000'000'000u);
    CHECK(by->factor.denominator == 932'900'000u);
    CHECK(by->day == day("2001-03-09"));
  }
  TEST_CASE("the same currency needs no rate") {
    const auto table = parsed();
    const auto by = table.between({*table.find("USD"), *table.find("USD"), day("1900-01-01")});
    REQUIRE(by);
    CHECK(by->factor.numerator == by->factor.denominator);
  }
  TEST_CASE("a file may be packed, as the ECB's own is") {
    const wherry::app::testing::scratch place;
    const auto path =
        place.write("rates.zip", wherry::app::testing::zipped("eurofxref.csv", sample));
    const auto loaded = rates::load(path);
    REQUIRE_MESSAGE(loaded, (loaded ? "" : loaded.error()));
    CHECK(loaded->at(*loaded->find("USD"), day("2001-03-12")) == 930'000'000u);
    const auto cut =
        place.write("cut.zip", wherry::app::testing::zipped("a.csv", sample).substr(0, 60));
    const auto refused = rates::load(cut);
    REQUIRE_FALSE(refused);
    CHECK(has(refused.error(), "cut.zip"));
    CHECK(has(refused.error(), "zip archive"));
  }
  TEST_CASE("the order of the rows is free") {
    const auto table = parsed("Date,USD\n2001-03-08,1.1\n2001-03-09,1.2\n");
    CHECK(table.at(*table.find("USD"), day("2001-03-09")) == 1'200'000'000u);
  }
  TEST_CASE("a malformed file is refused with its line") {
    CHECK(has(refusal(""), "line 1"));
    CHECK(has(refusal("day,currency,usd\n"), "the first column is not Date"));
    CHECK(has(refusal("Date,USD\n"), "there is no day"));
    CHECK(has(refusal("Date,USD\n2001-03-08,abc\n"), "line 2: 'abc' is not a rate of USD"));
    CHECK(has(refusal("Date,USD\n2001-03-08,0\n"), "'0' is not a rate"));
    CHECK(has(refusal("Date,USD\n2001-03-08,-1\n"), "'-1' is not a rate"));
    CHECK(has(refusal("Date,USD\n08.03.2001,1\n"), "is not a day"));
    CHECK(has(refusal("Date,USD,JPY\n2001-03-08,1\n"), "2 fields where the header has 3"));
    CHECK(has(refusal("Date,USD,USD\n2001-03-08,1,1\n"), "USD appears twice"));
    CHECK(has(refusal("Date,USD\n2001-03-08,1\n2001-03-08,1\n"), "2001-03-08 appears twice"));
  }
  TEST_CASE("a missing file is named with the remedy") {
    const auto missing = rates::load("/nowhere/rates.csv");
    REQUIRE_FALSE(missing);
    CHECK(has(missing.error(), "/nowhere/rates.csv"));
    CHECK(has(missing.error(), "[transform] rates"));
  }
  TEST_CASE("the excerpt in the examples covers the days of the example data") {
    const auto table =
        rates::load(std::string(WHERRY_SOURCE_DIRECTORY) + "/examples/data/eurofxref-excerpt.csv");
    REQUIRE(table);
    for (auto at = day("1999-01-04"); at <= day("2002-12-31"); ++at) {
      for (const auto* code : {"USD", "GBP", "JPY", "CHF", "SEK", "AUD", "CAD"})
        CHECK(table->at(*table->find(code), at));
    }
  }
}
