// SPDX-License-Identifier: Apache-2.0
// Goal: whatever [source.format] says that the bytes of a report are becomes the same table, and
// what is not so is an error that names the line and the key to correct.
#include <string>

#include <doctest/doctest.h>

#include "fixture.hpp"

using namespace wherry::app;
using namespace wherry::app::testing;
using kind = transform_error::kind;
using encoding = report_format::encoding;

namespace {

constexpr std::string_view plain = "day,name,amount\n2001-03-12,x,5\n";
constexpr std::string_view two_rows = "day,name,amount\n2001-03-12,a,1\n2001-03-12,b,2\n";

setup with(report_format format) { return {.from = std::move(format)}; }

setup in_encoding(encoding which) {
  report_format format;
  format.text = which;
  return with(format);
}

std::string utf16(std::u16string_view text, bool big) {
  std::string bytes;
  for (const char16_t unit : text) {
    const char high = static_cast<char>(unit >> 8), low = static_cast<char>(unit & 0xFF);
    bytes += big ? high : low;
    bytes += big ? low : high;
  }
  return bytes;
}

setup with_totals(int number) {
  report_format format;
  format.totals = number;
  return with(format);
}

setup with_totals(std::string begin) {
  report_format format;
  format.totals_begin = std::move(begin);
  return with(format);
}

}  // namespace

TEST_SUITE("spec.hpp: report_format of CSV") {
  TEST_CASE("TSV is CSV with tabs") {
    report_format tsv;
    tsv.type = report_format::kind::tsv;
    CHECK(with(tsv).converts("day\tname\tamount\n2001-03-12\t\"x\ty\"\t5\n") ==
          "day,name,amount\n2001-03-12,x\ty,5\n");
  }
  TEST_CASE("another delimiter, quote and escape mean what they say") {
    report_format format;
    format.delimiter = ';';
    format.quote = '\'';
    format.escape = '\\';
    CHECK(with(format).converts("day;name;amount\n2001-03-12;'it\\'s; \"a\" \\\\ b';5\n") ==
          "day,name,amount\n2001-03-12,\"it's; \"\"a\"\" \\ b\",5\n");
    check(with(format).fails("day;name;amount\n2001-03-12;'it\\'s;5\n"), kind::data,
          {"line 2", "never closes"});
  }
  TEST_CASE("without quotes a quote is a character like any other") {
    report_format format;
    format.quote = '\0';
    CHECK(with(format).converts("day,name,amount\n2001-03-12,5\" disk,5\n") ==
          "day,name,amount\n2001-03-12,\"5\"\" disk\",5\n");
  }
  TEST_CASE("lines before the header are skipped, and lines are still counted from the first") {
    report_format format;
    format.skip = 2;
    const auto titled = with(format);
    CHECK(titled.converts("\"Report\n2001-03-12\nday,name,amount\n2001-03-12,x,5\n") == plain);
    check(titled.fails("Report\nof a day\nday,name,amount\n2001-03-12,x,y\n"), kind::data,
          {"line 4, column \"amount\""});
    check(titled.fails("Report\n"), kind::data, {"only 2 lines", "skip in [source.format]"});
    check(titled.fails("Report\n\n"), kind::data, {"before its header", "skip"});
  }
  TEST_CASE("without a header the columns come in the order in which they are declared") {
    report_format format;
    format.header = false;
    CHECK(with(format).converts("2001-03-12,x,5\n") == plain);
    check(with(format).fails("2001-03-12,x,5,6\n"), kind::data,
          {"line 1: 4 fields where the columns are 3"});
  }
  TEST_CASE("so many rows at the end are totals") {
    CHECK(with_totals(1).converts(std::string(two_rows) + "Total,--,3\n\n") == two_rows);
    CHECK(with_totals(2).converts(std::string(two_rows) + "Total,--,3\n(c) The API\n") == two_rows);
    CHECK(with_totals(1).converts("day,name,amount\n") == "day,name,amount\n");
    check(with_totals(2).fails(plain), kind::data, {"fewer rows than the 2 totals", "totals in"});
  }
  TEST_CASE("rows at the end that begin as totals do are none, and others are rows") {
    setup by_name = with_totals("Total");
    by_name.source = {{"name", "varchar"}, {"amount", "bigint"}};
    const std::string rows = "name,amount\nTotal recall,1\nTotal war,2\nb,3\n";
    CHECK(by_name.converts(rows + "Total,6\nTotal of all,6\n") == rows);
    CHECK(by_name.converts("name,amount\nTotal recall,1\nb,3\n") ==
          "name,amount\nTotal recall,1\nb,3\n");
    CHECK(by_name.converts("name,amount\nTotal,0\n") == "name,amount\n");
  }
  TEST_CASE("a malformed row after the totals is met, not dropped") {
    for (setup one : {with_totals("Total"), with_totals(1)}) {
      one.source = {{"name", "varchar"}, {"amount", "bigint"}};
      check(one.fails("name,amount\nx,5\nTotal,5\n\"open\n"), kind::data,
            {"line 4", "never closes"});
    }
  }
  TEST_CASE("a column may be called otherwise in the report, and may be missing") {
    setup renamed{.source = {{"day", "date", "Day", false},
                             {"cost", "decimal(9,2)", "Cost (USD)", false},
                             {"note", "varchar", "", true}}};
    CHECK(renamed.converts("Cost (USD),Day\n1.50,2001-03-12\n") ==
          "day,cost,note\n2001-03-12,1.50,\n");
    CHECK(renamed.converts("Cost (USD),note,Day\n1.50,n,2001-03-12\n") ==
          "day,cost,note\n2001-03-12,1.50,n\n");
    check(renamed.fails("cost,Day\n1.50,2001-03-12\n"), kind::columns,
          {"missing \"Cost (USD)\"", "not declared \"cost\""});
  }
  TEST_CASE("undeclared columns are guessed in another dialect, too, also of a packed report") {
    const scratch place;
    report_format format;
    format.delimiter = ';';
    format.skip = 1;
    format.text = encoding::latin_1;
    const setup guessed{.source = {}, .directory = place.path, .from = format};
    const auto input = place.write("report.csv", "Title\nday;name\n2001-03-12;M\xFCnchen\n");
    const auto done = guessed.opened()->run({"c", "d", input, place.file("out")});
    REQUIRE_MESSAGE(done, (done ? "" : done.error().message));
    CHECK(content(place.file("out")) == "day,name\n2001-03-12,München\n");
    CHECK(place.entries() == 2);
  }
}

TEST_SUITE("decode.hpp") {
  TEST_CASE("a byte order mark is dropped") {
    CHECK(setup{}.converts("\xEF\xBB\xBF" + std::string(plain)) == plain);
    report_format format;
    format.skip = 1;
    CHECK(with(format).converts("\xEF\xBB\xBFTitle\n" + std::string(plain)) == plain);
  }
  TEST_CASE("UTF-16 is known by its mark, and else by what is declared") {
    const std::u16string text = u"day,name,amount\n2001-03-12,Z\u00fcrich \U0001F6A3,5\n";
    const std::string expected = "day,name,amount\n2001-03-12,Zürich 🚣,5\n";
    CHECK(setup{}.converts("\xFF\xFE" + utf16(text, false)) == expected);
    CHECK(setup{}.converts("\xFE\xFF" + utf16(text, true)) == expected);
    CHECK(in_encoding(encoding::utf_16).converts(utf16(text, false)) == expected);
    CHECK(in_encoding(encoding::utf_16be).converts(utf16(text, true)) == expected);
  }
  TEST_CASE("the one-byte encodings of the West are read") {
    const std::string text = "day,name,amount\n2001-03-12,caf\xE9 \x80,5\n";
    CHECK(in_encoding(encoding::windows_1252).converts(text) ==
          "day,name,amount\n2001-03-12,café €,5\n");
    CHECK(in_encoding(encoding::latin_1).converts("day,name,amount\n2001-03-12,caf\xE9,5\n") ==
          "day,name,amount\n2001-03-12,café,5\n");
  }
  TEST_CASE("bytes that stand for nothing are an error with their line") {
    check(setup{}.fails("day,name,amount\n2001-03-12,caf\xE9,5\n"), kind::data,
          {"line 2", "not UTF-8", "encoding in [source.format]"});
    check(in_encoding(encoding::windows_1252).fails("day,name,amount\n2001-03-12,\x81,5\n"),
          kind::data, {"line 2", "CP1252"});
    const std::string text = utf16(u"day,name,amount\n2001-03-12,x,5\n", false);
    check(in_encoding(encoding::utf_16).fails(text + "x"), kind::data, {"line 3", "ends within"});
    std::u16string lone = u"day,name,amount\n\n";
    lone += static_cast<char16_t>(0xDC00);
    check(in_encoding(encoding::utf_16).fails(utf16(lone + u"\n", false)), kind::data,
          {"line 3", "UTF-16LE"});
  }
  TEST_CASE("a character that two pieces share is whole") {
    std::u16string text = u"day,name,amount\n";
    for (int i = 0; i < 200'000; ++i) text += u"2001-03-12,\U0001F6A3,5\n";
    const std::string bytes = "x" + utf16(text, false);  // so that no piece ends with a unit
    const auto one = in_encoding(encoding::utf_16);
    const auto out = one.converts(std::string_view(bytes).substr(1));
    CHECK(out.size() == 16 + 200'000 * (11 + 4 + 3));
  }
}
