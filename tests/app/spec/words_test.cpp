// SPDX-License-Identifier: Apache-2.0
// Goal: hints are near and quotes are harmless. Method: words at and just beyond the limits.
#include "spec/words.hpp"

#include <doctest/doctest.h>

#include <vector>

using namespace wherry::app;

TEST_SUITE("spec/words.hpp") {
  TEST_CASE("the nearest known word is meant") {
    const std::string_view known[] = {"columns", "threads", "rates", "sql"};
    CHECK(closest("colums", known) == "columns");
    CHECK(closest("thraeds", known) == "threads");
    CHECK(closest("sqk", known) == "sql");
    CHECK(closest("", known) == std::nullopt);
    CHECK(closest("xyz", known) == std::nullopt);
    CHECK(closest("clms", known) == std::nullopt);
    CHECK(closest(std::string(100'000, 'a'), known) == std::nullopt);
  }

  TEST_CASE("a swap of neighbours is one edit") {
    const std::string_view known[] = {"abc"};
    CHECK(closest("acb", known) == "abc");
    CHECK(closest("cba", known) == std::nullopt);
  }

  TEST_CASE("quotes keep control characters out and long input short") {
    CHECK(in_quotes("a\x1b[2Jb\n") == "\"a?[2Jb?\"");
    CHECK(in_quotes(std::string(100, 'x')) == "\"" + std::string(60, 'x') + "…\"");
    CHECK(in_quotes(std::string(59, 'x') + "é!") == "\"" + std::string(59, 'x') + "…\"");
  }

  TEST_CASE("far words list what is known and many are cut") {
    const std::string_view two[] = {"alpha", "beta"};
    CHECK(did_you_mean("zzzzzz", two, "known keys") == "known keys: alpha, beta");
    const std::vector<std::string_view> many(25, "alpha");
    CHECK(did_you_mean("zzzzzz", many, "known").ends_with("alpha, …"));
  }
}
