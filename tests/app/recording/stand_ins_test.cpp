// SPDX-License-Identifier: Apache-2.0
// Goal: what stands for a variable is of its kind, so that the spec can be read with it.
#include "recording/stand_ins.hpp"

#include <doctest/doctest.h>

using namespace wherry::app;

namespace {

const auto any = [](const environment&) { return true; };

std::string of(const std::string& value) {
  spec with;
  with.variables["SOME_NAME"] = {value};
  return stand_ins_of(with, any)->at("SOME_NAME").text;
}

}  // namespace

TEST_SUITE("recording/stand_ins.hpp") {
  TEST_CASE("a stand-in is of its value's kind") {
    CHECK(of("https://api.example.com/v1") == "https://some-name.invalid");
    CHECK(of("postgres://me:word@host/data") ==
          "postgres://some-name:some-name@some-name.invalid/some-name");
    CHECK(of("/home/me") == "/some-name");
    CHECK(of("73829") == "10000");
    CHECK(of("a word") == "some-name");
    CHECK(of("EUR") == "EUR");
  }

  TEST_CASE("a value without which the spec cannot be read stands for itself unless it is secret") {
    spec with;
    with.variables["ZONE"] = {"Europe/Berlin"};
    const auto wants_the_zone = [](const environment& in) { return in("ZONE") == "Europe/Berlin"; };
    CHECK(stand_ins_of(with, wants_the_zone)->at("ZONE").text == "Europe/Berlin");
    with.source.auth = bearer_auth{{"Bearer Europe/Berlin"}};
    const auto refused = stand_ins_of(with, wants_the_zone);
    REQUIRE(!refused);
    CHECK(refused.error().contains("let each secret be a variable by itself"));
  }

  TEST_CASE("what the SQL says comes from the environment, and from the recording without it") {
    spec with;
    with.variables["MARGIN"] = {"12.25"};
    with.transform.variables["MARGIN"] = {"12.25"};
    const auto made = *stand_ins_of(with, any);
    const auto unset = [](const std::string&) { return std::optional<std::string>(); };
    const auto set = [](const std::string&) { return std::optional<std::string>("9"); };
    CHECK(environment_of(made, set)("MARGIN") == "9");
    CHECK(environment_of(made, unset)("MARGIN") == "margin");
    CHECK(environment_of({{"API", {"https://api.invalid"}}}, set)("API") == "https://api.invalid");
    CHECK(environment_of({}, unset)("OF_A_NEWER_SPEC") == "of-a-newer-spec");
  }
}
