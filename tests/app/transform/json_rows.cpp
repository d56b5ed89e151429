// SPDX-License-Identifier: Apache-2.0
// Goal: rows of JSON become the table that they say, wherever the pieces that they come in are cut;
// and what is no JSON, or not as declared, is an error with its place.
#include "transform/json_rows.hpp"

#include <string>

#include <doctest/doctest.h>
#include <fmt/format.h>

#include "fixture.hpp"

using namespace wherry::app;
using namespace wherry::app::testing;
using kind = transform_error::kind;

namespace {

setup json(std::string rows, std::vector<column> columns) {
  report_format format;
  format.type = report_format::kind::json;
  format.rows = std::move(rows);
  return {.source = std::move(columns), .from = std::move(format)};
}

setup lines(std::vector<column> columns) {
  report_format format;
  format.type = report_format::kind::jsonl;
  return {.source = std::move(columns), .from = std::move(format)};
}

const std::vector<column> name_and_clicks{{"name", "varchar"}, {"clicks", "bigint"}};

}  // namespace

TEST_SUITE("json_rows.hpp") {
  TEST_CASE("rows are found at their path, columns by their names, whatever else is there") {
    CHECK(json("data.list", name_and_clicks)
              .converts(R"({"code": 0, "data": {"page": {"list": [1]}, "list": [
                {"clicks": 5, "name": "a", "more": [1, {"clicks": 7}]},
                {"name": null, "clicks": "6"}, {"name": ""}]}, "list": [{"name": "no"}]})") ==
          "name,clicks\na,5\n,6\n\"\",\n");
  }
  TEST_CASE("the document itself may be the rows") {
    CHECK(json("", name_and_clicks).converts(R"([{"name":"a","clicks":1}])") ==
          "name,clicks\na,1\n");
    CHECK(json("", name_and_clicks).converts(" [ ] \n") == "name,clicks\n");
  }
  TEST_CASE("several documents, one after the other, are one report") {
    const auto pages = json("rows", name_and_clicks);
    CHECK(pages.converts(R"({"rows":[{"name":"a","clicks":1}],"next":"x"})"
                         "\n"
                         R"({"rows":[]}{"next":null,"rows":[{"name":"b","clicks":2}]})") ==
          "name,clicks\na,1\nb,2\n");
  }
  TEST_CASE("a star in the path stands for each item of an array, a number for one") {
    CHECK(json("*.results", name_and_clicks).converts(R"([{"results":[{"name":"a","clicks":1}]},
                            {"results":[{"name":"b","clicks":2}]}])") == "name,clicks\na,1\nb,2\n");
    CHECK(json("1.results", name_and_clicks).converts(R"([{"results":[{"name":"a","clicks":1}]},
                            {"results":[{"name":"b","clicks":2}]}])") == "name,clicks\nb,2\n");
  }
  TEST_CASE("a column is at its path: in objects, in arrays, or at a key with dots") {
    const auto nested = json("", {{"name", "varchar", "campaign.name", false},
                                  {"metrics.clicks", "bigint"},
                                  {"value", "bigint", "metricValues.1.value", false}});
    CHECK(nested.converts(
              R"([{"campaign":{"name":"a","id":7},"metrics":{"clicks":1},
                   "metricValues":[{"value":"8"},{"value":"9"}]},
                  {"campaign.name":"b","metrics":{"clicks":null}}])") ==
          "name,metrics.clicks,value\na,1,9\nb,,\n");
    CHECK(json("", {{"name", "varchar", "0", false}, {"clicks", "bigint", "1", false}})
              .converts(R"([["a",1],["b",2]])") == "name,clicks\na,1\nb,2\n");
  }
  TEST_CASE("arrays and objects in a column are its JSON text, for SQL to look into") {
    auto actions = json("", {{"actions", "varchar"}});
    CHECK(actions.converts(R"([{"actions":[{"t":"a\"b\n","v":1.50},null,true,[],{}]}])") ==
          "actions\n\"[{\"\"t\"\":\"\"a\\\"\"b\\n\"\",\"\"v\"\":1.50},null,true,[],{}]\"\n");
    actions.sql = "select json_extract_string(actions, '$[0].t') as t from report";
    CHECK(actions.converts(R"([{"actions":[{"t":"x"}]}])") == "t\nx\n");
  }
  TEST_CASE("every kind of value reaches its type, numbers with all their digits") {
    const auto typed = json("", {{"d", "decimal(38,20)"}, {"b", "boolean"}, {"t", "timestamp"}});
    CHECK(typed.converts(R"([{"d":123456789012345678.01234567890123456789,"b":true,
                              "t":"2001-03-12 10:00:00"},{"d":-1.5e-7,"b":false},
                             {"d":12E+3}])") ==
          "d,b,t\n123456789012345678.01234567890123456789,true,2001-03-12 10:00:00\n"
          "-0.00000015000000000000,false,\n12000.00000000000000000000,,\n");
  }
  TEST_CASE("an exponent is written out, unless it is beyond all sense") {
    CHECK(without_exponent("12.50") == "12.50");
    CHECK(without_exponent("1.25e1") == "12.5");
    CHECK(without_exponent("1.25e2") == "125");
    CHECK(without_exponent("-1.25E+4") == "-12500");
    CHECK(without_exponent("1e-05") == "0.00001");
    CHECK(without_exponent("0e0") == "0");
    CHECK(without_exponent("0.5e1") == "5");
    CHECK(without_exponent("1e999999999999") == "1e999999999999");
  }
  TEST_CASE("JSON lines are a row a line") {
    CHECK(lines(name_and_clicks)
              .converts("{\"name\":\"a\",\"clicks\":1}\n\n{\"clicks\":2,\"name\":\"b\"}") ==
          "name,clicks\na,1\nb,2\n");
    check(lines(name_and_clicks).fails("{\"name\":\"a\",\"clicks\":1}\n{\"name\":\"b\"\n"),
          kind::data, {"line 3, column 1 (document 2, row 2)"});
  }
  TEST_CASE("wherever the text is cut into pieces, the rows are the same") {
    report_shape shape;
    shape.format.type = report_format::kind::json;
    shape.format.rows = "r";
    shape.columns.push_back({.name = "a", .type = "VARCHAR", .read_as = DUCKDB_TYPE_VARCHAR});
    shape.columns.push_back({.name = "b", .type = "VARCHAR", .read_as = DUCKDB_TYPE_VARCHAR});
    const std::string_view text =
        R"({"r":[{"a":"\u00e4\ud83d\udea3x","b":-12.5e-1},{"b":[true,{"k":"v"}],"a":null}]} )"
        R"({"r":[]})";
    std::string whole;
    for (std::size_t cut = 0; cut <= text.size(); ++cut) {
      CAPTURE(cut);
      std::string made;
      json_rows rows(shape, [&](std::string_view piece) -> std::expected<void, transform_error> {
        made += piece;
        return {};
      });
      REQUIRE(rows.take(text.substr(0, cut)));
      REQUIRE(rows.take(text.substr(cut)));
      REQUIRE(rows.finish());
      if (cut == 0) whole = made;
      CHECK(made == whole);
    }
    CHECK(whole == "ä🚣x,-1.25\n,\"[true,{\"\"k\"\":\"\"v\"\"}]\"\n");
  }
  TEST_CASE("a value that is not of its column is named with its row") {
    check(json("", name_and_clicks).fails(R"([{"name":"two
lines","clicks":1}])"),
          kind::data, {"line 1"});  // JSON itself forbids it
    check(json("", name_and_clicks)
              .fails(R"([{"name":"two\nlines","clicks":1},{"name":"b","clicks":"x"}])"),
          kind::data, {"row 2, column \"clicks\": 'x' is not a bigint"});
    check(json("", {{"t", "timestamp"}}).fails(R"([{"t":"2001-03-12"},{"t":"yesterday"}])"),
          kind::data, {"row 2, column \"t\": 'yesterday' is not a timestamp"});
  }
  TEST_CASE("malformed JSON is told with line and column, document and row") {
    check(json("r", name_and_clicks).fails("{\"r\":[\n{\"name\":\"a\"},\n{\"name\":]}"), kind::data,
          {"line 3, column 9 (document 1, row 2)", "no JSON", "at its source"});
    check(json("r", name_and_clicks).fails("{\"r\":[{\"name\":\"a\"}"), kind::data,
          {"line 1", "row 1", "incomplete"});
    check(json("", name_and_clicks).fails("<html>no</html>"), kind::data, {"line 1, column 1"});
    check(json("", name_and_clicks).fails("[{\"name\":\"\xE9\"}]"), kind::data, {"line 1"});
    check(json("", name_and_clicks).fails(" \n"), kind::data, {"0 bytes"});
    check(json("", name_and_clicks).fails(""), kind::data, {"0 bytes"});
  }
  TEST_CASE("rows that are not where they should be are named") {
    check(json("data.list", name_and_clicks).fails(R"({"data":{"items":[]}})"), kind::data,
          {"no \"data.list\"", "rows in [source.format]", "rows_optional"});
    check(json("data", name_and_clicks).fails(R"({"data":{"items":[]}})"), kind::data,
          {"\"data\" is an object", "rows"});
    check(json("data", name_and_clicks).fails(R"({"data":5})"), kind::data, {"single value"});
    check(json("", name_and_clicks).fails(R"({"data":[]})"), kind::data,
          {"the document is an object", "rows in [source.format]"});
    check(json("", name_and_clicks).fails("[5]"), kind::data, {"row 1 is a single value"});
    check(json("", name_and_clicks).fails("5 "), kind::data, {"single value"});
    CHECK(json("data", name_and_clicks).converts(R"({"data":null})") == "name,clicks\n");
    auto optional = json("data", name_and_clicks);
    optional.from.rows_optional = true;
    CHECK(optional.converts(R"({"total":0})") == "name,clicks\n");
  }
  TEST_CASE("a column that no row has is drift, unless it is optional") {
    check(json("", name_and_clicks).fails(R"([{"title":"a","clicks":1}])"), kind::columns,
          {"no row of the report has \"name\"", "not declared: \"title\"", "[source] columns"});
    auto optional = json("", name_and_clicks);
    optional.source[0].optional = true;
    CHECK(optional.converts(R"([{"title":"a","clicks":1}])") == "name,clicks\n,1\n");
  }
  TEST_CASE("a column that comes twice in a row is refused") {
    check(json("", name_and_clicks).fails(R"([{"name":"a","name":"b"}])"), kind::data,
          {"row 1 has \"name\" twice"});
  }
  TEST_CASE("depth is bounded") {
    check(json("", name_and_clicks).fails("[{\"name\":" + std::string(1000, '[')), kind::data,
          {"line 1", "deep"});
  }
}
