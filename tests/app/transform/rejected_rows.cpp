// SPDX-License-Identifier: Apache-2.0
// Goal: rows that cannot be read are put aside up to what is allowed, each with its place, reason
// and text; the rest comes out as if they had not been there; above that the report fails and says
// why.
#include "transform/rejected_rows.hpp"

#include <string>

#include <doctest/doctest.h>
#include <fmt/format.h>

#include "fixture.hpp"

using namespace wherry::app;
using namespace wherry::app::testing;
using kind = transform_error::kind;

namespace {

constexpr quarantine up_to_half{.share = 0.5, .rows = 0};

setup allowing(quarantine allowed) { return {.bad_rows = allowed}; }

struct outcome {
  std::expected<transform_result, transform_error> done;
  std::string rows;
  std::string rejected;
  std::size_t entries;
};

outcome run(const setup& how, std::string_view report) {
  const scratch place;
  const transform_job job{.client = "c",
                          .day = "2001-03-12",
                          .input = {},
                          .output = place.file("out"),
                          .account = {},
                          .currency = {},
                          .timezone = {},
                          .rejected = place.file("rejected")};
  auto done = how.opened()->run(report, job);
  return {std::move(done), content(job.output), content(job.rejected), place.entries()};
}

}  // namespace

TEST_SUITE("rejected_rows.hpp") {
  TEST_CASE("bad rows are put aside with line, reason and text, the others come out") {
    const auto made = run(allowing(up_to_half),
                          "day,name,amount\n2001-03-12,a,1\nnever,\"b, \"\"c\"\"\",2\n"
                          "2001-03-12,\"two\nlines\",x\n2001-03-12,d\n2001-03-12,e,5\n"
                          "2001-03-12,,6\n");
    REQUIRE_MESSAGE(made.done, (made.done ? "" : made.done.error().message));
    CHECK(made.rows == "day,name,amount\n2001-03-12,a,1\n2001-03-12,e,5\n2001-03-12,,6\n");
    CHECK(
        made.rejected ==
        "line,reason,text\n"
        "3,\"column \"\"day\"\": 'never' is not a date\",\"never,\"\"b, \"\"\"\"c\"\"\"\"\"\",2\"\n"
        "4,\"column \"\"amount\"\": 'x' is not a bigint\",\"2001-03-12,\"\"two\nlines\"\",x\"\n"
        "6,2 fields where the header has 3 (is the report cut short?),\"2001-03-12,d\"\n");
    CHECK(made.done->rejected_rows == 3);
    CHECK(made.done->rows_in == 6);
    CHECK(made.done->rows_out == 3);
  }
  TEST_CASE("a report without bad rows makes no second file") {
    const auto made = run(allowing(up_to_half), "day,name,amount\n2001-03-12,a,1\n");
    REQUIRE(made.done);
    CHECK(made.done->rejected_rows == 0);
    CHECK(made.entries == 1);
  }
  TEST_CASE("values that only the view casts are put aside as well, in the order of the report") {
    setup times = allowing(up_to_half);
    times.source = {{"t", "timestamp"}, {"u", "uuid"}, {"n", "bigint"}};
    times.sql = "select n, t from report where n > 1";  // u is not read by it
    const std::string uuid = "c0a8012e-3f3b-4d0e-8f5a-000000000001";
    const auto made =
        run(times, fmt::format("n,t,u\n1,2001-03-12 10:00:00,{0}\n2,noon,{0}\nx,,{0}\n"
                               "4,2001-03-12 11:00:00,nobody\n5,,\n6,,\n",
                               uuid));
    REQUIRE_MESSAGE(made.done, (made.done ? "" : made.done.error().message));
    CHECK(made.rows == "n,t\n5,\n6,\n");
    CHECK(
        made.rejected ==
        fmt::format("line,reason,text\n3,\"column \"\"t\"\": 'noon' is not a timestamp\",\"2,noon,"
                    "{0}\"\n4,\"column \"\"n\"\": 'x' is not a bigint\",\"x,,{0}\"\n"
                    "5,\"column \"\"u\"\": 'nobody' is not a uuid\",\"4,2001-03-12 11:00:00,nobody"
                    "\"\n",
                    uuid));
  }
  TEST_CASE("of JSON the row is told by its number, and shown as the columns that were read") {
    setup json = allowing(up_to_half);
    json.from.type = report_format::kind::jsonl;
    json.source = {{"n", "bigint"}, {"t", "varchar"}};
    const auto made = run(json, "{\"n\":1,\"t\":\"a\\nb\"}\n{\"t\":\"c\",\"n\":\"x\"}\n");
    REQUIRE(made.done);
    CHECK(made.rows == "n,t\n1,\"a\nb\"\n");
    CHECK(made.rejected ==
          "row,reason,text\n2,\"column \"\"n\"\": 'x' is not a bigint\",\"x,c\"\n");
  }
  TEST_CASE("more than is allowed fails the report, names the first and leaves no file") {
    const std::string rows =
        "day,name,amount\n2001-03-12,a,1\nno,b,2\n2001-03-12,c,x\n2001-03-12,d,4\n";
    CHECK(run(allowing({.share = 0.5, .rows = 0}), rows).done);
    CHECK(run(allowing({.share = 0, .rows = 2}), rows).done);
    const auto share = run(allowing({.share = 0.49, .rows = 0}), rows);
    REQUIRE_FALSE(share.done);
    check(share.done.error(), kind::data,
          {"2 of 4 rows cannot be read", "bad_rows in [transform] allows 49%",
           "line 3, column \"day\": 'no' is not a date; line 4, column \"amount\"", "quarantine"});
    CHECK(share.entries == 0);
    const auto number = run(allowing({.share = 0, .rows = 1}), rows);
    REQUIRE_FALSE(number.done);
    check(number.done.error(), kind::data, {"allows 1: line 3"});
    CHECK(number.entries == 0);
  }
  TEST_CASE("what is malformed beyond a row fails the report all the same") {
    const auto made =
        run(allowing(up_to_half), "day,name,amount\n2001-03-12,a,1\nx,b,2\n2001-03-12,\"open,3\n");
    REQUIRE_FALSE(made.done);
    check(made.done.error(), kind::data, {"line 4", "never closes"});
    CHECK(made.entries == 0);
  }
  TEST_CASE("a result that does not fit fails the report, and leaves nothing put aside") {
    setup narrow = allowing(up_to_half);
    narrow.result = {{"day", "date"}, {"name", "varchar"}, {"amount", "tinyint"}};
    const auto made = run(narrow, "day,name,amount\nno,a,1\n2001-03-12,b,1000\n2001-03-12,c,1\n");
    REQUIRE_FALSE(made.done);
    check(made.done.error(), kind::data, {"column \"amount\": '1000'"});
    CHECK(made.entries == 0);
  }
  TEST_CASE("one report's bad rows are not the next one's") {
    const setup how = allowing(up_to_half);
    const auto one = how.opened();
    const scratch place;
    REQUIRE(one->run("day,name,amount\nx,a,1\n2001-03-12,b,2\n", place.file("out")));
    REQUIRE(one->run("day,name,amount\n2001-03-12,c,3\n2001-03-12,d,4\n", place.file("out")));
    CHECK(content(place.file("out")) == "day,name,amount\n2001-03-12,c,3\n2001-03-12,d,4\n");
  }
  TEST_CASE("the rows that come out are the same whichever of two chunks the bad ones are in") {
    std::string rows = "day,name,amount\n", expected = rows;
    for (int i = 0; i < 10'000; ++i) {
      const bool bad = i % 7 == 3 || i == 2047 || i == 2048;
      const auto row = fmt::format("2001-03-12,{},{}\n", i % 3 == 0 ? "" : "n", i);
      rows += bad ? fmt::format("2001-03-12,,{}x\n", i) : row;
      if (!bad) expected += row;
    }
    const auto made = run(allowing(up_to_half), rows);
    REQUIRE(made.done);
    CHECK(made.rows == expected);
  }
  TEST_CASE("a full disk is no fault of the report") {
    transform_job job{.client = "c", .day = "2001-03-12"};
    const scratch place;
    job.output = place.file("out");
    job.rejected = "/dev/full";
    const auto done =
        allowing(up_to_half).opened()->run("day,name,amount\nx,a,1\n2001-03-12,b,2\n", job);
    REQUIRE_FALSE(done);
    CHECK(done.error().what == kind::no_space);
    CHECK(place.entries() == 0);
  }
}
