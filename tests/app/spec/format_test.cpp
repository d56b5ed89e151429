// SPDX-License-Identifier: Apache-2.0
// Goal: [source.format], columns that say where they are, and the newer keys of [transform]: what
// is read, and each mistake with its place and remedy. Method: as keys_test.
#include <fmt/format.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>

#include "../scratch.hpp"
#include "sample.hpp"
#include "spec/init.hpp"

using namespace wherry::app;
using namespace wherry::app::sample;
using format_kind = report_format::kind;

namespace {

constexpr std::string_view declared = "columns = { day = \"date\" }\n";

std::string with_format(std::string_view format) {
  return added("[source]", std::string{declared} + "format = { " + std::string{format} + " }");
}

std::string with_transform(std::string_view line) { return added("[transform]", line); }

/// The only mistake of a spec.
std::string only(const std::string& text) {
  const auto all = mistakes(text);
  REQUIRE(all.size() == 1);
  return all[0];
}

bool says(const std::string& text, std::string_view part) { return text.find(part) != text.npos; }

}  // namespace

TEST_SUITE("spec/read.hpp formats") {
  TEST_CASE("without a word a report is CSV in UTF-8, packed or not") {
    const auto format = good(smallest).source.format;
    CHECK(format.type == format_kind::csv);
    CHECK(format.delimiter == '\0');
    CHECK(format.quote == '"');
    CHECK(format.escape == '\0');
    CHECK(format.header);
    CHECK(format.text == report_format::encoding::utf_8);
    CHECK(format.packed == report_format::packing::by_content);
  }
  TEST_CASE("every key of a format is read") {
    const auto csv = good(with_format(
        R"(type = "tsv", delimiter = "|", quote = "'", escape = "\\", skip = 2, header = false, )"
        R"(totals = 3, encoding = "windows-1252", packed = "zip", member = "*.csv")"));
    const auto& format = csv.source.format;
    CHECK(format.type == format_kind::tsv);
    CHECK(format.delimiter == '|');
    CHECK(format.quote == '\'');
    CHECK(format.escape == '\\');
    CHECK(format.skip == 2);
    CHECK_FALSE(format.header);
    CHECK(format.totals == 3);
    CHECK(format.text == report_format::encoding::windows_1252);
    CHECK(format.packed == report_format::packing::zip);
    CHECK(format.member == "*.csv");
    CHECK(good(with_format(R"(totals = "Total")")).source.format.totals_begin == "Total");
    CHECK(good(with_format(R"(quote = "", delimiter = "\t")")).source.format.quote == '\0');
    const auto json =
        good(with_format(R"(type = "json", rows = "data.list", rows_optional = true)"));
    CHECK(json.source.format.rows == "data.list");
    CHECK(json.source.format.rows_optional);
  }
  TEST_CASE("a column may say where it is") {
    const auto made = good(
        added("[source]",
              R"(columns = { day = "date", clicks = { type = "bigint", path = "metrics.clicks", )"
              R"(optional = true } })"));
    REQUIRE(made.source.columns.size() == 2);
    CHECK(made.source.columns[1].type == "bigint");
    CHECK(made.source.columns[1].path == "metrics.clicks");
    CHECK(made.source.columns[1].optional);
    CHECK_FALSE(made.source.columns[0].optional);
  }
  TEST_CASE("mistakes in a format are named") {
    CHECK(says(only(with_format(R"(type = "jsn")")), "did you mean \"json\""));
    CHECK(says(only(with_format(R"(delimiter = "ab")")), "not one mark"));
    CHECK(says(only(with_format(R"(delimiter = "a")")), "not one mark"));
    CHECK(says(only(with_format(R"(delimiter = "\n")")), "not one mark"));
    CHECK(says(only(with_format(R"(delimiter = "'", quote = "'")")), "three different"));
    CHECK(says(only(with_format(R"(quote = "", escape = "\\")")), "no quotes to escape"));
    CHECK(says(only(with_format(R"(type = "json", skip = 2)")), "is a key of csv and tsv"));
    CHECK(says(only(with_format(R"(rows = "data")")), "rows in [source.format] is a key of json"));
    CHECK(says(only(with_format(R"(type = "json", rows_optional = true)")), "add rows"));
    CHECK(says(only(with_format(R"(packed = "gzip", member = "a")")), "is a key of zip"));
    CHECK(says(only(with_format("totals = 0")), "from 1 to 1000"));
  }
  TEST_CASE("what needs declared columns says so") {
    for (const auto* format : {R"(type = "json")", R"(type = "jsonl")", "header = false",
                               "totals = 1", R"(totals = "Total")"}) {
      CAPTURE(format);
      CHECK(says(only(added("[source]", "format = { " + std::string{format} + " }")),
                 "columns in [source] is missing"));
    }
    CHECK(says(only(with_transform(R"(bad_rows = { quarantine = "1%" })")), "quarantine needs it"));
  }
  TEST_CASE("two columns at one place are refused, and a table without a type") {
    CHECK(says(
        only(added("[source]", R"(columns = { a = "date", b = { type = "date", path = "a" } })")),
        "has two columns at \"a\""));
    CHECK(says(only(added("[source]", R"(columns = { a = { path = "b" } })")), "\"type\""));
    CHECK(says(only(changed(R"({ day = "date" })", R"({ day = { type = "date" } })")),
               "day in [transform.columns] is a table"));
  }
}

TEST_SUITE("spec/read.hpp transform") {
  TEST_CASE("rows that cannot be read fail the report, or some are put aside") {
    CHECK_FALSE(good(smallest).transform.bad_rows);
    CHECK_FALSE(good(with_transform(R"(bad_rows = "fail")")).transform.bad_rows);
    const auto with = [](const char* allowed) {
      auto text = added("[source]", declared);
      text.insert(text.find("[sink]"), fmt::format("bad_rows = {{ quarantine = {} }}\n", allowed));
      return text;
    };
    CHECK(good(with("\"0.5%\"")).transform.bad_rows->share == doctest::Approx(0.005));
    CHECK(good(with("20")).transform.bad_rows->rows == 20);
    CHECK(says(only(with("\"101%\"")), "from above 0 to 100"));
    CHECK(says(only(with("\"5\"")), "from above 0 to 100"));
    CHECK(says(only(with("0")), "from 1 to"));
    CHECK(says(only(with_transform(R"(bad_rows = "drop")")), "quarantine"));
  }
  TEST_CASE("rates may be fetched, and are kept beside the store") {
    auto text = with_transform(R"(rates = "https://example.com/rates.csv")");
    text.insert(text.find("clients"), "store = \"sqlite:/var/lib/ads.db\"\n");
    const auto made = good(text);
    CHECK(made.transform.rates_url == "https://example.com/rates.csv");
    CHECK(made.transform.rates == "/var/lib/ads.rates");
    CHECK(says(only(with_transform(R"(rates = "ftp://example.com/rates.csv")")), "https://"));
  }
  TEST_CASE("lookup tables lie beside the spec") {
    const testing::scratch at;
    const auto& here = at.path;
    std::ofstream(here / "teams.csv") << "campaign,team\n";
    const auto text = with_transform(
        R"(tables.teams = { file = "teams.csv", columns = { campaign = "varchar" } })");
    const auto made = parse_spec(text, here / "ads.toml", from({}));
    REQUIRE(made);
    REQUIRE(made->transform.tables.size() == 1);
    CHECK(made->transform.tables[0].name == "teams");
    CHECK(made->transform.tables[0].file == (here / "teams.csv").string());
    CHECK(made->transform.tables[0].columns.size() == 1);
    CHECK(says(only(text), "file in [transform.tables.teams] names no file"));
    CHECK(says(only(with_transform(R"(tables.teams = { file = "teams.xls" })")), "no format"));
    CHECK(says(only(with_transform(R"(tables.report = { file = "a.csv" })")), "no name"));
  }
  TEST_CASE("every block of the page is good in a spec") {
    std::ifstream file{WHERRY_DOCS "/transform.md", std::ios::binary};
    const std::string page{std::istreambuf_iterator<char>{file}, {}};
    int blocks = 0;
    constexpr std::string_view fence = "```toml\n";
    for (auto at = page.find(fence); at != page.npos; at = page.find(fence, at + 1)) {
      auto block = page.substr(at + fence.size(), page.find("\n```", at) - at - fence.size());
      if (block.starts_with("[import]")) continue;  // whole, and run by transform_test
      ++blocks;
      CAPTURE(block);
      std::string text{smallest};
      for (const std::string table : {"[source]\n", "[transform]\n"}) {
        const auto here = block.find(table);
        if (here == block.npos) continue;
        const auto rest = here + table.size();
        const auto end = std::min(block.find("\n[", rest), block.size());
        text.insert(text.find(table) + table.size(), block.substr(rest, end - rest) + "\n");
        block.erase(here, end - here);
      }
      const auto all = mistakes(text + block + "\n");
      if (block.contains("tables") || text.contains("tables.teams")) {
        CHECK(only(text + block + "\n").find("names no file") != std::string::npos);
      } else {
        CHECK(all == lines{});
      }
    }
    CHECK(blocks == 5);
  }
  TEST_CASE("what wherry init shows of a format is good") {
    std::string text{starting_spec()};
    for (auto at = text.find("\n#[source.format]"); text[at + 1] == '#';
         at = text.find('\n', at + 1)) {
      const auto line = std::string_view(text).substr(at + 1, 6);
      if (line != "#rows " && line != "#rows_") text.erase(at + 1, 1);
    }
    const auto made = good(text, {{"API_TOKEN", "t"}, {"PWD", "/home/me"}});
    CHECK(made.source.format.delimiter == ';');
    CHECK(made.source.format.escape == '\\');
  }
}
