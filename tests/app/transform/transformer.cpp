// SPDX-License-Identifier: Apache-2.0
// Goal: a report becomes the file that the spec describes, always with the same bytes. Method:
// small literal reports, compared byte by byte; Parquet is read back by another DuckDB.
#include "transform/transformer.hpp"

#include <sys/stat.h>
#include <latch>
#include <thread>

#include <doctest/doctest.h>
#include <duckdb.h>
#include <fmt/format.h>

#include "fixture.hpp"

using namespace wherry::app;
using namespace wherry::app::testing;

namespace {

constexpr auto report =
    "day,name,amount\n"
    "2001-03-12,\"Brand, broad\",5\n"
    "2001-03-13,\"say \"\"hi\"\" to everyone there\",-7\n"
    "2001-03-14,,\n";

// Asks a DuckDB of its own, that shares nothing with the transformer.
std::string asked(const std::string& sql) {
  duckdb_database database = nullptr;
  duckdb_connection connection = nullptr;
  duckdb_result result;
  REQUIRE(duckdb_open(nullptr, &database) == DuckDBSuccess);
  REQUIRE(duckdb_connect(database, &connection) == DuckDBSuccess);
  std::string text;
  if (duckdb_query(connection, sql.c_str(), &result) == DuckDBSuccess) {
    char* value = duckdb_value_varchar(&result, 0, 0);
    text = value == nullptr ? "NULL" : value;
    duckdb_free(value);
  } else {
    text = duckdb_result_error(&result);
  }
  duckdb_destroy_result(&result);
  duckdb_disconnect(&connection);
  duckdb_close(&database);
  return text;
}

std::string many_rows(int count) {
  std::string text = "day,name,amount\n";
  for (int i = 0; i < count; ++i)
    text += fmt::format("2001-03-12,a name of some length {},{}\n", i, i);
  return text;
}

}  // namespace

TEST_SUITE("transformer.hpp") {
  TEST_CASE("without SQL the report comes out as it went in") {
    CHECK(setup{}.converts(report) == report);
  }

  TEST_CASE("SQL computes new columns and sorts") {
    CHECK(setup{.sql = "select name, amount * 2 as twice from report where amount is not null "
                       "order by amount;"}
              .converts(report) ==
          "name,twice\n\"say \"\"hi\"\" to everyone there\",-14\n\"Brand, broad\",10\n");
  }

  TEST_CASE("the order of the columns in the file is free") {
    CHECK(setup{}.converts("amount,day,name\n5,2001-03-12,x\n") ==
          "day,name,amount\n2001-03-12,x,5\n");
  }

  TEST_CASE("a header alone is a report of no rows") {
    CHECK(setup{}.converts("day,name,amount\r\n") == "day,name,amount\n");
  }

  TEST_CASE("a blank line is a NULL where there is one column") {
    CHECK(setup{.source = {{"name", "varchar"}}}.converts("name\na\n\nb\n") == "name\na\n\nb\n");
  }

  TEST_CASE("blank lines are skipped where there are several columns") {
    CHECK(setup{}.converts("day,name,amount\n\n2001-03-12,x,5\n\n") ==
          "day,name,amount\n2001-03-12,x,5\n");
  }

  TEST_CASE("NULL and the empty string stay different") {
    CHECK(setup{}.converts("day,name,amount\n2001-03-12,\"\",\n,,\"\"\n") ==
          "day,name,amount\n2001-03-12,\"\",\n,,\n");
  }

  TEST_CASE("every declared type is read and written") {
    const setup all{.source = {{"b", "boolean"},
                               {"i", "integer"},
                               {"s", "smallint"},
                               {"d", "double"},
                               {"m", "decimal(18,6)"},
                               {"w", "decimal(38,10)"},
                               {"t", "timestamp"},
                               {"f", "float"},
                               {"u", "uuid"},
                               {"c", "time"}}};
    CHECK(all.converts("b,i,s,d,m,w,t,f,u,c\n"
                       "TRUE,-5,7,0.1,1.5,-2.25,2001-03-12 "
                       "10:11:12.5,0.5,00112233-4455-6677-8899-aabbccddeeff,10:00:00\n"
                       ",,,,,,,,,\n") ==
          "b,i,s,d,m,w,t,f,u,c\n"
          "true,-5,7,0.1,1.500000,-2.2500000000,2001-03-12 "
          "10:11:12.5,0.5,00112233-4455-6677-8899-aabbccddeeff,10:00:00\n"
          ",,,,,,,,,\n");
  }

  TEST_CASE("types that CSV has no form for are written as DuckDB prints them") {
    CHECK(setup{.sql = "select [amount, 1] as l, {'a': amount} as s, interval 1 day as i from "
                       "report limit 1"}
              .converts(report) == "l,s,i\n\"[5, 1]\",{'a': 5},1 day\n");
  }

  TEST_CASE("a declared type decides what comes out") {
    CHECK(setup{.sql = "select amount, amount / 4 as quarter from report limit 1",
                .result = {{"amount", "varchar"}, {"quarter", "decimal(9,3)"}}}
              .converts(report) == "amount,quarter\n5,1.250\n");
  }

  TEST_CASE("wide decimals are rounded half away from zero as DuckDB rounds them") {
    const setup rounding{.source = {{"a", "decimal(38,10)"}},
                         .sql = "select a, a::decimal(18,6)::varchar as b from report",
                         .result = {{"a", "decimal(18,6)"}, {"b", "varchar"}}};
    CHECK(rounding.converts("a\n1.0000005\n-1.0000005\n1.0000004999\n\n123456789012.5\n") ==
          "a,b\n1.000001,1.000001\n-1.000001,-1.000001\n1.000000,1.000000\n,\n123456789012.500000,"
          "123456789012.500000\n");
    CHECK(asked("select (1.0000005::decimal(38,10))::decimal(18,6)") == "1.000001");
  }

  TEST_CASE("money is converted exactly") {
    const setup money{
        .source = {{"day", "date"}, {"currency", "varchar"}, {"amount", "decimal(18,2)"}},
        .sql =
            "select convert_currency(amount, currency, 'USD', day) as usd,"
            " convert_currency(amount::double, currency, 'USD', day) as from_double,"
            " convert_currency(amount::bigint, 'EUR', 'EUR', day) as same from report",
        .rates = ecb};
    // 2002-12-31: USD 1.0487, JPY 124.39 for a euro. 100 / 124.39 * 1.0487 = 0.84307420210627...
    CHECK(money.converts("day,currency,amount\n2002-12-31,EUR,100.00\n2002-12-31,JPY,100.00\n2002-"
                         "12-31,USD,0.10\n,EUR,1\n") ==
          "usd,from_double,same\n"
          "104.8700000000,104.8700000000,100.0000000000\n"
          "0.8430742021,0.8430742021,100.0000000000\n"
          "0.1000000000,0.1000000000,0.0000000000\n"
          ",,\n");
  }

  TEST_CASE("units are converted with literals and with columns") {
    const setup distance{
        .source = {{"v", "double"}, {"u", "varchar"}},
        .sql =
            "select convert_unit(v, 'mile', 'km') as a, convert_unit(v, u, 'm') as b from report"};
    CHECK(distance.converts("v,u\n1,km\n10,ft\n,km\n1,\n") ==
          "a,b\n1.609344,1000\n16.09344,3.048\n,\n1.609344,\n");
  }

  TEST_CASE("JSON lines keep every digit of money, and tell NULL from no text") {
    const setup lines{.source = {{"name", "varchar"},
                                 {"cost", "varchar"},
                                 {"moment", "timestamp"},
                                 {"x", "double"}},
                      .sql = R"(select name as "the ""name""", cast(cost as decimal(38, 9)) as cost,
                         cast(moment as date) as day, moment, x, x > 1 as large, uuid, n from (
                  select *, cast(null as bigint) as n,
                         cast('4ac7a9e9-607c-4c8a-84f3-843f0191e3fd' as uuid) as uuid
                  from report) as wide)",
                      .result = {{"the \"name\"", "varchar"},
                                 {"cost", "decimal(38,9)"},
                                 {"day", "date"},
                                 {"moment", "timestamp"},
                                 {"x", "double"},
                                 {"large", "boolean"},
                                 {"uuid", "uuid"},
                                 {"n", "bigint"}},
                      .format = file_format::json_lines};
    const std::string uuid = R"("uuid":"4ac7a9e9-607c-4c8a-84f3-843f0191e3fd","n":null})"
                             "\n";
    CHECK(lines.converts("name,cost,moment,x\n"
                         "\"Zürich \"\"1\"\"\\ \n\t\x01\",12345678901234567890123456789.123456789,"
                         "2025-01-31 01:02:03.5,2.5\n"
                         "\"\",-0.10,2025-01-31 00:00:00,inf\n") ==
          R"({"the \"name\"":"Zürich \"1\"\\ \n\t\u0001",)"
          R"("cost":12345678901234567890123456789.123456789,"day":"2025-01-31",)"
          R"("moment":"2025-01-31 01:02:03.5","x":2.5,"large":true,)" +
              uuid + R"({"the \"name\"":"","cost":-0.100000000,"day":"2025-01-31",)" +
              R"("moment":"2025-01-31 00:00:00","x":"inf","large":true,)" + uuid);
    CHECK(lines.converts("name,cost,moment,x\n").empty());
  }

  TEST_CASE("the same report gives the same bytes in every format") {
    const scratch place;
    const auto input = place.write("report.csv", many_rows(5000));
    for (const auto& [format, codec] : {std::pair{file_format::csv, compression::gzip},
                                        {file_format::csv, compression::zstd},
                                        {file_format::json_lines, compression::gzip},
                                        {file_format::json_lines, compression::zstd},
                                        {file_format::parquet, compression::none}}) {
      std::string first;
      for (int opening = 0; opening < 2; ++opening) {
        const auto one =
            setup{.format = format, .compression = codec, .directory = place.path}.opened();
        for (int time = 0; time < 2; ++time) {
          const auto done = one->run({"acme", "2001-03-12", input, place.file("out")});
          REQUIRE(done);
          CHECK(done->rows_in == 5000);
          CHECK(done->rows_out == 5000);
          CHECK(done->size_bytes == std::filesystem::file_size(place.file("out")));
          if (first.empty()) first = content(place.file("out"));
          CHECK(content(place.file("out")) == first);
        }
      }
    }
  }

  TEST_CASE("the output is for its owner alone and no other file remains") {
    for (const auto format : {file_format::csv, file_format::parquet}) {
      const scratch place;
      const auto done =
          setup{.format = format, .directory = place.path}.opened()->run(report, place.file("out"));
      REQUIRE(done);
      struct stat about{};
      REQUIRE(::stat(place.file("out").c_str(), &about) == 0);
      CHECK((about.st_mode & 0777) == 0600);
      CHECK(place.entries() == 1);
    }
  }

  TEST_CASE("an output that exists is replaced and a link is not followed") {
    const scratch place;
    const auto target = place.write("target", "precious");
    std::filesystem::create_symlink(target, place.file("out"));
    REQUIRE(setup{}.opened()->run(report, place.file("out")));
    CHECK(content(target) == "precious");
    CHECK(content(place.file("out")) == report);
  }

  TEST_CASE("Parquet has the declared types and the same rows") {
    const scratch place;
    const setup parquet{
        .sql = "select day, name, amount * 1.5 as money from report",
        .result = {{"day", "date"}, {"name", "varchar"}, {"money", "decimal(18,6)"}},
        .format = file_format::parquet,
        .directory = place.path};
    REQUIRE(parquet.opened()->run(report, place.file("out.parquet")));
    const auto from = fmt::format(" from '{}'", place.file("out.parquet"));
    CHECK(
        asked("select string_agg(column_name || ' ' || column_type, ', ') from (describe select *" +
              from + ")") == "day DATE, name VARCHAR, money DECIMAL(18,6)");
    CHECK(asked("select cast(list((day, name, money)) as varchar)" + from) ==
          "[(2001-03-12, 'Brand, broad', 7.500000), (2001-03-13, 'say \"hi\" to everyone there', "
          "-10.500000), "
          "(2001-03-14, NULL, NULL)]");
    CHECK(asked(fmt::format("select distinct compression from parquet_metadata('{}')",
                            place.file("out.parquet"))) == "ZSTD");
  }

  TEST_CASE("a gzip file of several blocks reads as one") {
    const scratch place;
    constexpr int rows = 200'000;  // 8 MB of CSV
    const auto done = setup{.compression = compression::gzip}.opened()->run(
        many_rows(rows), place.file("out.csv.gz"));
    REQUIRE(done);
    CHECK(done->rows_out == rows);
    CHECK(asked(fmt::format("select count(*) || ' ' || sum(amount) from read_csv('{}')",
                            place.file("out.csv.gz"))) == "200000 19999900000");
  }

  TEST_CASE("rows that the SQL does not read are counted all the same") {
    const scratch place;
    for (const auto* sql : {"select name from report limit 1",
                            "select name from report where false", "select 1 as one"}) {
      const auto done = setup{.sql = sql}.opened()->run(many_rows(5000), place.file("out"));
      REQUIRE(done);
      CHECK(done->rows_in == 5000);
    }
  }

  TEST_CASE("SQL may read the report twice") {
    CHECK(setup{.sql = "select a.amount + b.amount as s from report a join report b on a.day = "
                       "b.day where a.amount > 0"}
              .converts(report) == "s\n10\n");
  }

  TEST_CASE("more callers than connections all get their own result") {
    const scratch place;
    const auto shared = setup{.sql = "select name, amount from report order by amount desc",
                              .threads = 2,
                              .compression = compression::gzip}
                            .opened();
    std::atomic<int> wrong = 0;
    {
      std::vector<std::jthread> callers;
      for (int t = 0; t < 6; ++t) {
        callers.emplace_back([&, t] {
          const auto output = place.file(fmt::format("out-{}", t));
          for (int i = 0; i < 50; ++i) {
            const auto input = fmt::format(
                "day,name,amount\n2001-03-12,caller number {},{}\n2001-03-12,x,-1\n", t, i);
            const auto done = shared->run(input, output);
            if (!done || unzipped(content(output)) !=
                             fmt::format("name,amount\ncaller number {},{}\nx,-1\n", t, i))
              ++wrong;
          }
        });
      }
    }
    CHECK(wrong == 0);
  }

  TEST_CASE("undeclared columns are guessed for each report") {
    const scratch place;
    const auto guess =
        setup{
            .source = {}, .sql = "select sum(amount) as total from report", .directory = place.path}
            .opened();
    const auto done =
        guess->run({"acme", "2001-03-12", place.write("in.csv", report), place.file("out")});
    REQUIRE_MESSAGE(done, (done ? "" : done.error().message));
    CHECK(done->rows_in == 3);
    CHECK(content(place.file("out")) == "total\n-2\n");
    REQUIRE(guess->run(
        {"acme", "2001-03-13", place.write("in.csv", "amount,other\n1.5,x\n"), place.file("out")}));
    CHECK(content(place.file("out")) == "total\n1.5\n");
  }

  TEST_CASE("blank lines mean to us what they mean to DuckDB") {
    for (const std::string text : {"n\n1\n\n2\n", "n\n\n\n1\n", "n,m\n1,2\n\n3,4\n"}) {
      const scratch place;
      setup guessed{.source = {}};
      guessed.directory = place.path;
      const auto done =
          guessed.opened()->run({"c", "2001-03-12", place.write("in", text), place.file("out")});
      REQUIRE(done);
      setup declared{.source = {{"n", "bigint"}}};
      if (text.starts_with("n,m")) declared.source.push_back({"m", "bigint"});
      CHECK(declared.converts(text) == content(place.file("out")));
    }
  }
  TEST_CASE("reports of undeclared columns are guessed on many threads at once") {
    const scratch place;
    for (const int threads : {8, 32}) {
      setup many{.source = {}, .sql = "select * from report order by n", .threads = threads};
      many.directory = place.path;
      many.memory_limit = "";
      const auto one = many.opened();
      std::string text = "n,name\n";
      for (int i = 0; i < 1'000; ++i) text += std::to_string(i) + ",some name\n";
      const auto input = place.write("in", text);
      std::latch all_here{threads};
      std::vector<std::jthread> callers;
      for (int i = 0; i < threads; ++i) {
        callers.emplace_back([&, i] {
          all_here.arrive_and_wait();
          for (int turn = 0; turn < 5; ++turn) {
            const auto out = place.file("out" + std::to_string(i));
            const auto done = one->run({"c", "2001-03-12", input, out});
            CHECK_MESSAGE(done, (done ? "" : done.error().message));
          }
        });
      }
    }
  }
  TEST_CASE("a preview shows rows before and after and writes nothing") {
    const scratch place;
    const setup how{.sql = "select name, amount * 2 as twice from report",
                    .result = {{"name", "varchar"}, {"twice", "bigint"}}};
    const auto shown = how.opened()->preview({"c", "2001-03-12", place.write("in.csv", report)}, 2);
    REQUIRE(shown);
    CHECK(drawn(shown->after) ==
          "name                        twice\n"
          "VARCHAR                     BIGINT\n"
          "Brand, broad                10\n"
          "say \"hi\" to everyone there  -14\n");
    CHECK(shown->before.rows.size() == 2);
    CHECK(shown->before.columns[0].type == "DATE");
    CHECK(place.entries() == 1);
  }

  TEST_CASE("the result columns are known before the first report") {
    const auto columns =
        setup{.sql = "select day, amount / 2 as half from report"}.opened()->result_columns();
    REQUIRE(columns.size() == 2);
    CHECK(columns[1].name == "half");
    CHECK(columns[1].type == "DOUBLE");
  }
}
