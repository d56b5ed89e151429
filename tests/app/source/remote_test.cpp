// SPDX-License-Identifier: Apache-2.0
// Goal: what an API says of a report that it makes on request is understood, and what it should not
// have said is told with the key to look at. Method: a server that answers as the case says.
#include <doctest/doctest.h>

#include "../net/fault_server.hpp"
#include "../scratch.hpp"
#include "source/source.hpp"
#include "wherry/csp/scheduler.hpp"

namespace wherry::app {
namespace {

using is = remote_progress::is;
using meaning = source_error::meaning;
using namespace std::chrono_literals;

constexpr day first{std::chrono::year{2025}, std::chrono::January, std::chrono::day{31}};
const client acme{.id = "acme", .account = "77", .currency = "", .timezone = "UTC"};

std::string answer(int status, std::string_view body) {
  return "HTTP/1.1 " + std::to_string(status) +
         " X\r\nContent-Length: " + std::to_string(body.size()) + "\r\n\r\n" + std::string{body};
}

struct asker {
  source spec;
  http_client http;
  asker() {
    spec.request = report_request{.url = {}, .body = {}, .id = "report.id", .duplicate = {}};
    spec.poll = report_poll{.url = {},
                            .body = {},
                            .ready = {{"status", "DONE"}},
                            .failed = {{"status", "FAILED"}},
                            .link = "url",
                            .download = {}};
  }

  std::expected<std::string, source_error> request(int status, std::string_view body) {
    const fault_server server{fault_server::answers(answer(status, body))};
    spec.request->url = server.url("/reports");
    http_source from{spec, http};
    thread_scheduler scheduler{{.threads = 1}};
    return scheduler.run(from.request(acme, first, ""));
  }
  std::string asked;  // the last poll
  std::expected<remote_progress, source_error> poll(int status, std::string_view body) {
    const fault_server server{[&](connection& with) {
      if (auto question = with.read_request()) {
        asked = *std::move(question);
        with.send(answer(status, body));
      }
    }};
    spec.poll->url = server.url("/reports/{report}");
    http_source from{spec, http};
    thread_scheduler scheduler{{.threads = 1}};
    return scheduler.run(from.poll(acme, first, "r-1"));
  }
  source_error refused(int status, bool may_expire) {
    const testing::scratch at;
    const auto files = spool::open(at.path, 1u << 20).value();
    const fault_server server{fault_server::answers(answer(status, "no"))};
    http_source from{spec, http};
    auto writer = files->write({.id = "acme", .generation = 1, .number = 0});
    thread_scheduler scheduler{{.threads = 1}};
    return scheduler
        .run(from.fetch(
            {.url = server.url("/r"), .with_credentials = true, .may_expire = may_expire}, writer))
        .error();
  }
};

bool says(const std::string& text, std::string_view part) { return text.find(part) != text.npos; }

}  // namespace

TEST_SUITE("source/source.hpp reports that the API makes") {
  TEST_CASE("the id is where the spec says, also as a number and also with 202") {
    asker one;
    CHECK(one.request(200, R"({"report":{"id":"r-7"}})") == "r-7");
    CHECK(one.request(202, R"({"report":{"id":7}})") == "7");
  }

  TEST_CASE("an answer without the id is told with the key to look at and tried again") {
    asker one;
    for (const auto body : {R"({"id":"r-7"})", R"({"report":{"id":""}})"}) {
      const auto seen = one.request(200, body);
      REQUIRE_FALSE(seen.has_value());
      CHECK(seen.error().is == meaning::transient);
      CHECK(says(seen.error().message, R"(without the report's id at "report.id")"));
      CHECK(says(seen.error().message, "`source.request.id`"));
    }
    const auto page = one.request(200, "<html>");
    REQUIRE_FALSE(page.has_value());
    CHECK(says(page.error().message, "no JSON"));
  }

  TEST_CASE("the id of a report that was asked for before is taken from the answer that says so") {
    asker one;
    one.spec.request->duplicate = "duplicate of : {report}";
    CHECK(one.request(425, R"({"details":"The Request is a duplicate of : 1a-2b.3"})") ==
          "1a-2b.3");
    one.spec.request->duplicate = R"("known":"{report}")";
    CHECK(one.request(409, R"({"known":"any thing","x":1})") == "any thing");
    CHECK_FALSE(one.request(425, R"({"details":"something else"})").has_value());
  }

  TEST_CASE("a refused request means what its status or a rule says") {
    asker one;
    CHECK(one.request(429, "").error().is == meaning::throttled);
    CHECK(one.request(400, "").error().is == meaning::permanent);
    CHECK(one.request(503, "").error().is == meaning::transient);
    one.spec.on = {{.status = 207,
                    .headers = {},
                    .body_contains = "ConcurrentRequestOverLimit",
                    .json = {},
                    .is = answer_rule::meaning::throttled,
                    .wait = 1min,
                    .wait_from = {}}};
    const auto full = one.request(207, R"({"error":"ConcurrentRequestOverLimit"})");
    REQUIRE_FALSE(full.has_value());
    CHECK(full.error().is == meaning::throttled);
    CHECK(full.error().wait == 1min);
  }

  TEST_CASE("a report is not ready until the answer says so") {
    asker one;
    CHECK(one.poll(200, R"({"status":"RUNNING"})")->now == is::not_ready);
    CHECK(one.poll(202, "")->now == is::not_ready);
    CHECK(one.poll(425, "")->now == is::not_ready);
    one.spec.poll->ready.clear();
    CHECK(one.poll(200, R"({"url":null})")->now == is::not_ready);
    CHECK(one.poll(200, R"({"url":"https://there/r"})")->now == is::ready);
  }

  TEST_CASE("a ready report is at the link without credentials or at the address of the spec") {
    asker one;
    const auto linked = one.poll(200, R"({"status":"DONE","url":"https://there/r?sig=1"})");
    REQUIRE(linked.has_value());
    CHECK(linked->now == is::ready);
    CHECK(linked->place.url == "https://there/r?sig=1");
    CHECK_FALSE(linked->place.with_credentials);
    one.spec.poll->link.clear();
    one.spec.poll->download = "https://host/{account}/{report}";
    const auto named = one.poll(200, R"({"status":"DONE"})");
    REQUIRE(named.has_value());
    CHECK(named->place.url == "https://host/77/r-1");
    CHECK(named->place.with_credentials);
    CHECK((linked->place.may_expire && named->place.may_expire));
  }

  TEST_CASE("a report that is gone from where it was ready is asked for anew") {
    asker one;
    for (const int status : {404, 410}) CHECK(one.refused(status, true).is == meaning::expired);
    CHECK(one.refused(403, true).is == meaning::permanent);
    const auto lost = one.refused(404, false);
    CHECK(lost.is == meaning::permanent);
    CHECK_FALSE(says(lost.message, "\"empty\""));
  }

  TEST_CASE("a poll with a body is a POST that names the report") {
    asker one;
    one.spec.headers = {{"X-Scope", "{account}"}};
    CHECK(one.poll(200, R"({"status":"RUNNING"})")->now == is::not_ready);
    CHECK(one.asked.starts_with("GET /reports/r-1 "));
    one.spec.poll->body = R"({"ReportRequestId":"{report}","of":"{account}"})";
    CHECK(one.poll(200, R"({"status":"RUNNING"})")->now == is::not_ready);
    CHECK(one.asked.starts_with("POST /reports/r-1 "));
    CHECK(says(one.asked, "X-Scope: 77\r\n"));
    CHECK(one.asked.ends_with(R"({"ReportRequestId":"r-1","of":"77"})"));
  }

  TEST_CASE("a report that is ready and has no address has no rows") {
    asker one;
    for (const auto body : {R"({"status":"DONE"})", R"({"status":"DONE","url":null})"}) {
      const auto seen = one.poll(200, body);
      REQUIRE_FALSE(seen.has_value());
      CHECK(seen.error().is == meaning::empty);
    }
  }

  TEST_CASE("a report that failed or that nobody knows any more is gone") {
    asker one;
    CHECK(one.poll(200, R"({"status":"FAILED"})")->now == is::gone);
    CHECK(one.poll(404, "")->now == is::gone);
    CHECK(one.poll(410, "")->now == is::gone);
    CHECK(one.poll(401, "").error().is == meaning::credentials);
  }
}

}  // namespace wherry::app
