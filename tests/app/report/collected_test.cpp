// SPDX-License-Identifier: Apache-2.0
// Goal: parts of a report cover it, once each, however often they are halved; pages become one file
// with one header. Method: plain values.
#include "report/collected.hpp"

#include <doctest/doctest.h>

namespace wherry::app {
namespace {

const report_split letters{.values = {"a", "b", "c", "d", "e"}, .join = ","};

spool_file page_named(std::string name) {
  return {.name = std::move(name), .size_bytes = 1, .sha256 = {}};
}

}  // namespace

TEST_SUITE("report/collected.hpp") {
  TEST_CASE("a report that is not split asks for all values at once") {
    CHECK(part_text(letters, {}) == "a,b,c,d,e");
    CHECK(part_text(std::nullopt, {}).empty());
  }

  TEST_CASE("halves are asked for one after the other and cover all values in order") {
    auto at = halved(letters, {});
    REQUIRE(at.has_value());
    CHECK(part_text(letters, *at) == "a,b,c");
    at = halved(letters, *at);
    REQUIRE(at.has_value());
    std::string all;
    for (auto rest = *at;; rest = with_part_complete(rest)) {
      all += part_text(letters, rest) + "|";
      if (rest.parts.size() == 1) break;
    }
    CHECK(all == "a,b|c|d,e|");
  }

  TEST_CASE("one value cannot be halved") {
    collected one;
    one.parts = {{.first = 2, .count = 1}, {.first = 3, .count = 2}};
    CHECK(part_text(letters, one) == "c");
    CHECK_FALSE(halved(letters, one).has_value());
  }

  TEST_CASE("pages of a part that is split are forgotten and those of complete parts stay") {
    collected at;
    at.parts = {{.first = 0, .count = 2}, {.first = 2, .count = 3}};
    at.pages = {page_named("0"), page_named("1")};
    at = with_part_complete(at);
    CHECK(at.whole == 2);
    at.pages.push_back(page_named("2"));
    const auto smaller = halved(letters, at);
    REQUIRE(smaller.has_value());
    CHECK(smaller->pages == std::vector{page_named("0"), page_named("1")});
    CHECK(smaller->parts == std::vector<report_part>{{2, 2}, {4, 1}});
  }

  TEST_CASE("the header is cut off later pages wherever their pieces end") {
    report_format format;
    format.skip = 1;
    const std::string page = "title\na,b\n1,2\n3,4\n";
    for (std::size_t cut = 0; cut <= page.size(); ++cut) {
      header_cutter cutter(format);
      for (const bool is_first : {true, false, false}) {
        cutter.begin_page();
        std::string kept{cutter.take(std::string_view(page).substr(0, cut))};
        kept += cutter.take(std::string_view(page).substr(cut));
        CHECK(kept == (is_first ? page : "1,2\n3,4\n"));
        CHECK_FALSE(cutter.differs());
      }
    }
  }

  TEST_CASE("a later page with another header or none is seen") {
    const auto differs = [](const report_format& format, std::string_view second) {
      header_cutter cutter(format);
      cutter.begin_page();
      static_cast<void>(
          cutter.take("\xef\xbb\xbf"
                      "a,b\r\n1,2\r\n"));
      CHECK_FALSE(cutter.differs());
      cutter.begin_page();
      static_cast<void>(cutter.take(second));
      return cutter.differs();
    };
    report_format format;
    CHECK_FALSE(differs(format,
                        "\xef\xbb\xbf"
                        "a,b\r\n3,4\r\n"));
    CHECK_FALSE(differs(format, "a,b\n3,4\n"));
    CHECK_FALSE(differs(format, "a,b"));
    CHECK(differs(format, "3,4\n"));
    CHECK(differs(format, "b,a\n4,3\n"));
    CHECK(differs(format, "a,b,c\n4,3,2\n"));
    format.skip = 1;
    CHECK(differs(format, "title\n"));
  }

  TEST_CASE("only lines before the rows of CSV are repeated by each page") {
    report_format format;
    const auto kept = [&] {
      header_cutter cutter(format);
      cutter.begin_page();
      static_cast<void>(cutter.take("1\n2\n3\n4\n"));
      cutter.begin_page();
      return std::string(cutter.take("1\n2\n3\n4\n"));
    };
    format.skip = 2;
    CHECK(kept() == "4\n");
    format.header = false;
    CHECK(kept() == "3\n4\n");
    format.type = report_format::kind::json;
    CHECK(kept() == "1\n2\n3\n4\n");
  }
}

}  // namespace wherry::app
