// SPDX-License-Identifier: Apache-2.0
// Goal: what is written is read again, byte for byte, and what people write amiss is named by line.
#include "recording/exchange.hpp"

#include <doctest/doctest.h>

using namespace wherry::app;

namespace {

exchange some() {
  return {.asked = {.method = "POST",
                    .url = "https://x.invalid/a?b=1",
                    .headers = {{"Accept", "a: b"}},
                    .body = "{\n\n}\n"},
          .status = 207,
          .headers = {{"Empty", ""}, {"Date", "now"}},
          .body = "> no request\n< no answer\r\n",
          .ended_by_close = true};
}

}  // namespace

TEST_SUITE("recording/exchange.hpp") {
  TEST_CASE("an exchange is read as it was written") {
    for (auto body : {"> no request\n< no answer\r\n", "", "\n", "<\n"}) {
      auto wanted = some();
      wanted.body = body;
      const auto read = parse_exchange(to_text(wanted, ""));
      REQUIRE(read);
      CHECK(are_same(read->said.asked, wanted.asked));
      CHECK(read->said.asked.headers == wanted.asked.headers);
      CHECK(read->said.status == 207);
      CHECK(read->said.headers == wanted.headers);
      CHECK(read->said.body == wanted.body);
      CHECK(read->body_size_bytes == wanted.body.size());
      CHECK(read->said.ended_by_close);
    }
  }

  TEST_CASE("a body that is no text is named") {
    CHECK(!is_plain_text(std::string_view("a\0b", 3)));
    CHECK(is_plain_text("a\tb\r\nö"));
    CHECK(parse_exchange(to_text(some(), "0001-GET-a.body"))->body_file == "0001-GET-a.body");
  }

  TEST_CASE("a line that is amiss is named") {
    const auto error = [](std::string_view text) {
      const auto read = parse_exchange(text);
      return read ? std::string() : read.error();
    };
    CHECK(error("").contains("line 0: an exchange begins"));
    CHECK(error("> GET").contains("line 1: an exchange begins"));
    CHECK(error("> GET a\n> b\n").contains("line 2: a header of the request"));
    CHECK(error("> GET a\n").contains("line 1: no answer follows"));
    CHECK(error("> GET a\n< 20x\n<\n").contains("line 2: an answer begins"));
    CHECK(error("> GET a\n< 200, few bytes\n<\n").contains("line 2: an answer begins"));
    CHECK(error("> GET a\n< 200\n< a\n").contains("line 3: a header of the answer"));
    CHECK(error("> GET a\n< 200\n").contains("line 2: no line \"<\" follows"));
    CHECK(error("> GET a\n< 200\n<\n").empty());
  }

  TEST_CASE("a difference names what was asked then and what is asked now") {
    const question then{.method = "GET", .url = "https://x/a?b=1&c=2", .headers = {}, .body = ""};
    auto now = then;
    now.url = "https://x/a?b=1&c=3";
    CHECK(difference(now, then) == "the query, where c=2 stood in place of c=3");
    now.url = "https://x/a?c=2&b=1";
    CHECK(difference(now, then) == "the order of the query");
    now = then;
    now.method = "POST";
    now.body = "{}";
    CHECK(difference(now, then) ==
          "the method, GET then; the body, where \"\" stood in place of \"{}\"");
    now = then;
    now.url = "https://x/other";
    CHECK(likeness(then, then) > likeness(now, then));
  }
}
