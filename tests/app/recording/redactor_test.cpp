// SPDX-License-Identifier: Apache-2.0
// Goal: no spelling of a secret passes, what is no secret stays byte for byte, and redacting twice
// is redacting once. Whole runs, with each way in: tests/program/recording_test.py.
#include "recording/redactor.hpp"

#include <doctest/doctest.h>

using namespace wherry::app;

namespace {

const std::string token = "s3cret/ +word";

spec with_token() {
  spec of;
  of.variables["API_TOKEN"] = {token};
  of.variables["API"] = {"https://api.example.com/v1"};
  of.source.auth = bearer_auth{{token}};
  return of;
}

redactor made(const spec& of = with_token()) {
  return {of, {{"API_TOKEN", {"api-token"}}, {"API", {"https://api.invalid"}}}};
}

}  // namespace

TEST_SUITE("recording/redactor.hpp") {
  TEST_CASE("a variable stands in for its value however that is spelled") {
    const auto all = made();
    CHECK(all.text("a s3cret/ +word b") == "a api-token b");
    CHECK(all.text("s3cret%2F%20%2Bword") == "api-token");
    CHECK(all.text("s3cret%2f%20%2bword") == "api-token");
    CHECK(all.text("s3cret%2F+%2Bword") == "api-token");
    CHECK(all.text(R"({"a":"s3cret\/ +word"})") == R"({"a":"api-token"})");
    CHECK(all.text("https://api.example.com/v1/reports") == "https://api.invalid/reports");
  }

  TEST_CASE("a secret in base64 goes wherever it lies in what is encoded") {
    const auto all = made();
    for (const std::string before : {"", "m", "me", "me:"}) {
      const auto said = all.text(in_base64(before + token + ":x"));
      CHECK(said.contains("removed"));
      CHECK(said.size() < in_base64(before + token + ":x").size());
    }
  }

  TEST_CASE("parameters that are credentials lose their value and others keep theirs") {
    const auto all = made();
    CHECK(all.text("https://x/a?page=2&Access_Token=abc&b=c#f") ==
          "https://x/a?page=2&Access_Token=removed&b=c#f");
    CHECK(all.text("client_secret=abc&grant_type=x") == "client_secret=removed&grant_type=x");
    CHECK(all.text(R"("https:\/\/b\/r?a=1\u0026X-Amz-Signature=ab\/cd\u0026e=1")") ==
          R"("https:\/\/b\/r?a=1\u0026X-Amz-Signature=removed\u0026e=1")");
    CHECK(all.text("/go?to=https%3A%2F%2Fb%3Fsig%3Dab%26e%3D1") ==
          "/go?to=https%3A%2F%2Fb%3Fsig%3Dremoved%26e%3D1");
    CHECK(all.text("https://me:word@x/a") == "https://x/a");
    CHECK(all.text("the key=value of a row, next_token=a") ==
          "the key=value of a row, next_token=a");
  }

  TEST_CASE("members of JSON that are credentials lose their value, also when they are cut") {
    const auto all = made();
    CHECK(all.text(R"({"access_token" : "a\"b", "expires_in": 3600, "token": "t"})") ==
          R"({"access_token" : "removed", "expires_in": 3600, "token": "t"})");
    CHECK(all.text(R"({"clientSecret":"abc)") == R"({"clientSecret":"removed)");
    CHECK(all.text(R"({"a":"password","b":"c"})") == R"({"a":"password","b":"c"})");
  }

  TEST_CASE("an access token goes wherever it comes after it was given") {
    auto all = made();
    all.learn(std::string_view(R"({"access_token":"given-to-us"})"));
    CHECK(all.text("you said: given-to-us") == "you said: removed");
  }

  TEST_CASE("headers that say who asks go, and of an answer those of its way") {
    auto of = with_token();
    of.source.more_auth = {header_auth{"X-Mine", {"another-secret"}}};
    const auto all = made(of);
    CHECK(
        all.sent({{"Authorization", "a"}, {"X-Mine", "b"}, {"X-Api-Key", "c"}, {"Accept", "d"}}) ==
        http_headers{{"Accept", "d"}});
    CHECK(all.answered({{"Set-Cookie", "a"}, {"Content-Length", "1"}, {"Date", "b"}}) ==
          http_headers{{"Set-Cookie", "removed"}, {"Date", "b"}});
  }

  TEST_CASE("what was redacted stays as it is, also by a spec that was read with the stand-ins") {
    const std::string said = "https://api.example.com/v1/r?sig=abc&a=" + token;
    const auto once = made().text(said);
    CHECK(made().text(once) == once);
    auto replayed = with_token();
    replayed.variables["API_TOKEN"] = {"api-token"};
    replayed.variables["API"] = {"https://api.invalid"};
    replayed.source.auth = bearer_auth{{"api-token"}};
    CHECK(made(replayed).text(once) == once);
  }
}
