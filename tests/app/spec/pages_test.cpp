// SPDX-License-Identifier: Apache-2.0
// Goal: pages, parts, slots and shared limits of a source are read, and what does not fit together
// is told with its place. Method: the smallest spec with lines added.
#include <fmt/format.h>

#include "sample.hpp"
#include "spec/template.hpp"

namespace wherry::app {
namespace {

using namespace sample;
using namespace std::chrono_literals;

spec with(std::string_view url, std::string_view more) {
  auto text = added("[source]", more);
  const std::string old = "https://host/{client}/{day}.csv";
  return good(text.replace(text.find(old), old.size(), url));
}

lines mistakes_with(std::string_view url, std::string_view more) {
  auto text = added("[source]", more);
  const std::string old = "https://host/{client}/{day}.csv";
  return mistakes(text.replace(text.find(old), old.size(), url));
}

}  // namespace

TEST_SUITE("spec/pages_keys.hpp") {
  TEST_CASE("each way to the next page is read") {
    const auto link = with("https://h/{client}/{day}", R"(pages = { next = { json = "p.next" } })");
    CHECK(link.source.pages->by == report_pages::way::link);
    CHECK(link.source.pages->json == "p.next");
    const auto header =
        with("https://h/{client}/{day}", R"(pages = { next = { header = "Link" } })");
    CHECK(header.source.pages->header == "Link");
    const auto cursor =
        with("https://h/{client}/{day}?c={cursor}", R"(pages = { cursor = "next", most = 50 })");
    CHECK(cursor.source.pages->by == report_pages::way::cursor);
    CHECK(cursor.source.pages->json == "next");
    CHECK(cursor.source.pages->most == 50);
    const auto page = with("https://h/{client}/{day}?p={page}&n={size}",
                           R"(pages = { by = "page", first = 0, size = 500 })");
    CHECK(page.source.pages->by == report_pages::way::page);
    CHECK(page.source.pages->first == 0);
    CHECK(page.source.pages->size == 500);
    const auto offset = with(
        "https://h/{client}/{day}",
        R"(pages = { by = "offset", more = "more", url = "https://h/{client}/{day}/{offset}" })");
    CHECK(offset.source.pages->by == report_pages::way::offset);
    CHECK(offset.source.pages->more == "more");
    CHECK(offset.source.pages->url == "https://h/{client}/{day}/{offset}");
  }

  TEST_CASE("pages that nobody can ask for or that never end are told") {
    CHECK(
        mistakes_with("https://h/{client}/{day}", "pages = { size = 5 }") ==
        lines{"ads.toml:6:9: pages in [source] does not say how the next page is asked for; write "
              "one of next = { json = \"…\" }, cursor = \"…\", by = \"page\" and by = \"offset\""});
    CHECK(mistakes_with("https://h/{client}/{day}?{page}", R"(pages = { by = "page" })") ==
          lines{"ads.toml:6:9: pages in [source] does not say which page is the last; write size = "
                "500, the rows of a full page, or last or more, their path in the answer"});
    CHECK(mistakes_with("https://h/{client}/{day}", R"(pages = { cursor = "next" })") ==
          lines{"ads.toml:6:9: pages in [source] counts pages, but nothing asks for {cursor}; put "
                "{cursor} into the url or body of [source], or into the url of [source.pages]"});
    CHECK(mistakes_with("https://h/{client}/{day}?{cursor}", "") ==
          lines{"ads.toml:5:7: url in [source] asks for {cursor}, which nothing says; add "
                "[source.pages]"});
  }

  TEST_CASE("pages may be asked for in the body, where a count is a number") {
    const auto made = with("https://h/run", R"(body = { of = "{client}", days = ["{day}"], )"
                                            R"(from = "{offset}", size = "{size}", at = "p{page}" }
pages = { by = "offset", size = 500 })");
    const client of{.id = "a \"b\"", .account = "", .currency = "", .timezone = "UTC"};
    CHECK(expand_body(made.source.body, of, {2025y, std::chrono::January, 31d},
                      {{"offset", "1000"}, {"size", "500"}, {"page", "3"}}) ==
          R"({"of":"a \"b\"","days":["2025-01-31"],"from":1000,"size":500,"at":"p3"})");
    CHECK(mistakes_with("https://h/run/{client}/{day}", R"(body = { c = "{cursor}" })") ==
          lines{"ads.toml:6:8: body in [source] asks for {cursor}, which nothing says; add "
                "[source.pages]"});
  }

  TEST_CASE("pages that cannot be put together or counted so are told") {
    CHECK(
        mistakes_with("https://h/{client}/{day}?{offset}",
                      R"(pages = { by = "offset", last = "pages" })") ==
        lines{"ads.toml:6:9: pages in [source] has the number of the last page, but only by = "
              "\"page\" counts pages; write more, the path of whether there are more, in place of "
              "last"});
    for (const auto* format :
         {R"({ type = "csv", packed = "gzip" })", R"({ type = "csv", encoding = "utf-16" })"}) {
      const lines wrong{
          "ads.toml:7:10: format in [source] is packed or UTF-16, and the report comes in several "
          "answers; they are put together as plain text: let the API send them plain, as UTF-8, or "
          "by Content-Encoding"};
      const auto with_format = [&](std::string_view key) {
        return fmt::format("{}\nformat = {}", key, format);
      };
      CHECK(mistakes_with("https://h/{client}/{day}?{cursor}",
                          with_format(R"(pages = { cursor = "next" })")) == wrong);
      CHECK(mistakes_with("https://h/{client}/{day}?{part}",
                          with_format(R"(split = { values = ["a", "b"] })")) == wrong);
    }
    CHECK(mistakes_with("https://h/{client}/{day}?{cursor}",
                        R"(pages = { cursor = "next", most = 4001 })") ==
          lines{"ads.toml:6:35: most in [source.pages] is 4001; write a number from 2 to 4000"});
  }

  TEST_CASE("parts are read and need an address that asks for them") {
    const auto split = with("https://h/{client}/{day}?hours={part}",
                            R"(split = { values = [0, 6, "12", 18], join = "|" })");
    CHECK(split.source.split->values == std::vector<std::string>{"0", "6", "12", "18"});
    CHECK(split.source.split->join == "|");
    CHECK(mistakes_with("https://h/{client}/{day}", R"(split = { values = ["a", "b"] })") ==
          lines{"ads.toml:6:9: split in [source] splits reports, but nothing asks for {part}; put "
                "{part} into the url or body of [source], or the body of [source.request]"});
    CHECK(mistakes_with("https://h/{client}/{day}?{part}", R"(split = { values = ["a", "a"] })") ==
          lines{R"(ads.toml:6:26: values in [source.split] holds "a" twice; remove one)"});
    CHECK(mistakes_with("https://h/{client}/{day}?{part}", "") ==
          lines{"ads.toml:5:7: url in [source] asks for {part}, which nothing says; add "
                "[source.split]"});
  }

  TEST_CASE("slots and shared limits are read") {
    const auto made = good(added("[source]", R"(shared = [{ lane = "app", rate = "50/s" },
          { lane = "{account}/insights", quotas = ["9000/day"] }])"));
    REQUIRE(made.source.shared.size() == 2);
    CHECK(made.source.shared[0].lane == "app");
    CHECK(made.source.shared[0].calls == 50);
    CHECK(made.source.shared[1].quotas.front().calls == 9000);
    CHECK(mistakes(added("[source]", R"(shared = [{ lane = "app" }])")) ==
          lines{"ads.toml:6:11: shared in [source] has a limit that allows everything; give it a "
                "rate or quotas"});
  }
}

}  // namespace wherry::app
