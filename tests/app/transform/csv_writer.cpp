// SPDX-License-Identifier: Apache-2.0
// Goal: values print in one way only, and read back to themselves.
#include "transform/csv_writer.hpp"

#include <bit>
#include <cmath>
#include <limits>
#include <random>

#include <doctest/doctest.h>

#include "transform/csv_reader.hpp"

using namespace wherry::app;

namespace {

template <class Value>
std::string printed(void (*append)(std::string&, Value), Value value) {
  std::string out;
  append(out, value);
  return out;
}

}  // namespace

TEST_SUITE("csv_writer.hpp") {
  TEST_CASE("text is quoted only where it must be") {
    CHECK(printed<std::string_view>(append_text, "plain | text") == "plain | text");
    CHECK(printed<std::string_view>(append_text, "a,b") == "\"a,b\"");
    CHECK(printed<std::string_view>(append_text, "a\nb") == "\"a\nb\"");
    CHECK(printed<std::string_view>(append_text, "a\rb") == "\"a\rb\"");
    CHECK(printed<std::string_view>(append_text, "say \"hi\"") == "\"say \"\"hi\"\"\"");
  }
  TEST_CASE("the empty string is not NULL") {
    CHECK(printed<std::string_view>(append_text, "") == "\"\"");
  }
  TEST_CASE("doubles take their shortest digits") {
    CHECK(printed(append_double, 0.1) == "0.1");
    CHECK(printed(append_double, 1000000.0) == "1000000");
    CHECK(printed(append_double, 0.00001) == "0.00001");
    CHECK(printed(append_double, -2.5) == "-2.5");
    CHECK(printed(append_double, 1e300) == "1e+300");
    CHECK(printed(append_float, 0.1F) == "0.1");
    CHECK(printed(append_double, std::numeric_limits<double>::infinity()) == "inf");
  }
  TEST_CASE("a thousand random doubles read back bit by bit") {
    constexpr unsigned seed = 20010312;
    CAPTURE(seed);
    std::mt19937_64 random(seed);
    for (int i = 0; i < 1000; ++i) {
      const auto value = std::bit_cast<double>(random());
      if (std::isnan(value)) continue;
      const auto text = printed(append_double, value);
      CAPTURE(text);
      const auto back = parse_double(text);
      REQUIRE(back);
      CHECK(std::bit_cast<std::uint64_t>(*back) == std::bit_cast<std::uint64_t>(value));
    }
  }
  TEST_CASE("every day of eight centuries reads back") {
    for (std::int32_t day = -150'000; day <= 150'000; ++day) {
      const auto text = printed(append_date, day);
      if (parse_date(text) != day) FAIL(text);
    }
    CHECK(printed(append_date, 11016) == "2000-02-29");
    CHECK(printed(append_date, -719'528) == "0001-01-01 (BC)");
    CHECK(printed(append_date, 2'932'897) == "10000-01-01");
  }
  TEST_CASE("a timestamp shows a fraction only when there is one") {
    CHECK(printed<std::int64_t>(append_timestamp, 0) == "1970-01-01 00:00:00");
    CHECK(printed<std::int64_t>(append_timestamp, 1'500'000) == "1970-01-01 00:00:01.5");
    CHECK(printed<std::int64_t>(append_timestamp, -1) == "1969-12-31 23:59:59.999999");
  }
}
