// SPDX-License-Identifier: Apache-2.0
// Goal: names that go to the store and back, and the limits that every store refuses beyond.

#include <doctest/doctest.h>
#include "wherry/engine/codec.hpp"

#include "wherry/engine/machine.hpp"

namespace {

using namespace wherry;

submission good() { return {.id = "a", .state = "first", .data = "{}", .lane = "lane"}; }

}  // namespace

TEST_SUITE("engine/machine") {
  TEST_CASE("phases and outcomes have names that lead back to them") {
    for (const auto each :
         {phase::waiting, phase::ready, phase::completed, phase::dead, phase::cancelled}) {
      CHECK(phase_from(to_string(each)) == each);
    }
    for (const auto each : {outcome_kind::advanced, outcome_kind::went_back, outcome_kind::retried,
                            outcome_kind::throttled, outcome_kind::postponed, outcome_kind::died,
                            outcome_kind::redriven, outcome_kind::cancelled}) {
      CHECK(outcome_kind_from(to_string(each)) == each);
    }
    CHECK_FALSE(phase_from("running").has_value());
  }

  TEST_CASE(
      "a state that lies too deep to be read again is refused and one that does not is read") {
    const auto nested = [](std::size_t depth) {
      return std::string(depth, '[') + R"("a } and a \" in a text")" + std::string(depth, ']');
    };
    const auto with = [](std::string data) {
      return submission{.id = "a", .state = "first", .data = std::move(data), .lane = "lane"};
    };
    const auto fits = nested(data_depth_limit), too_deep = nested(data_depth_limit + 1);
    CHECK(refusal(with(fits)).empty());
    CHECK(detail::parse_json(fits).has_value());
    CHECK(
        refusal(with(too_deep)).starts_with("machine a: its state lies more than 200 levels deep"));
    CHECK_FALSE(detail::parse_json(too_deep).has_value());
  }

  TEST_CASE("counts add up by phase and those not finished are waiting or ready") {
    machine_counts counts;
    counts.by[{phase::waiting, "first"}] = 1;
    counts.by[{phase::ready, "first"}] = 2;
    counts.by[{phase::ready, "second"}] = 4;
    counts.by[{phase::dead, "first"}] = 8;
    CHECK(counts.in(phase::ready) == 6);
    CHECK(counts.unfinished() == 7);
    CHECK(counts.all() == 15);
  }

  TEST_CASE("a submission beyond a limit is refused with the machine and the remedy") {
    CHECK(refusal(good()).empty());
    auto unnamed = good();
    unnamed.id = "";
    CHECK(refusal(unnamed).find("empty id") != std::string::npos);
    auto early = good();
    early.generation = 0;
    CHECK(refusal(early).find("machine a: generation 0") != std::string::npos);
    auto urgent = good();
    urgent.priority = priority_limit + 1;
    CHECK(refusal(urgent).find("machine a: priority 1000001") != std::string::npos);
    auto bulky = good();
    bulky.data = std::string(data_size_limit + 1, 'x');
    CHECK(refusal(bulky).find("put the bulk into a file") != std::string::npos);
  }

  TEST_CASE("a state that is not UTF-8 is refused since it could never be read again") {
    auto text = good();
    text.data = "{\"name\":\"caf\xC3\xA9 \xE2\x82\xAC \xF0\x9F\x9A\xA3\"}";
    CHECK(refusal(text).empty());
    for (const auto* const wrong : {"\xE9", "\xC3", "\xC3(", "\xE2\x82", "\xF8\x88\x80\x80\x80",
                                    "\xC0\xAF", "\xED\xA0\x80", "\xF4\x90\x80\x80", "\x80"}) {
      text.data = std::string("{\"name\":\"") + wrong + "\"}";
      CHECK(refusal(text).find("UTF-8") != std::string::npos);
    }
  }

  TEST_CASE("a long error is cut between two characters") {
    CHECK(cut_error("short") == "short");
    const std::string ascii(error_size_limit + 1, 'x');
    CHECK(cut_error(ascii).size() == error_size_limit);
    for (std::size_t lead = 0; lead < 4; ++lead) {
      std::string text(lead, 'x');
      while (text.size() <= error_size_limit) text += "\xF0\x9F\x9A\xA3";
      const auto cut = cut_error(text);
      CHECK(cut.size() <= error_size_limit);
      CHECK(cut.size() > error_size_limit - 4);
      CHECK((cut.size() - lead) % 4 == 0);
    }
  }
}
