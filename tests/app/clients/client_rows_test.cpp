// SPDX-License-Identifier: Apache-2.0
// Goal: a list of clients is read whatever its format, and what is no list is told with its place.
// Method: small texts.
#include "clients/client_rows.hpp"

#include <doctest/doctest.h>

namespace wherry::app {
namespace {

// "line 2: acme 77 EUR Europe/Berlin", an entry a client.
using lines = std::vector<std::string>;

lines read(std::string_view text, const client_list& how = {}) {
  const auto got = read_client_rows(text, how);
  if (!got) return {"error: " + got.error()};
  lines all;
  for (const auto& [of, place] : got->rows) {
    all.push_back(place + ": " + of.id + " " + of.account + " " + of.currency + " " + of.timezone);
  }
  return all;
}

}  // namespace

TEST_SUITE("clients/client_rows.hpp") {
  TEST_CASE("CSV has a header, and columns of ours and of others in any order") {
    CHECK(read("name,currency,id,account,timezone\r\n"
               "\"A, B\",EUR,acme,77,Europe/Berlin\r\n"
               "\r\n"
               "C,, globex ,,") ==
          lines{"line 2: acme 77 EUR Europe/Berlin", "line 4: globex globex  UTC"});
  }

  TEST_CASE("quoted fields hold what they say, and the lines are those of the file") {
    CHECK(read("\xEF\xBB\xBFid,account\na,\"x\"\"y\nz\"\nb,1\n") ==
          lines{"line 2: a x\"y\nz  UTC", "line 4: b 1  UTC"});
  }

  TEST_CASE("columns have the names that the spec gives them") {
    client_list how;
    how.id = "customer";
    how.account = "login";
    CHECK(read("customer,login\nacme,7\n", how) == lines{"line 2: acme 7  UTC"});
    CHECK(read("custmer,login\nacme,7\n", how) ==
          lines{"error: line 1 has no column \"customer\"; name it in `id`: did you mean "
                "\"custmer\"?"});
    CHECK(read("customer\nacme\n", how) ==
          lines{"error: line 1 has no column \"login\"; name it in `account`: columns there: "
                "customer"});
  }

  TEST_CASE("CSV that is none names the line") {
    CHECK(read("id,account\na\n") ==
          lines{"error: line 2 has 1 fields, the header has 2; mend the list"});
    CHECK(read("id\n\"a\n").front().starts_with("error: line 2: "));
    CHECK(read("id\n\xFF\n") == lines{"error: line 2 is not UTF-8; save the list as UTF-8"});
    CHECK(read("acme\nglobex\n").front().starts_with("error: line 1 has no column \"id\""));
  }

  TEST_CASE("a list without rows has none") {
    CHECK(read("id\n").empty());
    CHECK(read("").empty());
    CHECK(read("[]").empty());
  }

  TEST_CASE("JSON is an array of ids or objects, wherever it stands") {
    CHECK(read(R"(["acme", {"id": "globex", "account": 77, "currency": null, "more": [1]}])") ==
          lines{"row 1: acme acme  UTC", "row 2: globex 77  UTC"});
    client_list how;
    how.rows = "data.accounts";
    how.id = "account_id";
    how.timezone = "settings.tz";
    CHECK(read(R"({"data": {"accounts": [{"account_id": "a", "settings": {"tz": "Asia/Tokyo"}}]}})",
               how) == lines{"row 1: a a  Asia/Tokyo"});
  }

  TEST_CASE("JSON lines are an object a line") {
    CHECK(read("{\"id\":\"a\"}\n\n{\"id\":\"b\",\"account\":\"7\"}\r\n") ==
          lines{"line 1: a a  UTC", "line 3: b 7  UTC"});
    CHECK(read("{\"id\":\"a\"}") == lines{"row 1: a a  UTC"});
    CHECK(read("{\"id\":\"a\"}\n{\"id\":\n") ==
          lines{"error: line 2 is no JSON; write one document, or an object a line"});
  }

  TEST_CASE("JSON that is no list says which key to look at") {
    client_list how;
    how.rows = "data";
    CHECK(read(R"({"data": 7})", how) ==
          lines{"error: the JSON has no array at \"data\"; say in `rows` where the rows are"});
    CHECK(read(R"([{"name": "a"}])") ==
          lines{"error: row 1 has no \"id\"; say in `id` where a row has its id, and in `rows` "
                "where the rows are"});
    CHECK(read(R"([{"id": {"x": 1}}])") ==
          lines{"error: row 1: id is no text; name another path in `id`"});
  }

  TEST_CASE("the next page is where the document says it, or nowhere") {
    client_list how;
    how.rows = "data";
    how.next = "paging.next";
    const auto next = [&](std::string_view text) { return read_client_rows(text, how)->next; };
    CHECK(next(R"({"data":["a"],"paging":{"next":"/p?2"}})") == "/p?2");
    CHECK(next(R"({"data":["a"],"paging":{"next":null}})").empty());
    CHECK(next(R"({"data":["a"]})").empty());
  }
}
}  // namespace wherry::app
