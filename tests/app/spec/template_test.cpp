// SPDX-License-Identifier: Apache-2.0
// Goal: placeholders give addresses that lead where the template says and nowhere else.
// Method: hostile values of clients, one scheme at a time.
#include "spec/template.hpp"

#include <doctest/doctest.h>

using namespace wherry::app;

namespace {

const client plain{.id = "acme", .account = "77", .currency = "EUR", .timezone = "UTC"};
const day last_of_january = *parse_day("2025-01-31");

client with_account(std::string account) {
  return {.id = "acme", .account = std::move(account), .currency = {}, .timezone = "UTC"};
}

std::string url(std::string_view text, const client& of = plain) {
  const auto made = expand_url(text, of, last_of_january);
  REQUIRE(made);
  return *made;
}

std::string fault(std::string_view text, const client& of) {
  const auto made = expand_url(text, of, last_of_january);
  REQUIRE_FALSE(made);
  return made.error().part + ": " + made.error().message;
}

std::vector<std::string> faults(std::string_view text,
                                template_scope scope = template_scope::report) {
  std::vector<std::string> out;
  for (const auto& one : check_template(text, scope))
    out.push_back(one.message + "; " + one.remedy);
  return out;
}

}  // namespace

TEST_SUITE("spec/template.hpp") {
  TEST_CASE("placeholders become the values of the report") {
    CHECK(url("https://h/{client}/{account}/{currency}/{day}.csv") ==
          "https://h/acme/77/EUR/2025-01-31.csv");
    CHECK(url("s3://b/y={day:%Y}/m={day:%m}/{day:%Y%m%d}") == "s3://b/y=2025/m=01/20250131");
    CHECK(url("file:///o/{day:%Y/%m/%d}/{client}.csv") == "file:///o/2025/01/31/acme.csv");
    CHECK(url("https://h/") == "https://h/");
  }

  TEST_CASE("doubled braces are braces") {
    CHECK(url("https://h/{{{client}}}/{{day}}") == "https://h/{acme}/{day}");
  }

  TEST_CASE("values are percent encoded in http and s3 addresses") {
    const auto odd = with_account("a b/c?d#e&f=%é");
    CHECK(url("https://h/{account}", odd) == "https://h/a%20b%2Fc%3Fd%23e%26f%3D%25%C3%A9");
    CHECK(url("s3://b/{account}.csv", odd) == "s3://b/a%20b%2Fc%3Fd%23e%26f%3D%25%C3%A9.csv");
    CHECK(url("file:///o/{account}", with_account("a b%é")) == "file:///o/a b%é");
  }

  TEST_CASE("a value cannot leave the directory of a file") {
    CHECK(fault("file:///o/{account}.csv", with_account("a/b")) ==
          R"({account}: client "acme" has a "/" in its account)");
    CHECK(fault("file:///o/{account}/x.csv", with_account("..")) ==
          R"(file:///o/{account}/x.csv: client "acme" puts a ".." or "." in its path)");
    CHECK(fault("file:///o/.{account}/x.csv", with_account(".")) ==
          R"(file:///o/.{account}/x.csv: client "acme" puts a ".." or "." in its path)");
    CHECK(url("file:///o/{account}/x.csv", with_account("..a")) == "file:///o/..a/x.csv");
  }

  TEST_CASE("a value cannot climb in the path of an address") {
    CHECK(fault("https://h/v1/{account}/x", with_account("..")) ==
          R"(https://h/v1/{account}/x: client "acme" puts a ".." or "." in its path)");
    CHECK(url("https://h/x?account={account}", with_account("..")) == "https://h/x?account=..");
  }

  TEST_CASE("a client without the value is named") {
    CHECK(fault("https://h/{currency}", with_account("7")) ==
          R"({currency}: client "acme" has no currency)");
  }

  TEST_CASE("every fault of a template is found") {
    CHECK(
        faults("https://h/{clint}/{day:%H}/{account:%Y}/{day:}/{x/}") ==
        std::vector<std::string>{
            R"(has an unknown placeholder "{clint}"; did you mean {client}?)",
            R"(has an unknown day format "%H"; write {day}, or {day:%Y%m%d} with %Y, %m, %d)",
            "gives {account} a format, which only {day} takes; write {account}",
            "has an empty day format; write {day}, or {day:%Y%m%d} with %Y, %m, %d",
            R"(has an unknown placeholder "{x/}"; known: {client}, {account}, {currency}, {day})"});
    CHECK(faults("a}b{") == std::vector<std::string>{"has a lone }; write {{ or }} for a brace",
                                                     "has a lone {; write {{ or }} for a brace"});
    CHECK(faults("file:///a/../{client}.csv") ==
          std::vector<std::string>{
              R"(has a ".." or "." in its path; say plainly where it leads, without the dots)"});
    CHECK(faults("https://h/{client}/{{x}}/{day:%Y}").empty());
  }

  TEST_CASE("only the name of an object has the hash of its bytes and the spec's version") {
    CHECK(faults("s3://b/{day}/{client}-{sha256}-{spec}.csv", template_scope::object).empty());
    CHECK(faults("https://h/{day}/{client}/{sha256}") ==
          std::vector<std::string>{R"(has an unknown placeholder "{sha256}"; known: {client}, )"
                                   R"({account}, {currency}, {day})"});
    CHECK(expand_url("s3://b/{sha256}/{spec}", with_account("77"), parse_day("2025-01-31").value(),
                     {{"sha256", "00ff"}, {"spec", "7"}}) == "s3://b/00ff/7");
  }

  TEST_CASE("a lane knows no day and takes values plain") {
    CHECK(faults("api-{account}", template_scope::client).empty());
    CHECK(faults("{day}", template_scope::client) ==
          std::vector<std::string>{
              R"(has an unknown placeholder "{day}"; known: {client}, {account}, {currency})"});
    CHECK(expand_lane("api {account}", with_account("a/b")) == "api a/b");
  }

  TEST_CASE("what variables say can be taken out again to show an address") {
    const std::map<std::string, secret> variables{
        {"A", {"hunter2"}}, {"LONG", {"hunter2-and-more"}}, {"EMPTY", {""}}, {"BRACE", {"{x}"}}};
    CHECK(without_variables("a hunter2 hunter2-and-more b", variables) == "a ${A} ${LONG} b");
    CHECK(without_variables("file:///out", variables) == "file:///out");
    const auto shown = template_without_variables("https://h/hunter2/{{x}}/{client}", variables);
    CHECK(expand_url(shown, with_account("77"), parse_day("2025-01-31").value()) ==
          "https://h/${A}/${BRACE}/" + with_account("77").id);
  }

  TEST_CASE("an address is kept without what variables say however it is encoded, and made again") {
    const std::map<std::string, secret> variables{{"K", {"ab/c=="}}, {"EMPTY", {""}}};
    const auto kept = [&](std::string link) { return address_without_variables(link, variables); };
    CHECK(kept("/p?key=ab/c==&x=1") == "/p?key=${K}&x=1");
    for (const auto* spelled : {"ab%2Fc%3D%3D", "ab%2fc==", "%61b/c%3d=", "ab%2Fc=%3D"}) {
      CHECK(kept(std::string("/p?key=") + spelled + "&x=1") == "/p?key=${K%}&x=1");
    }
    CHECK(kept("/p?key=ab%2Fc=&x=%") == "/p?key=ab%2Fc=&x=%");
    CHECK(address_with_variables("/p?key=${K%}&x=${K}", variables) ==
          "/p?key=ab%2Fc%3D%3D&x=ab/c==");
  }

  TEST_CASE("days are told apart only by year and month and day together") {
    CHECK(tells_days_apart("{day}"));
    CHECK(tells_days_apart("{day:%Y}/{day:%m}/{day:%d}"));
    CHECK_FALSE(tells_days_apart("{day:%Y-%m}"));
    CHECK_FALSE(tells_days_apart("{client}"));
    CHECK_FALSE(tells_days_apart("{{day}}"));
  }
}
