// SPDX-License-Identifier: Apache-2.0
// Goal: money arithmetic is exact and rounds half away from zero. Method: known values, then random
// ones against an independent computation with remainders.
#include "transform/decimal.hpp"

#include <limits>
#include <random>

#include <doctest/doctest.h>

using namespace wherry::app;

namespace {

std::string text(int128 value, int scale = 0) {
  std::string out;
  append_decimal(out, value, scale);
  return out;
}

std::string text(std::optional<int128> value, int scale = 0) {
  return value ? text(*value, scale) : "none";
}

}  // namespace

TEST_SUITE("decimal.hpp") {
  TEST_CASE("decimals print with all the digits of their scale") {
    CHECK(text(int128{0}, 2) == "0.00");
    CHECK(text(int128{5}, 2) == "0.05");
    CHECK(text(int128{-5}, 2) == "-0.05");
    CHECK(text(int128{123456}, 3) == "123.456");
    CHECK(text(int128{-42}, 0) == "-42");
    CHECK(text(power_of_ten(37) * 9, 10) == "9000000000000000000000000000.0000000000");
  }
  TEST_CASE("decimals are read exactly or not at all") {
    CHECK(text(parse_decimal("12.5", 18, 6), 6) == "12.500000");
    CHECK(text(parse_decimal("-.5", 18, 2), 2) == "-0.50");
    CHECK(text(parse_decimal("1.", 4, 0)) == "1");
    CHECK(text(parse_decimal("0000000000000000000000000000000000000000000001.10", 3, 1), 1) ==
          "1.1");
    CHECK_FALSE(parse_decimal("1.25", 18, 1));  // would be rounded
    CHECK_FALSE(parse_decimal("1000", 3, 0));   // too wide
    CHECK_FALSE(parse_decimal("100", 4, 2));
    CHECK_FALSE(parse_decimal("", 4, 2));
    CHECK_FALSE(parse_decimal("-", 4, 2));
    CHECK_FALSE(parse_decimal(".", 4, 2));
    CHECK_FALSE(parse_decimal("1e3", 9, 2));
    CHECK_FALSE(parse_decimal("1.2.3", 9, 4));
  }
  TEST_CASE("the widest decimal has 38 digits") {
    const std::string nines(38, '9');
    CHECK(text(parse_decimal(nines, 38, 0)) == nines);
    CHECK_FALSE(parse_decimal("1" + nines, 38, 0));
    CHECK(fits_width(power_of_ten(38) - 1, 38));
    CHECK_FALSE(fits_width(power_of_ten(4), 4));
  }
  TEST_CASE("rescaling rounds half away from zero") {
    CHECK(text(rescale(25, {.from = 1, .to = 0})) == "3");
    CHECK(text(rescale(-25, {.from = 1, .to = 0})) == "-3");
    CHECK(text(rescale(24, {.from = 1, .to = 0})) == "2");
    CHECK(text(rescale(7, {.from = 0, .to = 3})) == "7000");
    CHECK(text(rescale(power_of_ten(37), {.from = 20, .to = 0})) == "100000000000000000");
    CHECK(text(rescale(power_of_ten(37), {.from = 0, .to = 2})) == "none");
  }
  TEST_CASE("a double becomes its own digits rounded once") {
    CHECK(text(decimal_from_double(0.1, 10), 10) == "0.1000000000");
    CHECK(text(decimal_from_double(-1234567.891, 10), 10) ==
          "-1234567.8910000001");  // the double's own value
    CHECK(text(decimal_from_double(0.5, 0)) == "1");
    CHECK(text(decimal_from_double(-0.5, 0)) == "-1");
    CHECK(text(decimal_from_double(1e-300, 10)) == "0");
    CHECK(text(decimal_from_double(1e20, 10), 10) == "100000000000000000000.0000000000");
    CHECK_FALSE(decimal_from_double(1e30, 10));
    CHECK_FALSE(decimal_from_double(std::numeric_limits<double>::infinity(), 10));
    CHECK_FALSE(decimal_from_double(std::numeric_limits<double>::quiet_NaN(), 10));
  }
  TEST_CASE("multiplying by a fraction rounds the exact quotient once") {
    CHECK(text(multiply(1, {1, 2})) == "1");
    CHECK(text(multiply(-1, {1, 2})) == "-1");
    CHECK(text(multiply(1, {1, 3})) == "0");
    CHECK(text(multiply(2, {1, 3})) == "1");
    CHECK(text(multiply(power_of_ten(37), {1'000'000'007, 1'000'000'007})) ==
          text(power_of_ten(37)));
    CHECK(text(multiply(power_of_ten(37), {100, 1})) == "none");
    constexpr auto most = std::numeric_limits<std::uint64_t>::max();
    CHECK(text(multiply(12345, {most, most})) == "12345");
  }
  TEST_CASE("random fractions leave a remainder of at most half") {
    constexpr unsigned seed = 4711;
    CAPTURE(seed);
    std::mt19937_64 random(seed);
    for (int i = 0; i < 20'000; ++i) {
      const auto value = static_cast<int128>(random() >> (random() % 60)) *
                         static_cast<int128>(random() % 1'000'000 + 1);
      const fraction by{random() % 1'000'000'000 + 1, random() % 1'000'000'000'000 + 1};
      const auto quotient = multiply(value, by);
      REQUIRE(quotient);
      const int128 rest = value * static_cast<int128>(by.numerator) -
                          *quotient * static_cast<int128>(by.denominator);
      const auto denominator = static_cast<int128>(by.denominator);
      const bool nearest = 2 * rest < denominator && 2 * rest >= -denominator;
      if (!nearest) FAIL(text(value) << " * " << by.numerator << " / " << by.denominator);
    }
  }
}
