// SPDX-License-Identifier: Apache-2.0
// Goal: [source.request] and [source.poll]: what is read, and each mistake with its place and
// remedy. Method: as keys_test.
#include "sample.hpp"
#include "spec/init.hpp"
#include "spec/template.hpp"

using namespace wherry::app;
using namespace wherry::app::sample;
using namespace std::chrono_literals;

namespace {

constexpr std::string_view url_line = "url = \"https://host/{client}/{day}.csv\"\n";
constexpr std::string_view tables = R"([source.request]
url = "https://host/reports"
body = { account = "{account}", filter = { days = ["{day}"] }, rows = 5, all = true }
id = "report.id"
duplicate = "duplicate of : {report}"
[source.poll]
url = "https://host/reports/{report}"
ready = { status = "DONE" }
link = "url"
)";

/// The smallest spec of a report that is requested, with one piece of its tables replaced.
std::string requested(std::string_view piece = "", std::string_view by = "") {
  std::string more{tables};
  const auto at = more.find(piece);
  REQUIRE(at != more.npos);
  more.replace(at, piece.size(), by);
  return changed(url_line, more);
}

std::string only(const lines& of) { return of.size() == 1 ? of[0] : std::to_string(of.size()); }

bool says(const std::string& text, std::string_view part) { return text.find(part) != text.npos; }

}  // namespace

TEST_SUITE("spec/read.hpp reports that are requested") {
  TEST_CASE("request and poll are read and the rest has its defaults") {
    const auto made = good(requested());
    REQUIRE(made.source.request.has_value());
    REQUIRE(made.source.poll.has_value());
    CHECK(made.source.url.empty());
    CHECK(made.source.request->id == "report.id");
    CHECK(made.source.request->duplicate == "duplicate of : {report}");
    CHECK(made.source.poll->ready == std::map<std::string, std::string>{{"status", "DONE"}});
    CHECK(made.source.poll->every == 30s);
    CHECK(made.source.poll->give_up == 6h);
  }

  TEST_CASE("what wherry init shows of it is good in place of an address") {
    std::string text{starting_spec()};
    const auto uncomment = [&](std::string_view header) {
      for (auto at = text.find("\n#" + std::string(header)); text[at + 1] == '#';
           at = text.find('\n', at + 1)) {
        if (!std::string_view(text).substr(at).starts_with("\n#download")) text.erase(at + 1, 1);
      }
    };
    text.insert(text.find("\nurl ") + 1, "#");
    uncomment("[source.request]");
    uncomment("[source.poll]");
    const auto made = good(text, {{"API_TOKEN", "t"}, {"PWD", "/home/me"}});
    CHECK(made.source.request->id == "reportId");
    CHECK(made.source.poll->link == "url");
  }

  TEST_CASE("the body is JSON with the values of each report as texts") {
    const auto made = good(requested());
    const day on{std::chrono::year{2025}, std::chrono::January, std::chrono::day{31}};
    const client of{.id = "acme", .account = "a \"b\"", .currency = "", .timezone = "UTC"};
    CHECK(expand_body(made.source.request->body, of, on) ==
          R"({"account":"a \"b\"","filter":{"days":["2025-01-31"]},"rows":5,"all":true})");
  }

  TEST_CASE("a report has an address or is requested and polled") {
    CHECK(says(only(mistakes(changed(url_line, ""))), "url in [source] is missing; write url = "));
    CHECK(says(
        only(mistakes(requested("[source.request]", std::string(url_line) + "[source.request]"))),
        "request in [source] and url are both there"));
    CHECK(says(
        only(mistakes(added("[source.poll]", "url = \"https://host/{report}\"\nlink = \"u\""))),
        "poll in [source] polls what nothing requests; add [source.request]"));
    const auto alone = changed(url_line, "[source.request]\nurl = \"https://host/reports\"\n");
    CHECK(says(only(mistakes(alone)), "request in [source] has no [source.poll]"));
  }

  TEST_CASE("a poll says when a report is ready and where it is then") {
    CHECK(says(only(mistakes(requested("link = \"url\"\n", ""))),
               "poll in [source] does not say where a report is that is ready"));
    CHECK(says(only(mistakes(requested("link = \"url\"",
                                       "link = \"url\"\ndownload = \"https://host/{report}\""))),
               "poll in [source] has both link and download"));
    CHECK(says(only(mistakes(requested("ready = { status = \"DONE\" }\nlink = \"url\"",
                                       "download = \"https://host/{report}\""))),
               "poll in [source] does not say when a report is ready"));
    CHECK(good(requested("ready = { status = \"DONE\" }\n", "")).source.poll->ready.empty());
  }

  TEST_CASE(
      "an address of a made report without its id, or an id where none is yet, is a mistake") {
    CHECK(
        says(only(mistakes(requested("/reports/{report}", "/reports"))),
             "url in [source.poll] asks for the same report whatever was requested; put {report}"));
    CHECK(good(requested("/reports/{report}\"", "/reports\"\nbody = { id = \"{report}\" }"))
              .source.poll->body == R"({"id":"{report}"})");
    CHECK(says(only(mistakes(requested("https://host/reports\"", "https://host/{report}\""))),
               "url in [source.request] has an unknown placeholder \"{report}\""));
    CHECK(says(only(mistakes(requested("{account}", "{acount}"))),
               "account in [source.request.body] has an unknown placeholder \"{acount}\"; did you "
               "mean {account}?"));
  }

  TEST_CASE("a body of [source] beside [source.request] is a mistake") {
    CHECK(says(only(mistakes(requested("[source.request]", "body = { a = 1 }\n[source.request]"))),
               "body in [source] and request are both there; what is sent to request a report "
               "stands in the body of [source.request]"));
  }

  TEST_CASE("a duplicate that does not say where the id stands is a mistake") {
    for (const std::string_view bad : {"no id", "{report}", "a {report} b {report}"}) {
      CAPTURE(bad);
      CHECK(says(only(mistakes(requested("duplicate of : {report}", bad))),
                 "duplicate in [source.request] is "));
    }
  }
}
