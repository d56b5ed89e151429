// SPDX-License-Identifier: Apache-2.0
// Goal: rates are fetched whole or not at all; a copy stands in for a weekend, never longer, and no
// error shows more of the address than its origin.
#include "commands/fetched_rates.hpp"

#include <doctest/doctest.h>

#include <fstream>
#include <iterator>

#include "../net/fault_server.hpp"
#include "../scratch.hpp"
#include "wherry/csp/scheduler.hpp"

using namespace wherry;
using namespace wherry::app;
using namespace std::chrono_literals;
using std::chrono::system_clock;

namespace {

constexpr std::string_view old_rates = "Date,USD\n2001-03-09,0.9329\n";
constexpr std::string_view new_rates = "Date,USD\n2001-03-12,0.9300\n2001-03-09,0.9329\n";

std::string answer(std::string_view status, std::string_view body, std::string_view more = "") {
  return "HTTP/1.1 " + std::string(status) + "\r\nContent-Length: " + std::to_string(body.size()) +
         "\r\n" + std::string(more) + "\r\n" + std::string(body);
}

struct place {
  testing::scratch here;
  transform of;

  explicit place(std::string url) {
    of.rates = here.path / "ads.rates";
    of.rates_url = std::move(url);
  }
  void keep_old() const { std::ofstream(of.rates) << old_rates; }
  std::string kept() const {
    std::ifstream file(of.rates);
    return {std::istreambuf_iterator<char>(file), {}};
  }
  auto fetch(system_clock::duration later = {}) const {
    http_client client;
    thread_scheduler scheduler({.threads = 1, .blocking_threads = 1});
    return scheduler.run(fetch_rates(&client, of, system_clock::now() + later));
  }
  std::size_t entries() const {
    return static_cast<std::size_t>(
        std::distance(std::filesystem::directory_iterator(here.path), {}));
  }
};

bool says(const std::string& text, std::string_view part) { return text.find(part) != text.npos; }

}  // namespace

TEST_SUITE("commands/fetched_rates.hpp") {
  TEST_CASE("without an address nothing is fetched") {
    const auto done = place("").fetch();
    REQUIRE(done);
    CHECK_FALSE(*done);
  }
  TEST_CASE("new rates take the place of the old ones") {
    const fault_server server(fault_server::answers(answer("200 OK", new_rates)));
    const place at(server.url("/rates.csv"));
    at.keep_old();
    const auto done = at.fetch();
    REQUIRE(done);
    CHECK_FALSE(*done);
    CHECK(at.kept() == new_rates);
    CHECK(at.entries() == 1);
  }
  TEST_CASE("a redirect is followed, and not for ever") {
    const fault_server there(fault_server::answers(answer("200 OK", new_rates)));
    const fault_server here(fault_server::answers(
        answer("302 Found", "", "Location: " + there.url("/moved") + "\r\n")));
    const place at(here.url());
    CHECK(at.fetch());
    CHECK(at.kept() == new_rates);
    const fault_server round(
        fault_server::answers(answer("302 Found", "", "Location: /again\r\n")));
    const place lost(round.url());
    const auto done = lost.fetch();
    REQUIRE_FALSE(done);
    CHECK(says(done.error(), "answered 302"));
    CHECK(round.connections() == 6);
    const fault_server away(
        fault_server::answers(answer("302 Found", "", "Location: ftp://127.0.0.1/rates.csv\r\n")));
    const auto refused = place(away.url()).fetch();
    REQUIRE_FALSE(refused);
    CHECK(says(refused.error(), "answered 302"));
  }
  TEST_CASE("a failure is a warning while the copy is of a weekend, and then an error") {
    const fault_server server(fault_server::answers(answer("503 Service Unavailable", "")));
    const place at(server.url("/rates.csv?key=hush"));
    at.keep_old();
    const auto warned = at.fetch(71h);
    REQUIRE(warned);
    REQUIRE(*warned);
    CHECK(says(**warned, "those of 71 h ago are used"));
    CHECK_FALSE(says(**warned, "hush"));
    const auto late = at.fetch(74h);
    REQUIRE_FALSE(late);
    CHECK(says(late.error(), "answered 503"));
    CHECK(says(late.error(), "is 3 days old"));
    CHECK(says(late.error(), "[transform] rates"));
    CHECK_FALSE(says(late.error(), "hush"));
    CHECK(at.kept() == old_rates);
  }
  TEST_CASE("without a copy a failure is an error that names host and remedy") {
    const place at("http://127.0.0.1:1/rates.csv");
    const auto done = at.fetch();
    REQUIRE_FALSE(done);
    CHECK(says(done.error(), "127.0.0.1"));
    CHECK(says(done.error(), "there is no copy"));
  }
  TEST_CASE("what is no rates file does not replace one that is") {
    const fault_server server(fault_server::answers(answer("200 OK", "<html>Sorry</html>")));
    const place at(server.url());
    at.keep_old();
    const auto done = at.fetch(96h);
    REQUIRE_FALSE(done);
    CHECK(says(done.error(), "ECB's format"));
    CHECK(at.kept() == old_rates);
    CHECK(at.entries() == 1);
  }
}
