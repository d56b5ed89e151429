// SPDX-License-Identifier: Apache-2.0
// Goal: conversions are right to the last digit that matters, errors name the unit, threads may
// call.
#include "transform/units.hpp"

#include <cmath>
#include <thread>
#include <vector>

#include <doctest/doctest.h>

using namespace wherry::app;

namespace {

units& shared() {
  static const auto opened = units::open();
  REQUIRE(opened);
  return **opened;
}

double convert(double value, units::pair names) {
  const auto converter = shared().between(names);
  REQUIRE_MESSAGE(converter, (converter ? "" : converter.error()));
  return (**converter)(value);
}

std::string refusal(units::pair names) {
  const auto converter = shared().between(names);
  REQUIRE_FALSE(converter);
  return converter.error();
}

bool has(const std::string& text, std::string_view part) {
  return text.find(part) != std::string::npos;
}

}  // namespace

TEST_SUITE("units.hpp") {
  TEST_CASE("a mile is exactly 1.609344 km") {
    CHECK(convert(1, {"mile", "km"}) == 1.609344);
    CHECK(convert(100, {"mile", "km"}) == 160.9344);
    CHECK(convert(0, {"mile", "km"}) == 0);
  }
  TEST_CASE("speeds and times convert") {
    CHECK(convert(1, {"knot", "km/h"}) == doctest::Approx(1.852).epsilon(1e-15));
    CHECK(convert(90, {"minute", "hour"}) == 1.5);
  }
  TEST_CASE("temperatures come without the noise of their offsets") {
    CHECK(convert(0, {"degC", "degF"}) == 32);
    CHECK(convert(100, {"degC", "degF"}) == 212);
    CHECK(convert(0, {"degC", "kelvin"}) == 273.15);
    CHECK(convert(212, {"degF", "degC"}) == doctest::Approx(100).epsilon(1e-13));
  }
  TEST_CASE("a logarithmic unit keeps its curve") {
    CHECK(convert(20, {"lg(re 1 mW)", "mW"}) == doctest::Approx(1e20));
    CHECK(convert(2, {"lg(re 1 mW)", "mW"}) == doctest::Approx(100));
  }
  TEST_CASE("the same pair is built once") {
    CHECK(*shared().between({"ft", "m"}) == *shared().between({"ft", "m"}));
  }
  TEST_CASE("an unknown unit is named") {
    CHECK(has(refusal({"furlongg", "km"}), "unknown unit 'furlongg'"));
    CHECK(has(refusal({"km", "milez"}), "unknown unit 'milez'"));
    CHECK(has(refusal({"", "km"}), "unknown unit ''"));
  }
  TEST_CASE("units of different things are refused by name") {
    const auto error = refusal({"kg", "km"});
    CHECK(has(error, "'kg'"));
    CHECK(has(error, "'km'"));
    CHECK(has(error, "different things"));
  }
  TEST_CASE("many threads build converters at once") {
    const auto opened = units::open();
    REQUIRE(opened);
    constexpr const char* lengths[] = {"m", "km", "ft", "inch", "mile", "yard", "nautical_mile",
                                       "cm"};
    std::atomic<int> wrong = 0;
    {
      std::vector<std::jthread> threads;
      for (int t = 0; t < 8; ++t) {
        threads.emplace_back([&, t] {
          for (std::size_t i = 0; i < 200; ++i) {
            const units::pair pair{lengths[(i + static_cast<std::size_t>(t)) % 8],
                                   lengths[i * 3 % 8]};
            const auto there = (*opened)->between(pair);
            const auto back = (*opened)->between({pair.to, pair.from});
            if (!there || !back || std::fabs((**back)((**there)(5.0))-5.0) > 1e-12) ++wrong;
          }
        });
      }
    }
    CHECK(wrong == 0);
  }
}
