// SPDX-License-Identifier: Apache-2.0
// Goal: no error holds what a ${VARIABLE} of the SQL stood for, and nothing of a report moves a
// terminal's cursor. Method: the word hunter2 and the characters of escape sequences are put where
// DuckDB or we would quote them.
#include <doctest/doctest.h>

#include "fixture.hpp"
#include "transform/shown_text.hpp"

using namespace wherry::app;
using namespace wherry::app::testing;
using kind = transform_error::kind;

namespace {

const std::string value = "hunter2 hunter3, 'hunter4'";
const std::string report = "day,name,amount\n2001-03-12,x,5\n";

setup with_secret(const std::string& before, const std::string& after) {
  std::string in_literal = value;
  for (std::size_t at = 0; (at = in_literal.find('\'', at)) != in_literal.npos; at += 2) {
    in_literal.insert(at, 1, '\'');
  }
  return {.sql = before + in_literal + after, .variables = {{"TOKEN", {in_literal}}}};
}

void check_silent(const transform_error& error) {
  CAPTURE(error.message);
  CHECK_FALSE(has(error.message, "hunter"));
  CHECK_FALSE(has(error.message, "LINE"));
}

bool is_plain(const std::string& text) { return plain_text(text) == text; }

}  // namespace

TEST_SUITE("transformer.hpp: what errors do not say") {
  TEST_CASE("SQL that is wrong beside a secret does not show it") {
    check_silent(with_secret("select '", "' as x form report").refusal());
    check_silent(with_secret("select missing, '", "' as x from report").refusal());
    check_silent(with_secret("select ", " from report").refusal());
    check_silent(with_secret("select \"", "\" from report").refusal());
    setup guessed = with_secret("select '", "' as x form report");
    guessed.source.clear();
    const scratch place;
    guessed.directory = place.path;
    check_silent(guessed.refusal());
  }
  TEST_CASE("a run that fails over a secret does not show it") {
    check_silent(with_secret("select cast('", "' as integer) as x from report").fails(report));
    check_silent(
        with_secret("select cast(name || '", "' as integer) as x from report").fails(report));
    setup narrow =
        with_secret("select '", "' || name || 'a tail that makes it long' as x from report");
    narrow.result = {{"x", "integer"}};
    const auto error = narrow.fails(report);
    check_silent(error);
    CHECK(has(error.message, "\"x\""));
    check_silent(
        with_secret("select error('no: ' || name || '", "') as x from report").fails(report));
  }
  TEST_CASE("what a variable stood for is shown by its name") {
    CHECK(error_cover({{"TABLE", {"campaigns"}}}).covered("no campaigns here") ==
          "no ${TABLE} here");
    CHECK(error_cover({{"A", {"abcdef"}}, {"B", {"abcdefgh"}}}).covered("abcdefghi") == "${B}i");
    CHECK(error_cover({{"A", {"secret word"}}}).covered(R"(near "secret" and 'wor')") ==
          R"(near "***" and '***')");
    CHECK(error_cover({{"N", {"5"}}}).covered("line 5: it's '5'") == "line 5: it's '5'");
  }
  TEST_CASE("control characters of a report do not reach a message") {
    const std::string bad =
        "\x1b]0;title\x07\x1b[31m\x7f\xc2\x9b"
        "2J";
    for (const auto& error :
         {setup{}.fails("day,name,amount\n2001-03-12,x," + bad + "\n"),
          setup{}.fails("day,name," + bad + "\n"),
          setup{.source = {{"t", "timestamp"}}}.fails("t\n\"" + bad + "\nline\"\n"),
          setup{.sql = "select cast(name as integer) as x from report"}.fails(
              "day,name,amount\n2001-03-12," + bad + ",5\n")}) {
      CAPTURE(error.message);
      CHECK(is_plain(error.message));
      CHECK(has(error.message, "?]0;title?"));
    }
  }
  TEST_CASE("a preview shows control characters as question marks") {
    const text_table table{.columns = {{"a\x1b[1m", "varchar"}},
                           .rows = {{"\x1b]8;;x\x07y\n\xc2\x9dz"}}};
    CHECK(drawn(table) == "a?[1m\nvarchar\n?]8;;x?y ?z\n");
  }
}
