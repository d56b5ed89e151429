// SPDX-License-Identifier: Apache-2.0
// Goal: every mistake in a spec is found before the first download, every bad report is refused
// with the place and the remedy, and nothing is left behind (`setup::fails` looks).
#include <atomic>
#include <stop_token>
#include <thread>

#include <doctest/doctest.h>
#include <fmt/format.h>

#include "fixture.hpp"
#include "transform/lane.hpp"

using namespace wherry::app;
using namespace wherry::app::testing;
using kind = transform_error::kind;

namespace {

setup with_sql(const std::string& sql) { return {.sql = sql, .rates = ecb}; }

}  // namespace

TEST_SUITE("transformer.hpp: the spec is wrong") {
  TEST_CASE("SQL that does not parse is shown with its place") {
    check(with_sql("selct 1 from report").refusal(), kind::sql,
          {"[transform] sql, line 1, column 1: ", "syntax error"});
    const auto error = with_sql("select day\n  from report wher true").refusal();
    check(error, kind::sql, {"[transform] sql, line 2, column 20: "});
    check(with_sql("select\n  cost from report").refusal(), kind::sql, {"sql, line 2, column 3: "});
  }
  TEST_CASE("SQL that names no column of the report is refused") {
    check(with_sql("select cost from report").refusal(), kind::sql,
          {"[transform] sql", "\"cost\""});
  }
  TEST_CASE("only one select is allowed") {
    check(with_sql("select 1 as a; select 2 as b").refusal(), kind::sql, {"2 statements"});
    check(with_sql("create table t as select * from report").refusal(), kind::sql,
          {"not a select"});
    check(with_sql("select * from report where amount > $1").refusal(), kind::sql, {"parameters"});
  }
  TEST_CASE("names that differ are listed on both sides") {
    setup wrong = with_sql("select day, amount as cost from report");
    wrong.result = {{"day", "date"}, {"amount", "bigint"}};
    check(wrong.refusal(), kind::columns,
          {"\"amount\" is declared and does not come", "\"cost\" comes and is not declared"});
  }
  TEST_CASE("a different order is shown") {
    setup wrong = with_sql("select amount, day from report");
    wrong.result = {{"day", "date"}, {"amount", "bigint"}};
    check(wrong.refusal(), kind::columns,
          {"the order is (amount, day), declared is (day, amount)"});
  }
  TEST_CASE("a column that comes twice is refused") {
    check(with_sql("select day, amount as day from report").refusal(), kind::columns,
          {"\"day\" twice"});
  }
  TEST_CASE("a type that does not exist is named with its column") {
    check(setup{.source = {{"a", "moneyz"}}}.refusal(), kind::columns,
          {"[source]", "\"a\"", "'moneyz'"});
    check(setup{.result = {{"day", "datum"}, {"name", "varchar"}, {"amount", "bigint"}}}.refusal(),
          kind::columns, {"[transform]", "\"day\"", "'datum'"});
  }
  TEST_CASE("an unknown unit is named before the first report") {
    check(with_sql("select convert_unit(amount, 'milez', 'km') as x from report").refusal(),
          kind::unit, {"unknown unit 'milez'"});
    check(with_sql("select convert_unit(amount, name, 'kmm') as x from report").refusal(),
          kind::unit, {"unknown unit 'kmm'"});
  }
  TEST_CASE("units of different things are refused before the first report") {
    check(with_sql("select convert_unit(amount, 'kg', 'km') as x from report").refusal(),
          kind::unit, {"'kg'", "'km'"});
  }
  TEST_CASE("an unknown currency is named before the first report") {
    check(with_sql("select convert_currency(amount, 'EUR', 'XXX', day) as x from report").refusal(),
          kind::currency, {"unknown currency 'XXX'", "eurofxref-excerpt.csv"});
  }
  TEST_CASE("convert_currency without rates says how to get them") {
    check(setup{.sql = "select convert_currency(amount, 'EUR', 'USD', day) as x from report"}
              .refusal(),
          kind::currency, {"[transform] rates"});
  }
  TEST_CASE("an amount that is not a number or too fine is refused") {
    check(with_sql("select convert_currency(name, 'EUR', 'USD', day) as x from report").refusal(),
          kind::currency, {"not a number"});
    check(with_sql(
              "select convert_currency(amount::decimal(38,12), 'EUR', 'USD', day) as x from report")
              .refusal(),
          kind::currency, {"12 decimals"});
  }
  TEST_CASE("a missing rates file is named") {
    check(setup{.rates = "/nowhere.csv"}.refusal(), kind::currency, {"/nowhere.csv"});
  }
  TEST_CASE("SQL reaches neither files nor the network nor the configuration") {
    for (const auto* sql : {"select * from read_csv('/etc/passwd')", "select * from '/etc/passwd'",
                            "select * from read_text('/etc/hostname')",
                            "select * from read_csv('https://example.com/x.csv')"}) {
      CAPTURE(sql);
      const auto opened = with_sql(sql).open();
      CHECK_FALSE(opened);
    }
    for (const auto* sql : {"install httpfs", "load httpfs", "set threads = 4",
                            "attach '/tmp/x.db'", "copy report to '/tmp/x.csv'"}) {
      CAPTURE(sql);
      CHECK_FALSE(with_sql(sql).open());
    }
  }
  TEST_CASE("Parquet without a directory is refused") {
    check(setup{.format = file_format::parquet}.refusal(), kind::io, {"directory"});
  }
}

TEST_SUITE("transformer.hpp: the report is wrong") {
  TEST_CASE("an empty report is not a report of no rows") {
    check(setup{}.fails(""), kind::data, {"0 bytes", "header"});
  }
  TEST_CASE("missing and undeclared columns are named") {
    check(setup{}.fails("day,title,amount,clicks\n"), kind::columns,
          {"missing \"name\"", "not declared \"title\", \"clicks\"", "[source] columns"});
    check(setup{}.fails("day,day,name,amount\n"), kind::columns, {"\"day\" twice"});
  }
  TEST_CASE("a value that is not of its column is named with line and column") {
    check(setup{}.fails("day,name,amount\n2001-03-12,\"two\nlines\",5\n2001-03-12,x,5x\n"),
          kind::data, {"line 4", "\"amount\"", "'5x'", "not a bigint", "[source] columns"});
    check(setup{}.fails("day,name,amount\n12.03.2001,x,5\n"), kind::data,
          {"line 2", "\"day\"", "'12.03.2001'", "not a date"});
  }
  TEST_CASE("a long value is cut between two characters") {
    std::string umlauts;
    for (int i = 0; i < 50; ++i) umlauts += "ü";
    const auto error = setup{}.fails("day,name,amount\n2001-03-12,x,a" + umlauts + "\n");
    std::string twenty = "'a";
    for (int i = 0; i < 19; ++i) twenty += "ü";
    check(error, kind::data, {twenty + "'"});
  }
  TEST_CASE("a decimal with more digits than declared is refused and not rounded") {
    check(setup{.source = {{"m", "decimal(9,2)"}}}.fails("m\n1.255\n"), kind::data,
          {"line 2", "'1.255'", "decimal(9,2)"});
  }
  TEST_CASE("a value of a type that the view casts is named with line and column") {
    const setup times{.source = {{"it's", "timestamp"}, {"n", "varchar"}}};
    check(times.fails("it's,n\n2001-03-12 10:00:00,a\nyesterday,b\n"), kind::data,
          {"line 3", "\"it's\"", "'yesterday'", "not a timestamp"});
  }
  TEST_CASE("a wrong number of fields is named with its line") {
    check(setup{}.fails("day,name,amount\n2001-03-12,x\n"), kind::data,
          {"line 2", "2 fields where the header has 3", "cut short"});
    check(setup{}.fails("day,name,amount\n2001-03-12,x,5,6\n"), kind::data, {"line 2", "4 fields"});
  }
  TEST_CASE("an unterminated quote is named with its line") {
    check(setup{}.fails("day,name,amount\n2001-03-12,\"x,5\n"), kind::data,
          {"line 2", "never closes"});
  }
  TEST_CASE("text that is not UTF-8 is named with its line") {
    check(setup{}.fails("day,name,amount\n2001-03-12,caf\xE9,5\n"), kind::data,
          {"line 2", "UTF-8"});
  }
  TEST_CASE("a bad row is found even where the SQL does not look") {
    for (const auto* sql : {"select name from report limit 1",
                            "select name from report where false", "select 1 as one"}) {
      std::string text = "day,name,amount\n";
      for (int i = 0; i < 3000; ++i) text += "2001-03-12,x,5\n";
      check(with_sql(sql).fails(text + "2001-03-12,x,bad\n"), kind::data, {"line 3002", "'bad'"});
    }
  }
  TEST_CASE("an error far into a report leaves no file behind") {
    std::string text = "day,name,amount\n";
    for (int i = 0; i < 200'000; ++i)
      text += fmt::format("2001-03-12,a name of some length {},{}\n", i, i);
    check(setup{}.fails(text + "2001-03-12,x\n"), kind::data, {"line 200002"});
    setup packed;
    packed.compression = compression::gzip;
    check(packed.fails(text + "2001-03-12,x\n"), kind::data, {"line 200002"});
  }
  TEST_CASE("the lane is usable again after a bad report") {
    const scratch place;
    const auto one = setup{}.opened();
    CHECK_FALSE(one->run("day,name,amount\n2001-03-12,x,bad\n", place.file("out")));
    CHECK_FALSE(one->run("nonsense\n", place.file("out")));
    CHECK(one->run("day,name,amount\n2001-03-12,x,5\n", place.file("out")));
    CHECK(content(place.file("out")) == "day,name,amount\n2001-03-12,x,5\n");
  }
  TEST_CASE("a value that does not fit the declared result names its column") {
    setup narrow = with_sql("select name, amount from report");
    narrow.result = {{"name", "varchar"}, {"amount", "tinyint"}};
    check(narrow.fails("day,name,amount\n2001-03-12,x,5\n2001-03-12,x,500\n"), kind::data,
          {"\"amount\"", "500", "TINYINT"});
    setup money{.source = {{"a", "decimal(38,10)"}}, .result = {{"a", "decimal(9,2)"}}};
    check(money.fails("a\n12345678.5\n"), kind::data, {"\"a\"", "12345678.5", "DECIMAL(9,2)"});
  }
  TEST_CASE("a cast that DuckDB does not have names its column") {
    setup wrong = with_sql("select [amount] as l from report");
    wrong.result = {{"l", "date"}};
    check(wrong.fails("day,name,amount\n2001-03-12,x,5\n"), kind::data, {"\"l\"", "[5]", "DATE"});
  }
  TEST_CASE("a currency without a rate names currency and day") {
    const setup money =
        with_sql("select convert_currency(amount, name, 'USD', day) as x from report");
    check(money.fails("day,name,amount\n1998-12-31,GBP,5\n"), kind::currency,
          {"USD", "1998-12-31", "begins on 1999-01-04"});
    check(money.fails("day,name,amount\n2003-06-01,GBP,5\n"), kind::currency, {"2003-06-01"});
    check(money.fails("day,name,amount\n2001-06-01,QQQ,5\n"), kind::currency,
          {"unknown currency 'QQQ'"});
  }
  TEST_CASE("a unit in the rows that is unknown is named") {
    const setup distance = with_sql("select convert_unit(amount, name, 'km') as x from report");
    check(distance.fails("day,name,amount\n2001-03-12,mile,5\n2001-03-12,milez,5\n"), kind::unit,
          {"'milez'"});
  }
}

TEST_SUITE("transformer.hpp: the machine is in trouble") {
  TEST_CASE("a full disk is an error of its own that says so and may be tried again") {
    const auto done = setup{}.opened()->run("day,name,amount\n2001-03-12,x,5\n", "/dev/full");
    REQUIRE_FALSE(done);
    check(done.error(), kind::no_space, {"/dev/full", "No space left on device", "Free space"});
    CHECK_FALSE(done.error().permanent);
    CHECK(std::filesystem::exists("/dev/full"));
  }
  TEST_CASE("a missing input or directory is named") {
    const scratch place;
    const auto one = setup{}.opened();
    const auto no_input =
        one->run({"acme", "2001-03-12", place.file("none.csv"), place.file("out")});
    REQUIRE_FALSE(no_input);
    check(no_input.error(), kind::io, {"report of acme for 2001-03-12", "none.csv"});
    const auto no_directory = one->run("day,name,amount\n", place.file("no/where"));
    REQUIRE_FALSE(no_directory);
    check(no_directory.error(), kind::io, {"no/where"});
    CHECK(place.entries() == 0);
  }
  TEST_CASE("SQL that needs more memory than allowed says so and may be tried again") {
    setup greedy = with_sql(
        "select string_agg(name, ',') as x from (select name || i as name from report, "
        "range(3000000) t(i))");
    greedy.memory_limit = "20MB";
    const auto error =
        greedy.fails("day,name,amount\n2001-03-12,some name that is long enough,5\n");
    check(error, kind::io, {"memory"});
    CHECK_FALSE(error.permanent);
  }
  TEST_CASE("a stop request ends its own run and neither another nor the next") {
    const scratch place;
    setup endless =
        with_sql("select count(*) as n from report, range(100000000000) t(i) where i % 7 = amount");
    endless.threads = 2;
    const auto one = endless.opened();
    const std::string_view report = "day,name,amount\n2001-03-12,x,5\n";
    std::stop_source stop_first, stop_second;
    std::atomic<bool> second_ended = false;
    std::jthread second([&] {
      const auto done = one->run(report, place.file("second"), stop_second.get_token());
      second_ended = true;
      CHECK((!done && done.error().what == kind::interrupted));
    });
    std::jthread first([&] {
      const auto done = one->run(report, place.file("first"), stop_first.get_token());
      CHECK((!done && done.error().what == kind::interrupted && !done.error().permanent));
    });
    stop_first.request_stop();  // wherever in its run the first is just now
    first.join();
    CHECK_FALSE(second_ended);
    stop_second.request_stop();
    second.join();
    CHECK(place.entries() == 0);
  }
  TEST_CASE("a stop request before a run ends it and leaves the lane usable") {
    const scratch place;
    const auto one = setup{}.opened();
    std::stop_source stop;
    stop.request_stop();
    const auto done = one->run("day,name,amount\n", place.file("out"), stop.get_token());
    REQUIRE_FALSE(done);
    CHECK(done.error().what == kind::interrupted);
    CHECK(one->run("day,name,amount\n", place.file("out")));
  }
  TEST_CASE("an interruption that the scan sees first is no fault of the report") {
    const scratch place;
    auto database = open_database({});
    REQUIRE(database);
    auto connection = connect(database->get());
    REQUIRE(connection);
    report_shape shape;
    shape.columns.push_back({.name = "n", .type = "BIGINT", .read_as = DUCKDB_TYPE_BIGINT});
    report_table table(shape);
    REQUIRE(table.install(connection->get()));
    transform_lane lane(std::move(*connection), table.shape(),
                        {file_format::csv, compression::none, place.path, 1u << 20});
    table.attach(lane.connection(), lane.input());
    const auto plan = plan_result(lane.connection(), {});
    REQUIRE(plan);
    REQUIRE(lane.prepare_for(*plan));
    REQUIRE(lane.input().load({"n\n1\n"}));
    lane.interrupt();  // after the report was taken, before DuckDB starts
    const auto done =
        lane.run(*plan, {.client = "c", .day = "d", .output = place.file("out")}, false);
    REQUIRE_FALSE(done);
    CHECK(done.error().what == kind::interrupted);
    CHECK_FALSE(done.error().permanent);
    CHECK(place.entries() == 0);
  }
}
