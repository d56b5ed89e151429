// SPDX-License-Identifier: Apache-2.0
// Goal: the clients of a list are checked as those of a spec are, and an API's pages are followed
// without its credentials going astray. Method: files, and servers that play an API.
#include "clients/listed_clients.hpp"

#include <doctest/doctest.h>

#include <fstream>

#include "../net/keeping_server.hpp"
#include "../scratch.hpp"
#include "wherry/csp/scheduler.hpp"

namespace wherry::app {
namespace {

using lines = std::vector<std::string>;

struct house {
  testing::scratch at;
  spec of;
  http_client http;

  house() {
    of.source.url = "https://host/{client}/{day}.csv";
    of.source.auth = bearer_auth{{"hunter2"}};
    of.source.limit.lane = "{account}";
    of.sink.url = "file:///out/{client}/{day}.csv";
    of.sink.limit.lane = "sink";
    of.client_list.emplace();
  }
  std::expected<std::vector<client>, listing_error> list() {
    thread_scheduler scheduler{{.threads = 1}};
    return scheduler.run(list_clients(&of, &http));
  }
  std::string file(std::string_view text) {
    const auto path = at.path / "clients.csv";
    std::ofstream{path} << text;
    of.client_list->file = path.native();
    return path.native();
  }
  lines ids() {
    auto made = list();
    if (!made) return made.error().mistakes;
    lines all;
    for (const auto& each : *made) all.push_back(each.id);
    return all;
  }
};

}  // namespace

TEST_SUITE("clients/listed_clients.hpp") {
  TEST_CASE("each mistake of a list is told with its place and remedy") {
    house at;
    const auto path =
        at.file("id,currency,timezone\nacme,,\na/b,eur,CEST\nacme,,Europe/Atlantis\n");
    CHECK(at.ids() ==
          lines{path + ", line 3: id \"a/b\" is no name; write up to 100 letters, digits, - _ . "
                       "and begin with a letter or digit",
                path + ", line 3: currency \"eur\" is none; write one such as \"EUR\"",
                path + ", line 3: timezone \"CEST\" is none; write one such as \"Europe/Berlin\"",
                path + ", line 4: timezone \"Europe/Atlantis\" is not known on this machine; check "
                       "the spelling, or install tzdata",
                path + ", line 4: the client \"acme\" is also in line 2; remove one"});
  }

  TEST_CASE("a client that lacks what an address asks for is told, and so are two of one object") {
    house at;
    const auto path = at.file("id,currency\nacme,EUR\nglobex,\n");
    at.of.source.url = "https://host/{client}/{currency}/{day}.csv";
    const auto lacks = at.ids();
    REQUIRE(lacks.size() == 1);
    CHECK(lacks[0].starts_with(path + ", line 3: "));
    CHECK(lacks[0].contains("which the url of [source] asks for"));
    at.of.source.url = "https://host/{client}/{day}.csv";
    at.of.sink.url = "file:///out/{day}.csv";
    CHECK(at.ids() == lines{path + ", line 3: the url of [sink] gives it the object of \"acme\"; "
                                   "put {client} into it"});
  }

  TEST_CASE("a list of nobody, or one that is not there, is an error") {
    house at;
    const auto path = at.file("id\n");
    CHECK(at.ids() == lines{path + ": the list of clients is empty; a run without any is none"});
    at.of.client_list->file = "/no/such";
    CHECK(at.ids() == lines{"/no/such: cannot read the list of clients: No such file or directory; "
                            "put it there, the path is relative to the spec"});
  }

  TEST_CASE("no more mistakes are told than somebody reads") {
    house at;
    std::string text = "id\n";
    for (int i = 0; i < 30; ++i) text += "-\n";
    at.file(text);
    const auto told = at.ids();
    REQUIRE(told.size() == 21);
    CHECK(told.back() == "and 39 more in that list");  // 29 of them are doubles
  }

  TEST_CASE("an API's pages are asked for one after the other, with its credentials") {
    house at;
    keeping_server api{[](const std::string& request, int) {
      const bool is_first = request.starts_with("GET /accounts?all HTTP");
      return answer_of(
          200, is_first ? R"({"data":["a","b"],"next":"/accounts?after=b"})" : R"({"data":["c"]})");
    }};
    at.of.client_list->url = api.url("/accounts?all");
    at.of.client_list->rows = "data";
    at.of.client_list->next = "next";
    CHECK(at.ids() == lines{"a", "b", "c"});
    CHECK(count(api.requests(), "Authorization: Bearer hunter2\r\n") == 2);
  }

  TEST_CASE("an address elsewhere, one without end, and a refusal are told without secrets") {
    house at;
    std::string answer;
    keeping_server api{[&](const std::string&, int) { return answer; }};
    at.of.client_list->url = api.url("/accounts?key=hunter2");
    at.of.client_list->rows = "data";
    at.of.client_list->next = "next";
    const auto says = [&](std::string answered, std::string_view what) {
      answer = std::move(answered);
      const auto told = at.ids();
      REQUIRE(told.size() == 1);
      CHECK(told[0].starts_with("http://127.0.0.1:"));
      CHECK(told[0].contains(what));
      CHECK_FALSE(told[0].contains("hunter2"));
    };
    says(answer_of(200, R"({"data":["a"],"next":"http://127.0.0.2:1/x"})"), "is elsewhere");
    says(answer_of(200, R"({"data":["a"],"next":"/accounts?key=hunter2"})"), "has no end");
    says(answer_of(403, "hunter2"), "no list of clients: ");
    says(answer_of(200, R"({"rows":["hunter2"]})"), "no array at \"data\"");
  }
}
}  // namespace wherry::app
