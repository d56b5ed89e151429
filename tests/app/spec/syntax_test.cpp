// SPDX-License-Identifier: Apache-2.0
// Goal: the small languages inside strings take exactly what is documented.
// Method: tables of what fits and of what just does not.
#include <doctest/doctest.h>

#include "spec/forms.hpp"

using namespace wherry::app;
using namespace wherry::app::toml_file;
using namespace std::chrono_literals;

TEST_SUITE("spec/forms.hpp") {
  TEST_CASE("durations are whole numbers with a unit") {
    CHECK(parse_duration("500ms") == 500ms);
    CHECK(parse_duration("30s") == 30s);
    CHECK(parse_duration("5m") == 5min);
    CHECK(parse_duration("8784h") == 8784h);
    CHECK(parse_duration("366d") == 8784h);
    for (const auto* text : {"", "s", "30", "30 s", "1.5s", "-1s", "0s", "8785h", "367d",
                             "99999999999999999999s", "5min", "30S", "+5s", "5m5s"}) {
      CAPTURE(text);
      CHECK_FALSE(parse_duration(text));
    }
  }

  TEST_CASE("sizes are decimal or binary by their unit") {
    CHECK(parse_size("1B") == 1u);
    CHECK(parse_size("4GB") == 4'000'000'000u);
    CHECK(parse_size("4GiB") == 4ull << 30);
    CHECK(parse_size("100kB") == 100'000u);
    for (const auto* text :
         {"", "100", "100K", "1.5GB", "0MB", "-1MB", "9999999999TB", "1gb", "1 GB"}) {
      CAPTURE(text);
      CHECK_FALSE(parse_size(text));
    }
  }

  TEST_CASE("rates are calls per second or minute or hour or day") {
    limit to;
    REQUIRE(parse_rate("600/min", to));
    CHECK(to.calls == 600);
    CHECK(to.per == 1min);
    REQUIRE(parse_rate("0.5/h", to));
    CHECK(to.calls == 0.5);
    CHECK(to.per == 1h);
    REQUIRE(parse_rate("9000/day", to));
    CHECK(to.per == 24h);
    REQUIRE(parse_rate("0.5/h", to));
    for (const auto* text : {"", "10", "10/", "/s", "10/ms", "0/s", "-1/s", "nan/s", "inf/s",
                             "1e3/s", "10/s ", "10 /s", "1000001/s", "10/m", "1.2.3/s", "0x1/s"}) {
      CAPTURE(text);
      CHECK_FALSE(parse_rate(text, to));
    }
    CHECK(to.calls == 0.5);
  }

  TEST_CASE("column types have one spelling each") {
    for (const auto* type :
         {"varchar", "boolean", "tinyint", "smallint", "integer", "bigint", "hugeint", "float",
          "double", "date", "timestamp", "timestamptz", "time", "decimal(38,38)"}) {
      CHECK(parse_column_type(type) == type);
    }
    CHECK(parse_column_type("DECIMAL ( 18, 6 )") == "decimal(18,6)");
    CHECK(parse_column_type("VarChar") == "varchar");
    for (const auto* type : {"", "decimal", "decimal()", "decimal(18)", "decimal(39,1)",
                             "decimal(0,0)", "decimal(5,6)", "decimal(5,1", "decimal(5,1)x",
                             "decimal(-5,1)", "varchar(10)", "list", "integer[]"}) {
      CAPTURE(type);
      CHECK_FALSE(parse_column_type(type));
    }
  }

  TEST_CASE("a refused column type is told its name here") {
    CHECK(column_type_remedy("string") == R"(write "varchar")");
    CHECK(column_type_remedy("VARCHAR(10)") == R"(did you mean "varchar"?)");
    CHECK(column_type_remedy("numeric(10,2)") == "write \"decimal(18,6)\"");
    CHECK(column_type_remedy("timestamp with time zone") == R"(write "timestamptz")");
    CHECK(
        column_type_remedy("decimal(99,1)").starts_with("write \"decimal(18,6)\": 1 to 38 digits"));
    CHECK(column_type_remedy("bigit") == R"(did you mean "bigint"?)");
    CHECK(column_type_remedy("struct(a int)").starts_with("types: varchar, boolean"));
  }

  TEST_CASE("names fit file names and addresses and ids") {
    CHECK(is_id("acme"));
    CHECK(is_id("7-Eleven_x.y"));
    CHECK(is_id(std::string(100, 'a')));
    for (const auto* text : {"", "a/b", "..", ".a", "-a", "a b", "é", "a\n", "a:b", "{a}"}) {
      CAPTURE(text);
      CHECK_FALSE(is_id(text));
    }
    CHECK_FALSE(is_id(std::string(101, 'a')));
  }

  TEST_CASE("currencies and time zones have a shape") {
    CHECK(is_currency("EUR"));
    for (const auto* text : {"", "eur", "EU", "EURO", "E1R"}) CHECK_FALSE(is_currency(text));
    for (const auto* text :
         {"UTC", "Europe/Berlin", "America/Argentina/Buenos_Aires", "Etc/GMT+5"}) {
      CHECK(is_timezone(text));
    }
    for (const auto* text :
         {"", "CEST", "Europe/", "/Berlin", "+02:00", "Europe/Ber lin", "../etc/passwd"}) {
      CAPTURE(text);
      CHECK_FALSE(is_timezone(text));
    }
  }
}
