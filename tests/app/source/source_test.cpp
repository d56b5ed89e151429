// SPDX-License-Identifier: Apache-2.0
// Goal: a report is in the spool whole or not at all, and whoever reads the error knows what to do
// and no secret. Method: a server that misbehaves on demand, a real spool.
#include "source/source.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <mutex>

#include "../net/fault_server.hpp"
#include "../scratch.hpp"
#include "wherry/csp/scheduler.hpp"

namespace wherry::app {
namespace {

using fetched = std::expected<download, source_error>;
using is = source_error::meaning;
using namespace std::chrono_literals;
namespace fs = std::filesystem;

constexpr day first{std::chrono::year{2025}, std::chrono::January, std::chrono::day{31}};

struct house {
  testing::scratch at;
  const fs::path directory = at.path;
  std::unique_ptr<spool> files;
  source spec;
  http_client http;

  explicit house(std::uint64_t budget = 1u << 22) {
    files = std::move(*spool::open(directory, budget));
  }

  [[nodiscard]] bool holds_nothing() const {
    return std::ranges::all_of(fs::directory_iterator{directory}, [](const auto& each) {
      return each.path().filename().native().starts_with(".wherry-spool.");
    });
  }

  fetched fetch(std::string url) {
    spec.url = std::move(url);
    http_source from{spec, http};
    thread_scheduler scheduler{{.threads = 2}};
    auto writer = files->write({"acme/2025-01-31", 1, spool_step::download});
    return scheduler.run(from.fetch({"acme", "77", "", "UTC"}, first, writer));
  }
  fetched fetch_bytes(std::string bytes) {
    const fault_server server{fault_server::answers(std::move(bytes))};
    return fetch(server.url("/{client}/{day}.csv"));
  }
};

std::string answer_of(int status, std::string_view body, std::string_view headers = "") {
  return "HTTP/1.1 " + std::to_string(status) + " X\r\n" + std::string{headers} +
         "Content-Length: " + std::to_string(body.size()) + "\r\n\r\n" + std::string{body};
}

// Keeps the requests it saw.
struct recorder {
  std::mutex mutex;
  std::vector<std::string> requests;
  fault_server::handler answering(std::string bytes) {
    return [this, bytes = std::move(bytes)](connection& with) {
      if (auto request = with.read_request()) {
        const std::lock_guard lock{mutex};
        requests.push_back(*request);
        with.send(bytes);
      }
    };
  }
};

}  // namespace

TEST_SUITE("source/source.hpp") {
  TEST_CASE("rows go to the spool and are asked for by client and day") {
    house at;
    recorder seen;
    const fault_server server{seen.answering(answer_of(200, "a,b\n1,2\n"))};
    at.spec.auth = bearer_auth{{"hunter2"}};
    at.spec.headers = {{"X-Team", "blue"}};
    const auto got = at.fetch(server.url("/v1/{account}/{client}/{day}.csv?x=1"));
    REQUIRE(got.has_value());
    CHECK(at.files->read(got->file) == "a,b\n1,2\n");
    REQUIRE(seen.requests.size() == 1);
    CHECK(seen.requests[0].starts_with("GET /v1/77/acme/2025-01-31.csv?x=1 HTTP/1.1\r\n"));
    CHECK(seen.requests[0].contains("Authorization: Bearer hunter2\r\n"));
    CHECK(seen.requests[0].contains("X-Team: blue\r\n"));
    CHECK(seen.requests[0].contains("Accept-Encoding: gzip, zstd\r\n"));
  }

  TEST_CASE("a body is posted as JSON and headers say what is the report's own") {
    house at;
    recorder seen;
    const fault_server server{seen.answering(answer_of(200, "a\n1\n"))};
    at.spec.body = R"({"property":"{account}","dates":["{day}"],"limit":10})";
    at.spec.headers = {{"X-Scope", "{account}"}};
    CHECK(at.fetch(server.url("/run")).has_value());
    CHECK(seen.requests[0].starts_with("POST /run HTTP/1.1\r\n"));
    CHECK(seen.requests[0].contains("Content-Type: application/json\r\n"));
    CHECK(seen.requests[0].contains("X-Scope: 77\r\n"));
    CHECK(seen.requests[0].ends_with(R"({"property":"77","dates":["2025-01-31"],"limit":10})"));
    at.spec.headers = {{"content-type", "application/vnd.reports+json"}};
    CHECK(at.fetch(server.url("/run")).has_value());
    CHECK(seen.requests[1].contains("content-type: application/vnd.reports+json\r\n"));
    CHECK_FALSE(seen.requests[1].contains("Content-Type"));
  }

  TEST_CASE("a redirect takes a body along by 307 within the origin, and by 303 a GET follows") {
    for (const auto& [status, follows] : {std::pair{303, "GET /two "}, {307, "POST /two "}}) {
      house at;
      recorder seen;
      const fault_server server{[&](connection& with) {
        const auto request = with.read_request();
        if (!request) return;
        const std::lock_guard lock{seen.mutex};
        seen.requests.push_back(*request);
        with.send(request->contains(" /one ") ? answer_of(status, "", "Location: /two\r\n")
                                              : answer_of(200, "a\n1\n"));
      }};
      at.spec.body = R"({"day":"{day}"})";
      CHECK(at.fetch(server.url("/one")).has_value());
      REQUIRE(seen.requests.size() == 2);
      CHECK(seen.requests[1].starts_with(follows));
      CHECK(seen.requests[1].contains("2025-01-31") == (status == 307));
    }
  }

  TEST_CASE("a body goes to no other origin") {
    house at;
    recorder elsewhere;
    const fault_server other{elsewhere.answering(answer_of(200, "a\n1\n"))};
    const fault_server server{
        fault_server::answers(answer_of(307, "", "Location: " + other.url("/three") + "\r\n"))};
    at.spec.body = R"({"day":"{day}"})";
    const auto got = at.fetch(server.url("/one"));
    REQUIRE_FALSE(got.has_value());
    CHECK(got.error().message.contains("write the final address in `source.url`"));
    CHECK(elsewhere.requests.empty());
  }

  TEST_CASE("basic and header credentials are sent as such") {
    house at;
    recorder seen;
    const fault_server server{seen.answering(answer_of(200, "a\n"))};
    at.spec.auth = basic_auth{"Aladdin", {"open sesame"}};
    CHECK(at.fetch(server.url()).has_value());
    at.spec.auth = header_auth{"X-Api-Key", {"k1"}};
    CHECK(at.fetch(server.url()).has_value());
    at.spec.auth = basic_auth{"key", {""}};
    CHECK(at.fetch(server.url()).has_value());
    CHECK(seen.requests[0].contains("Authorization: Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==\r\n"));
    CHECK(seen.requests[1].contains("X-Api-Key: k1\r\n"));
    CHECK(seen.requests[2].contains("Authorization: Basic a2V5Og==\r\n"));
  }

  TEST_CASE("a body that is cut leaves nothing in the spool and is tried again") {
    house at;
    const auto got = at.fetch_bytes("HTTP/1.1 200 OK\r\nContent-Length: 900000\r\n\r\n" +
                                    std::string(300'000, 'x'));
    REQUIRE_FALSE(got.has_value());
    CHECK(got.error().is == is::transient);
    CHECK(at.holds_nothing());
    CHECK(at.files->used_bytes() == 0);
  }

  TEST_CASE("a refusal names the key of the credentials and no secret") {
    house at;
    at.spec.auth = bearer_auth{{"hunter2"}};
    const auto got = at.fetch_bytes(answer_of(401, "token hunter2 is unknown"));
    REQUIRE_FALSE(got.has_value());
    CHECK(got.error().is == is::credentials);
    CHECK(got.error().message.contains("401"));
    CHECK(got.error().message.contains("`auth.bearer`"));
    CHECK(got.error().message.contains("http://127.0.0.1:"));
    CHECK_FALSE(got.error().message.contains("hunter2"));
    const auto missing = at.fetch_bytes(answer_of(404, ""));
    CHECK(missing.error().is == is::permanent);
    CHECK(missing.error().message.contains("[[source.on]]"));
  }

  TEST_CASE("429 throttles for as long as the server says") {
    house at;
    const auto got = at.fetch_bytes(answer_of(429, "", "Retry-After: 17\r\n"));
    REQUIRE_FALSE(got.has_value());
    CHECK(got.error().is == is::throttled);
    CHECK(got.error().wait == 17s);
    CHECK(at.fetch_bytes(answer_of(503, "")).error().is == is::transient);
  }

  TEST_CASE("200 with an error inside is classified by the rule and names it") {
    house at;
    answer_rule rule;
    rule.status = 200;
    rule.json = {{"code", "40100"}};
    rule.is = answer_rule::meaning::throttled;
    rule.wait = 5min;
    at.spec.on = {rule};
    const auto got = at.fetch_bytes(answer_of(200, R"({"code": 40100})"));
    REQUIRE_FALSE(got.has_value());
    CHECK(got.error().is == is::throttled);
    CHECK(got.error().wait == 5min);
    CHECK(got.error().message.contains("rule 1"));
    CHECK(at.holds_nothing());
    const auto rows = at.fetch_bytes(answer_of(200, "a,b\n" + std::string(200'000, '1')));
    REQUIRE(rows.has_value());
    CHECK(rows->file.size_bytes == 200'004);
  }

  TEST_CASE("204 is an empty report and an empty 200 is tried again") {
    house at;
    CHECK(at.fetch_bytes("HTTP/1.1 204 No Content\r\n\r\n").error().is == is::empty);
    const auto bare = at.fetch_bytes(answer_of(200, ""));
    REQUIRE_FALSE(bare.has_value());
    CHECK(bare.error().is == is::transient);
    CHECK(bare.error().message.contains("empty body"));
    CHECK_FALSE(bare.error().message.contains("again"));  // it may have been the last attempt
    CHECK_FALSE(at.fetch_bytes(answer_of(503, "")).error().message.contains("again"));
  }

  TEST_CASE("rows that only the closing of the connection ends must end in a line") {
    house at;
    const std::string head = "HTTP/1.1 200 OK\r\n";
    const auto cut = at.fetch_bytes(head + "\r\na,b\n1,2\n1,");
    REQUIRE_FALSE(cut.has_value());
    CHECK(cut.error().is == is::transient);
    CHECK(cut.error().message.contains("may have been cut"));
    CHECK(at.holds_nothing());
    CHECK(at.fetch_bytes(head + "\r\na,b\n1,2\n").has_value());
    CHECK(at.fetch_bytes(answer_of(200, "a,b\n1,2")).has_value());
    CHECK(at.fetch_bytes(head + "Transfer-Encoding: chunked\r\n\r\n7\r\na,b\n1,2\r\n0\r\n\r\n")
              .has_value());
  }

  TEST_CASE("a report that is not ready is waited for and a part of one is refused") {
    house at;
    const auto soon = at.fetch_bytes(answer_of(202, "a,b\n1,2\n", "Retry-After: 9\r\n"));
    REQUIRE_FALSE(soon.has_value());
    CHECK(soon.error().is == is::transient);
    CHECK(soon.error().wait == 9s);
    CHECK(soon.error().message.contains("not ready yet"));
    const auto part = at.fetch_bytes(answer_of(206, "a,b\n1,2\n"));
    REQUIRE_FALSE(part.has_value());
    CHECK(part.error().is == is::permanent);
    CHECK(part.error().message.contains("a part of the report"));
  }

  TEST_CASE("the encoding of a refusal does not overrule its status") {
    house at;
    CHECK(at.fetch_bytes(answer_of(503, "brotli", "Content-Encoding: br\r\n")).error().is ==
          is::transient);
    CHECK(at.fetch_bytes(answer_of(429, "", "Content-Encoding: gzip\r\n")).error().is ==
          is::throttled);
    const auto refused = at.fetch_bytes(answer_of(401, "no gzip", "Content-Encoding: gzip\r\n"));
    CHECK(refused.error().is == is::credentials);
    CHECK(refused.error().message.contains("401"));
    // By a rule these are rows after all: then the body must be whole.
    answer_rule rule;
    rule.status = 404;
    rule.is = answer_rule::meaning::rows;
    at.spec.on = {rule};
    CHECK(at.fetch_bytes(answer_of(404, "a\n", "Content-Encoding: br\r\n")).error().is ==
          is::permanent);
    CHECK(at.holds_nothing());
  }

  TEST_CASE("an endless error page is not read to its end") {
    house at;
    const fault_server server{[](connection& with) {
      if (!with.read_request()) return;
      with.send("HTTP/1.1 404 Not Found\r\n\r\n");
      while (with.send(std::string(10'000, 'x'))) {}
    }};
    CHECK(at.fetch(server.url()).error().is == is::permanent);
    answer_rule rule;
    rule.body_contains = "never there";
    at.spec.on = {rule};
    CHECK(at.fetch(server.url()).error().is == is::permanent);
  }

  TEST_CASE("a report over the limit names the key of the limit") {
    house at;
    at.spec.max_size_bytes = 100;
    const auto got = at.fetch_bytes(answer_of(200, std::string(101, 'x')));
    REQUIRE_FALSE(got.has_value());
    CHECK(got.error().is == is::permanent);
    CHECK(got.error().message.contains("`source.max_size`"));
  }

  TEST_CASE("a full spool throttles for a moment and a report over its share is given up") {
    house at{40};
    auto other = at.files->write({"globex/2025-01-31", 1, spool_step::download});
    REQUIRE(other.write(std::string(15, 'x')).has_value());
    const auto got = at.fetch_bytes(answer_of(200, std::string(11, 'x')));
    REQUIRE_FALSE(got.has_value());
    CHECK(got.error().is == is::spool_full);
    CHECK(got.error().wait == spool_full_wait);
    CHECK(got.error().message.contains("spool_budget"));
    const auto large = at.fetch_bytes(answer_of(200, std::string(21, 'x')));
    REQUIRE_FALSE(large.has_value());
    CHECK(large.error().is == is::permanent);
    CHECK(large.error().message.contains("`spool_budget`"));
  }

  TEST_CASE("a redirect within the origin keeps the credentials and one to another drops them") {
    house at;
    recorder seen, elsewhere;
    const fault_server other{elsewhere.answering(answer_of(200, "a\n1\n"))};
    const fault_server server{[&](connection& with) {
      const auto request = with.read_request();
      if (!request) return;
      const std::lock_guard lock{seen.mutex};
      seen.requests.push_back(*request);
      const std::string to = request->starts_with("GET /one") ? "/two" : other.url("/three");
      with.send(answer_of(302, "moved", "Location: " + to + "\r\n"));
    }};
    at.spec.auth = header_auth{"X-Api-Key", {"hunter2"}};
    at.spec.headers = {{"Cookie", "hunter2"}};
    const auto got = at.fetch(server.url("/one"));
    REQUIRE(got.has_value());
    CHECK(at.files->read(got->file) == "a\n1\n");
    REQUIRE(seen.requests.size() == 2);
    CHECK(seen.requests[1].starts_with("GET /two "));
    CHECK(seen.requests[1].contains("hunter2"));
    REQUIRE(elsewhere.requests.size() == 1);
    CHECK_FALSE(elsewhere.requests[0].contains("hunter2"));
  }

  TEST_CASE("a circle of redirects ends") {
    house at;
    recorder seen;
    const fault_server server{seen.answering(answer_of(302, "", "Location: /again\r\n"))};
    const auto got = at.fetch(server.url());
    REQUIRE_FALSE(got.has_value());
    CHECK(got.error().is == is::permanent);
    CHECK(got.error().message.contains("`source.url`"));
    CHECK(seen.requests.size() == 6);
  }

  TEST_CASE("an unreachable host points to the url of the spec") {
    house at;
    const auto got = at.fetch("http://no-such-host.invalid/{day}");
    REQUIRE_FALSE(got.has_value());
    CHECK(got.error().is == is::transient);
    CHECK(got.error().message.contains("no-such-host.invalid"));
    CHECK(got.error().message.contains("`source.url`"));
  }

  TEST_CASE("a client that does not fit the url is a permanent error") {
    house at;
    const auto got = at.fetch("http://127.0.0.1:1/{currency}/{day}");
    REQUIRE_FALSE(got.has_value());
    CHECK(got.error().is == is::permanent);
    CHECK(got.error().message.contains("`source.url`"));
  }

}  // TEST_SUITE

}  // namespace wherry::app
