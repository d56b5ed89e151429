// SPDX-License-Identifier: Apache-2.0
// Goal: the pages of a report are asked for one after the other, and the last one is known. Method:
// answers as APIs give them; then a server of pages.
#include "source/pages.hpp"

#include <doctest/doctest.h>

#include <fmt/format.h>

#include "sign_in.hpp"

namespace wherry::app {
namespace {

using way = report_pages::way;
using kind = report_format::kind;

report_format format_of(kind type, std::string rows = {}) {
  report_format made;
  made.type = type;
  made.rows = std::move(rows);
  return made;
}

std::string next_of(const report_pages& how, std::string_view body, std::string_view asked_by = "",
                    http_headers headers = {},
                    const report_format& format = format_of(kind::json, "data")) {
  const auto next = next_page(how, format, {.headers = headers, .body = body}, asked_by);
  return next ? *next : "wrong: " + next.error();
}

report_pages by(way how) {
  report_pages made;
  made.by = how;
  return made;
}

}  // namespace

TEST_SUITE("source/pages.hpp") {
  TEST_CASE("totals at the end of a page are no rows and what begins so before is one") {
    auto format = format_of(kind::csv);
    format.totals_begin = "Total";
    CHECK(count_rows(format, "a,b\n1,2\n3,4\nTotal,6\n\n\"Total\" of all,6") == 2);
    CHECK(count_rows(format, "a,b\nTotal,2\n\"x\nTotal\",4\n") == 2);
    CHECK(count_rows(format, "a,b\n") == 0);
    CHECK(count_rows(format, "a,b\n5\" wide,2\n\"a \"\"b\"\"\n\",4\nTotal,6\n") == 2);
    format.totals_begin = {};
    format.totals = 2;
    CHECK(count_rows(format, "a,b\n1,2\nsum,2\n(c)\n") == 1);
  }

  TEST_CASE("a link stands in the body and none is the end") {
    auto how = by(way::link);
    how.json = "paging.next";
    CHECK(next_of(how, R"({"paging": {"next": "https://api/2"}})") == "https://api/2");
    for (const auto last : {R"({"paging": {}})", R"({"paging": {"next": null}})", R"({"a": 1})",
                            R"({"paging": {"next": ""}})"}) {
      CHECK(next_of(how, last).empty());
    }
    CHECK(next_of(how, "a,b\n1,2\n") == "wrong: is no JSON, in which the next page is looked for");
  }

  TEST_CASE("a link stands in a header by RFC 8288 or by itself") {
    auto how = by(way::link);
    how.header = "Link";
    const auto link = [&](const char* header) {
      return next_of(how, "a\n1\n", "", {{"link", header}}, format_of(kind::csv));
    };
    CHECK(link(R"(<https://api/2>; rel="next")") == "https://api/2");
    CHECK(link(R"(<https://api/1>; rel="prev", <https://api/3>; rel=next; title="x")") ==
          "https://api/3");
    CHECK(link(R"(<https://api/1>; rel="prev")").empty());
    CHECK(link("https://api/2") == "https://api/2");
    CHECK(next_of(how, "a\n1\n", "", {}, format_of(kind::csv)).empty());
  }

  TEST_CASE("an access token in a link is not kept") {
    const auto without = [](std::string_view link) { return without_secrets(link, {}); };
    CHECK(without("https://h/p?access_token=s3cret&after=1") == "https://h/p?after=1");
    CHECK(without("https://h/p?after=1&access_token=s3cret") == "https://h/p?after=1");
    CHECK(without("https://h/p?a=1&access_token=s3cret&b=2#x") == "https://h/p?a=1&b=2#x");
    CHECK(without("https://h/p?access_token=s3cret") == "https://h/p");
    CHECK(without("https://h/p?access_token=s3cret#x") == "https://h/p#x");
    CHECK(without("https://h/p?my_access_token=1") == "https://h/p?my_access_token=1");
    CHECK(without("https://h/p#?access_token=1") == "https://h/p#?access_token=1");
  }

  TEST_CASE("nor is a key that the spec puts into the query however the API spells its name") {
    source spec;
    spec.auth = query_auth{.name = "api key", .value = {"s3cret"}};
    spec.more_auth = {query_auth{.name = "k", .value = {"0ther"}}};
    CHECK(without_secrets("/p?api%20key=s3cret&after=1&k=0ther", spec) == "/p?after=1");
    CHECK(without_secrets("/p?after=1&api+key=s3%63ret", spec) == "/p?after=1");
    CHECK(without_secrets("/p?%6b=0ther&kk=1", spec) == "/p?kk=1");
  }

  TEST_CASE("a cursor is what the answer says as a text or a number") {
    auto how = by(way::cursor);
    how.json = "next";
    CHECK(next_of(how, R"({"next": "abc=="})") == "abc==");
    CHECK(next_of(how, R"({"next": 17})") == "17");
    CHECK(next_of(how, R"({"next": null})").empty());
    CHECK(page_values(how, "abc==").at("cursor") == "abc==");
    CHECK(page_values(how, "").at("cursor").empty());
  }

  TEST_CASE("pages are counted until a short one") {
    auto how = by(way::page);
    how.size = 2;
    CHECK(page_values(how, "").at("page") == "1");
    CHECK(page_values(how, "").at("size") == "2");
    CHECK(next_of(how, R"({"data": [1, 2]})") == "2");
    CHECK(page_values(how, "2").at("page") == "2");
    CHECK(next_of(how, R"({"data": [1, 2]})", "2") == "3");
    CHECK(next_of(how, R"({"data": [1]})", "3").empty());
    CHECK(next_of(how, R"({"data": []})", "3").empty());
    CHECK(next_of(how, R"({"list": []})") == "wrong: has no rows where `source.format.rows` says");
    how.first = 0;
    CHECK(page_values(how, "").at("page") == "0");
    CHECK(next_of(how, R"({"data": [1, 2]})") == "1");
  }

  TEST_CASE("offsets count rows and not requests") {
    auto how = by(way::offset);
    how.size = 3;
    CHECK(page_values(how, "").at("offset") == "0");
    CHECK(next_of(how, "a\n1\n2\n3\n", "", {}, format_of(kind::csv)) == "3");
    CHECK(next_of(how, "a\n4\n5\n6\n", "3", {}, format_of(kind::csv)) == "6");
    CHECK(next_of(how, "a\n7\n", "6", {}, format_of(kind::csv)).empty());
  }

  TEST_CASE("the answer may say which page is the last or whether there are more") {
    auto how = by(way::page);
    how.last = "info.pages";
    CHECK(next_of(how, R"({"data": [1], "info": {"pages": 2}})") == "2");
    CHECK(next_of(how, R"({"data": [1], "info": {"pages": 2}})", "2").empty());
    CHECK(next_of(how, R"({"data": []})").empty());
    how = by(way::offset);
    how.more = "more";
    CHECK(next_of(how, R"({"data": [1, 2], "more": true})", "10") == "12");
    CHECK(next_of(how, R"({"data": [1, 2], "more": false})", "10").empty());
  }

  TEST_CASE("an answer that has rows and does not say whether it is the last is an error") {
    auto how = by(way::page);
    how.last = "info.pages";
    const auto pages = [&](std::string last, std::string_view asked_by = "") {
      return next_of(how, R"({"data": [1], "info": {"pages": )" + last + "}}", asked_by);
    };
    CHECK(pages("12.0", "2") == "3");
    CHECK(pages("\"12\"", "2") == "3");
    CHECK(pages("12.0", "12").empty());
    const auto untold = [](std::string_view path, std::string_view key) {
      return fmt::format(
          "wrong: has rows, and nothing at \"{}\" (`source.pages.{}`) that says "
          "whether it is the last",
          path, key);
    };
    for (const auto* none : {"null", "-1", "12.5", "\"12 pages\"", "[]"}) {
      CHECK(pages(none) == untold("info.pages", "last"));
    }
    how.last = "pages";
    CHECK(pages("2") == untold("pages", "last"));
    CHECK(next_of(how, R"({"data": []})", "2").empty());
    how = by(way::offset);
    how.more = "more";
    const auto more = [&](std::string says) {
      return next_of(how, R"({"data": [1, 2], "more": )" + says + "}", "10");
    };
    for (const auto* yes : {"true", "1", "\"true\"", "\"1\"", "17"}) CHECK(more(yes) == "12");
    for (const auto* no : {"false", "0", "\"false\"", "null"}) CHECK(more(no).empty());
    CHECK(more("\"perhaps\"") == untold("more", "more"));
    CHECK(next_of(how, R"({"data": [1, 2]})", "10") == untold("more", "more"));
    CHECK(next_of(how, R"({"data": []})", "10").empty());
  }

  TEST_CASE("a cursor or a link is not followed where the answer says that there is no more") {
    auto how = by(way::cursor);
    how.json = "next";
    how.more = "more";
    CHECK(next_of(how, R"({"data": [1], "next": "a", "more": true})") == "a");
    CHECK(next_of(how, R"({"data": [1], "next": "a", "more": false})", "a").empty());
    how.by = way::link;
    CHECK(next_of(how, R"({"data": [1], "next": "/a", "more": 0})").empty());
  }

  TEST_CASE("rows are records and not lines") {
    auto csv = format_of(kind::csv);
    CHECK(count_rows(csv, "a,b\n1,\"x\ny\"\n2,z\n") == 2);
    CHECK(count_rows(csv, "a,b\n1,x\n2,y") == 2);
    CHECK(count_rows(csv, "a,b\n\n") == 0);
    CHECK(count_rows(csv, "") == 0);
    csv.skip = 1;
    CHECK(count_rows(csv, "Report of today\na,b\n1,x\n") == 1);
    csv.header = false;
    csv.skip = 0;
    CHECK(count_rows(csv, "1,x\n2,y\n") == 2);
    CHECK(count_rows(format_of(kind::jsonl), "{\"a\":1}\n{\"a\":2}\n\n") == 2);
    CHECK(count_rows(format_of(kind::json), "[1,2,3]") == 3);
  }

  TEST_CASE("a page of a server leads to the next one and credentials go to no other origin") {
    keeping_server other{always(answer_of(200, R"({"data":[3]})"))};
    keeping_server api{[&](const std::string& request, int) {
      const bool is_first = request.starts_with("GET /acme ");
      return answer_of(200, is_first ? R"({"data":[1],"next":"/acme?after=1"})"
                                     : R"({"data":[2],"next":")" + other.url("/x") + R"("})");
    }};
    sign_in::house at;
    at.spec.url = api.url("/{client}");
    at.spec.auth = bearer_auth{{"hunter2"}};
    at.spec.format = format_of(kind::json, "data");
    at.spec.pages = by(way::link);
    at.spec.pages->json = "next";
    http_source from{at.spec, at.http};
    const auto fetch = [&](std::string next) {
      auto writer = at.files->write({.id = "acme", .generation = 1, .number = 0});
      thread_scheduler scheduler{{.threads = 1}};
      return scheduler.run(from.fetch_page(
          {.id = "acme", .account = "a", .currency = {}, .timezone = {}},
          parse_day("2025-01-31").value(), {.next = std::move(next)}, std::nullopt, writer));
    };
    const auto first = fetch("");
    REQUIRE(first.has_value());
    CHECK(first->next == "/acme?after=1");
    const auto second = fetch(first->next);
    REQUIRE(second.has_value());
    CHECK(second->next == other.url("/x"));
    const auto third = fetch(second->next);
    REQUIRE(third.has_value());
    CHECK(third->next.empty());
    for (const auto& each : api.requests()) CHECK(each.contains("Bearer hunter2"));
    REQUIRE(other.requests().size() == 1);
    CHECK_FALSE(other.requests().front().contains("hunter2"));
  }

  TEST_CASE("of counted pages an empty one is the end and one that is gone is asked for anew") {
    std::string answers = answer_of(200, "");
    keeping_server api{[&](const std::string&, int) { return answers; }};
    sign_in::house at;
    at.spec.url = api.url("/{client}?page={page}");
    at.spec.pages = by(way::page);
    at.spec.pages->size = 2;
    http_source from{at.spec, at.http};
    const auto wrong = [&](std::string next) {
      auto writer = at.files->write({.id = "acme", .generation = 1, .number = 0});
      thread_scheduler scheduler{{.threads = 1}};
      const auto got = scheduler.run(from.fetch_page(
          {.id = "acme", .account = "a", .currency = {}, .timezone = {}},
          parse_day("2025-01-31").value(), {.next = std::move(next)}, std::nullopt, writer));
      return got ? source_error{} : got.error();
    };
    CHECK(wrong("2").is == source_error::meaning::empty);
    CHECK(wrong("").is == source_error::meaning::transient);
    at.spec.pages->by = way::cursor;
    CHECK(wrong("2").is == source_error::meaning::transient);
    for (const int status : {400, 403, 404, 410}) {
      answers = answer_of(status, "no such cursor");
      CHECK(wrong("").is == source_error::meaning::permanent);
      const auto later = wrong("2");
      CHECK(later.is == source_error::meaning::expired);
      CHECK(later.message.contains("at a later page of the report"));
    }
    at.spec.on.emplace_back().is = answer_rule::meaning::permanent;
    at.spec.on.back().status = 400;
    answers = answer_of(400, "");
    CHECK(wrong("2").is == source_error::meaning::permanent);
  }

  TEST_CASE("pages that are packed or UTF-16 are told and not counted") {
    using namespace std::string_view_literals;
    CHECK(is_packed("\x1f\x8b\x08"));
    CHECK(is_packed("PK\x03\x04"));
    CHECK(
        is_packed("\xff\xfe"
                  "a\0"sv));
    CHECK_FALSE(
        is_packed("\xef\xbb\xbf"
                  "a"));
    CHECK_FALSE(is_packed(""));
  }

  TEST_CASE("a page that is followed by itself is told and no end of requests") {
    keeping_server api{always(answer_of(200, R"({"data":[1],"next":"again"})"))};
    sign_in::house at;
    at.spec.url = api.url("/{client}?after={cursor}");
    at.spec.format = format_of(kind::json, "data");
    at.spec.pages = by(way::cursor);
    at.spec.pages->json = "next";
    http_source from{at.spec, at.http};
    auto writer = at.files->write({.id = "acme", .generation = 1, .number = 0});
    thread_scheduler scheduler{{.threads = 1}};
    const auto got = scheduler.run(
        from.fetch_page({.id = "acme", .account = "a", .currency = {}, .timezone = {}},
                        parse_day("2025-01-31").value(), {.next = "again"}, std::nullopt, writer));
    REQUIRE_FALSE(got.has_value());
    CHECK(got.error().is == source_error::meaning::permanent);
    CHECK(got.error().message.contains("followed by itself; check [source.pages]"));
    CHECK(api.requests().front().starts_with("GET /acme?after=again "));
  }
}

}  // namespace wherry::app
