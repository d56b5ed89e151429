// SPDX-License-Identifier: Apache-2.0
// Goal: the SQL looks things up in files by name, whatever their format; a file that is not as
// declared is found before the first report, and no other file is reached by it.
#include "transform/lookup.hpp"

#include <string>

#include <doctest/doctest.h>
#include <fmt/format.h>

#include "fixture.hpp"

using namespace wherry::app;
using namespace wherry::app::testing;
using kind = transform_error::kind;

namespace {

constexpr std::string_view report = "day,name,amount\n2001-03-12,a,1\n2001-03-12,c,2\n";

setup joining(std::vector<lookup_table> tables) {
  return {.sql = "select name, team from report left join teams using (name) order by name",
          .tables = std::move(tables)};
}

lookup_table teams(std::string file, std::vector<column> columns = {}) {
  return {.name = "teams", .file = std::move(file), .columns = std::move(columns)};
}

}  // namespace

TEST_SUITE("lookup.hpp") {
  TEST_CASE("CSV, TSV, JSON lines and Parquet are tables by their names") {
    const scratch place;
    const std::vector<std::string> files{
        place.write("teams.csv", "name,team\na,\"red, dark\"\nb,blue\n"),
        place.write("teams.tsv", "name\tteam\na\tred, dark\nb\tblue\n"),
        place.write("teams.jsonl", R"({"name":"a","team":"red, dark"}
{"name":"b","team":"blue"}
)")};
    for (const auto& file : files) {
      CAPTURE(file);
      CHECK(joining({teams(file)}).converts(report) == "name,team\na,\"red, dark\"\nc,\n");
    }
    const setup packed{.source = {{"name", "varchar"}, {"team", "varchar"}},
                       .format = file_format::parquet,
                       .directory = place.path};
    const auto parquet = place.file("teams.parquet");
    REQUIRE(packed.opened()->run(content(files[0]), parquet));
    CHECK(joining({teams(parquet)}).converts(report) == "name,team\na,\"red, dark\"\nc,\n");
  }
  TEST_CASE("declared columns have their types, and the file may have more") {
    const scratch place;
    const auto file = place.write("teams.csv", "more,team,name\nx,01,a\n");
    auto typed = joining({teams(file, {{"name", "varchar"}, {"team", "decimal(4,1)"}})});
    CHECK(typed.converts(report) == "name,team\na,1.0\nc,\n");
    CHECK(joining({teams(file, {{"name", "varchar"}, {"team", "varchar"}})}).converts(report) ==
          "name,team\na,01\nc,\n");
    typed.sql = "select more from teams";
    check(typed.refusal(), kind::sql, {"[transform] sql", "\"more\""});
  }
  TEST_CASE("a file that drifted is named with the difference, before the first report") {
    const scratch place;
    const auto file = place.write("teams.csv", "name,squad\na,red\n");
    check(joining({teams(file, {{"name", "varchar"}, {"team", "varchar"}})}).refusal(),
          kind::columns,
          {"[transform.tables.teams]", file, "has no \"team\"", "it has \"name\", \"squad\""});
    check(joining({teams(file)}).refusal(), kind::sql, {"[transform] sql", "\"team\""});
    const auto wrong = place.write("wrong.csv", "name,team\na,1\nb,none\n");
    check(joining({teams(wrong, {{"name", "varchar"}, {"team", "bigint"}})}).refusal(),
          kind::columns, {"column \"team\": 'none' is not a bigint", "Correct the file"});
  }
  TEST_CASE("a file that is not there, or is none, is named") {
    const scratch place;
    check(joining({teams(place.file("none.csv"))}).refusal(), kind::io, {"none.csv"});
    const auto junk = place.write("junk.parquet", "this is no Parquet");
    const auto error = joining({teams(junk)}).refusal();
    CAPTURE(error.message);
    CHECK(has(error.message, "[transform.tables.teams]"));
  }
  TEST_CASE("a table larger than DuckDB's memory is an error that says so") {
    const scratch place;
    std::string rows = "name,team\n";
    for (int i = 0; i < 1'000'000; ++i) rows += fmt::format("name of {0} and more of {0},{0}\n", i);
    setup small = joining({teams(place.write("teams.csv", rows))});
    small.memory_limit = "40MB";
    check(small.refusal(), kind::io, {"[transform.tables.teams]", "memory"});
  }
  TEST_CASE("a changed file is seen by the next start, not by this one") {
    const scratch place;
    const auto file = place.write("teams.csv", "name,team\na,red\n");
    const auto how = joining({teams(file)});
    const auto opened = how.opened();
    place.write("teams.csv", "name,team\na,green\n");
    REQUIRE(opened->run(report, place.file("out")));
    CHECK(content(place.file("out")) == "name,team\na,red\nc,\n");
    CHECK(how.converts(report) == "name,team\na,green\nc,\n");
  }
  TEST_CASE("a table opens no way to other files, and cannot be changed") {
    const scratch place;
    const auto file = place.write("teams.csv", "name,team\na,red\n");
    for (const auto* sql : {"select * from read_csv('{}')", "select * from '{}'",
                            "insert into teams values ('x', 'y')", "drop table teams"}) {
      CAPTURE(sql);
      auto other = joining({teams(file)});
      other.sql = fmt::format(fmt::runtime(sql), file);
      CHECK_FALSE(other.open());
    }
  }
}
