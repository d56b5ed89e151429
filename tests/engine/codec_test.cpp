// SPDX-License-Identifier: Apache-2.0
// Goal: a state survives the way to JSON and back, and JSON that is not that state is refused with
// the name of the member. Method: one struct with every kind of member, bent in one place at a
// time.

#include <doctest/doctest.h>

#include <bit>
#include <cmath>
#include <limits>
#include <random>

#include "wherry/engine/codec.hpp"

namespace {

struct part {
  std::string name;
  std::int64_t size_bytes = 0;
};
BOOST_DESCRIBE_STRUCT(part, (), (name, size_bytes))

struct sample {
  std::string text{};
  bool yes = false;
  std::int32_t small = 0;
  std::uint64_t large = 0;
  double real = 0;
  std::optional<std::string> maybe{};
  std::vector<part> parts{};
};
BOOST_DESCRIBE_STRUCT(sample, (), (text, yes, small, large, real, maybe, parts))

struct counter {
  std::uint8_t value = 0;
};
BOOST_DESCRIBE_STRUCT(counter, (), (value))

struct real {
  double value = 0;
};
BOOST_DESCRIBE_STRUCT(real, (), (value))

using wherry::detail::decode;
using wherry::detail::encode;

std::string mistake_in(std::string_view json) {
  const auto read = decode<part>(json);
  REQUIRE_FALSE(read.has_value());
  return read.error();
}

}  // namespace

TEST_SUITE("engine/codec") {
  TEST_CASE("every kind of member comes back as it was") {
    sample before{.text = std::string("tab\t, nul\0, quote\", \xC3\xA9", 22),
                  .yes = true,
                  .small = std::numeric_limits<std::int32_t>::min(),
                  .large = std::numeric_limits<std::uint64_t>::max(),
                  .real = 0.1,
                  .maybe = "",
                  .parts = {{"a", 1}, {"b", std::numeric_limits<std::int64_t>::max()}}};
    const auto after = decode<sample>(encode(before));
    REQUIRE(after);
    CHECK(after->text == before.text);
    CHECK(after->yes);
    CHECK(after->small == before.small);
    CHECK(after->large == before.large);
    CHECK(after->real == before.real);
    CHECK(after->maybe == "");
    REQUIRE(after->parts.size() == 2);
    CHECK(after->parts[1].name == "b");
    CHECK(after->parts[1].size_bytes == before.parts[1].size_bytes);
  }

  TEST_CASE("every double comes back as it was to the last bit") {
    const std::uint64_t seed = 7;
    CAPTURE(seed);
    std::mt19937_64 random(seed);
    using limits = std::numeric_limits<double>;
    std::vector<double> values{0.0,
                               -0.0,
                               1.0,
                               1e22,
                               1e23,
                               0.1,
                               limits::max(),
                               limits::min(),
                               limits::denorm_min(),
                               limits::epsilon(),
                               -limits::max()};
    for (int i = 0; i < 20'000; ++i) {
      const auto any = std::bit_cast<double>(random());
      if (std::isfinite(any)) values.push_back(any);
      values.push_back(static_cast<double>(random() % 100'000'000) / 1e4);
      values.push_back(std::ldexp(static_cast<double>(random()), -64));
    }
    std::size_t changed = 0;
    for (const double value : values) {
      const auto after = decode<real>(encode(real{value}));
      REQUIRE(after);
      if (std::bit_cast<std::uint64_t>(after->value) != std::bit_cast<std::uint64_t>(value)) {
        ++changed;
      }
    }
    CHECK(changed == 0);
  }

  TEST_CASE("numbers that others have written are read as they meant them") {
    CHECK(decode<real>(R"({"value":5})")->value == 5.0);
    CHECK(decode<real>(R"({"value":-0.3})")->value == -0.3);
    CHECK(decode<real>(R"({"value":18446744073709551616})")->value == 18446744073709551616.0);
    CHECK(decode<real>(R"({"value":0.30000000000000004})")->value == 0.30000000000000004);
    CHECK(decode<real>(R"({"value":12345678901234567890123456789e-10})")->value ==
          12345678901234567890123456789e-10);
  }

  TEST_CASE("what follows the JSON is refused") {
    CHECK(mistake_in(R"({"name":"a","size_bytes":1} x)").starts_with("not JSON: "));
  }

  TEST_CASE("an empty optional is null and an empty vector an empty array") {
    const auto json = encode(sample{});
    CHECK(json.find(R"("maybe":null)") != std::string::npos);
    CHECK(json.find(R"("parts":[])") != std::string::npos);
    const auto after = decode<sample>(json);
    REQUIRE(after);
    CHECK_FALSE(after->maybe.has_value());
  }

  TEST_CASE("what is infinite or no number comes back as no number") {
    const double infinity = std::numeric_limits<double>::infinity();
    for (const double value : {infinity, -infinity, std::nan("")}) {
      const auto after = decode<real>(encode(real{value}));
      REQUIRE(after);
      CHECK(std::isnan(after->value));
    }
  }

  TEST_CASE("a member too few is named") {
    CHECK(mistake_in(R"({"name":"a"})") == "size_bytes: missing");
  }

  TEST_CASE("a member too many is refused") {
    CHECK(mistake_in(R"({"name":"a","size_bytes":1,"extra":0})").find("not known") !=
          std::string::npos);
  }

  TEST_CASE("a member of another type is named with what was wanted and found") {
    CHECK(mistake_in(R"({"name":7,"size_bytes":1})") == "name: wanted a string, found int64");
    CHECK(mistake_in(R"({"name":"a","size_bytes":1.5})") ==
          "size_bytes: wanted an integer in range, found double");
  }

  TEST_CASE("a mistake inside a vector names the way to it") {
    auto bent = encode(sample{.parts = {{"a", 1}}});
    const auto at = bent.find(R"("size_bytes":1)");
    REQUIRE(at != std::string::npos);
    bent.replace(at, 14, R"("size_bytes":true)");
    const auto read = decode<sample>(bent);
    REQUIRE_FALSE(read.has_value());
    CHECK(read.error() == "parts[].size_bytes: wanted an integer in range, found bool");
  }

  TEST_CASE("a number that does not fit its member is refused") {
    CHECK(decode<counter>(R"({"value":255})").has_value());
    CHECK_FALSE(decode<counter>(R"({"value":256})").has_value());
    CHECK_FALSE(decode<counter>(R"({"value":-1})").has_value());
  }

  TEST_CASE("text that is no JSON and JSON that is no object are refused") {
    CHECK(mistake_in("{").starts_with("not JSON: "));
    CHECK(mistake_in("[]").find("wanted an object") != std::string::npos);
  }
}
