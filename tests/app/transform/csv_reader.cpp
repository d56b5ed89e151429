// SPDX-License-Identifier: Apache-2.0
// Goal: every shape of RFC 4180 that real APIs send is read as meant, and what is malformed is
// refused with its line. Method: small literal texts.
#include "transform/csv_reader.hpp"

#include <doctest/doctest.h>

using namespace wherry::app;

namespace {

using records = std::vector<std::vector<std::string>>;

records read(std::string_view text) {
  csv_reader reader(text);
  std::vector<csv_field> fields;
  records all;
  for (;;) {
    const auto more = reader.next(fields);
    REQUIRE(more);
    if (!*more) return all;
    auto& record = all.emplace_back();
    for (const auto& field : fields) {
      std::string value;
      if (field.doubled)
        append_unquoted(value, field.text);
      else
        value = field.text;
      record.push_back(value);
    }
  }
}

csv_error refusal(std::string_view text) {
  csv_reader reader(text);
  std::vector<csv_field> fields;
  for (;;) {
    const auto more = reader.next(fields);
    if (!more) return more.error();
    REQUIRE(*more);
  }
}

}  // namespace

TEST_SUITE("csv_reader.hpp") {
  TEST_CASE("plain fields are split at commas and line ends") {
    CHECK(read("a,b\n1,2\n") == records{{"a", "b"}, {"1", "2"}});
  }
  TEST_CASE("a missing final newline loses nothing") {
    CHECK(read("a,b\n1,2") == records{{"a", "b"}, {"1", "2"}});
    CHECK(read("a\n\"x\"") == records{{"a"}, {"x"}});
  }
  TEST_CASE("a trailing comma is an empty last field even at the end of the text") {
    CHECK(read("a,b,") == records{{"a", "b", ""}});
    CHECK(read("a,b,\n") == records{{"a", "b", ""}});
  }
  TEST_CASE("lines may end in carriage return and newline") {
    CHECK(read("a,b\r\n1,\"2\"\r\n") == records{{"a", "b"}, {"1", "2"}});
  }
  TEST_CASE("a lone carriage return is text") { CHECK(read("a\rb,c\n") == records{{"a\rb", "c"}}); }
  TEST_CASE("quoted fields hold commas and line ends and doubled quotes") {
    CHECK(read("\"a,b\",\"c\nd\",\"say \"\"hi\"\"\"\n") == records{{"a,b", "c\nd", "say \"hi\""}});
    CHECK(read("\"\"\"\"\n") == records{{"\""}});
  }
  TEST_CASE("a byte order mark is not part of the first name") {
    CHECK(read("\xEF\xBB\xBF"
               "a\n") == records{{"a"}});
  }
  TEST_CASE("quoted and unquoted emptiness can be told apart") {
    csv_reader reader(",\"\"\n");
    std::vector<csv_field> fields;
    REQUIRE(reader.next(fields));
    REQUIRE(fields.size() == 2);
    CHECK_FALSE(fields[0].quoted);
    CHECK(fields[1].quoted);
  }
  TEST_CASE("an empty text has no record") { CHECK(read("").empty()); }
  TEST_CASE("the line of a record counts line ends inside quotes") {
    csv_reader reader("h\n\"a\nb\nc\"\nlast\n");
    std::vector<csv_field> fields;
    for (int i = 0; i < 3; ++i) REQUIRE(reader.next(fields));
    CHECK(reader.line() == 5);
  }
  TEST_CASE("an unterminated quote names the line where its record began") {
    const auto error = refusal("h\nfine\nbad,\"never closed\n1\n2\n");
    CHECK(error.line == 3);
    CHECK(error.what == "a quote opens and never closes");
  }
  TEST_CASE("text after a closing quote is refused") {
    CHECK(refusal("h\n\"a\"b\n").what == "text follows a closing quote");
    CHECK(refusal("h\n\"a\"\rb\n").line == 2);
  }
  TEST_CASE("a quote inside an unquoted field is refused") {
    CHECK(refusal("h\nab\"c\n").what == "a quote stands inside an unquoted field");
  }
  TEST_CASE("invalid UTF-8 is found with its line") {
    CHECK_FALSE(line_of_invalid_utf8("Düsseldorf, 東京, 🚣\n plain ascii text"));
    CHECK(line_of_invalid_utf8("one\ntwo \xE9t\xE9.\n") == 2);       // latin-1
    CHECK(line_of_invalid_utf8("\xC0\xAF") == 1);                    // overlong
    CHECK(line_of_invalid_utf8("\xED\xA0\x80") == 1);                // surrogate
    CHECK(line_of_invalid_utf8("\xF4\x90\x80\x80") == 1);            // beyond Unicode
    CHECK(line_of_invalid_utf8("12345678\n12345678\xE2\x82") == 2);  // cut
  }
  TEST_CASE("numbers are read whole or not at all") {
    CHECK(parse_integer<std::int64_t>("9223372036854775807") == 9223372036854775807);
    CHECK_FALSE(parse_integer<std::int64_t>("9223372036854775808"));
    CHECK(parse_integer<std::int32_t>(" -5 ") == -5);
    CHECK_FALSE(parse_integer<std::int32_t>("2147483648"));
    CHECK_FALSE(parse_integer<std::int64_t>("12x"));
    CHECK_FALSE(parse_integer<std::int64_t>("1,000"));
    CHECK_FALSE(parse_integer<std::int64_t>(""));
    CHECK(parse_double("1.5e3") == 1500.0);
    CHECK_FALSE(parse_double("1.5.2"));
  }
  TEST_CASE("booleans are read in any case") {
    for (const auto* text : {"true", "TRUE", "t", "1"}) CHECK(parse_boolean(text) == true);
    for (const auto* text : {"false", "False", "F", "0"}) CHECK(parse_boolean(text) == false);
    CHECK_FALSE(parse_boolean("yes"));
    CHECK_FALSE(parse_boolean("2"));
  }
  TEST_CASE("dates are days of the calendar") {
    CHECK(parse_date("1970-01-01") == 0);
    CHECK(parse_date("2000-02-29") == 11016);
    CHECK(parse_date("1969-12-31") == -1);
    CHECK_FALSE(parse_date("2001-02-29"));
    CHECK_FALSE(parse_date("2001-13-01"));
    CHECK_FALSE(parse_date("01/02/2001"));
    CHECK_FALSE(parse_date("2001-1-01"));
  }
}
