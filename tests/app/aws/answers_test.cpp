// SPDX-License-Identifier: Apache-2.0
// Goal: keys are read from answers as AWS documents them, what is no answer is an error without a
// word of it, and keys are renewed in time. Method: answers as documented, and damaged ones.
#include "aws/answers.hpp"

#include <doctest/doctest.h>

namespace wherry::app {
namespace {

using namespace std::chrono_literals;
using std::chrono::system_clock;

// 2025-01-31 12:00:00 UTC
constexpr system_clock::time_point noon{1'738'324'800s};

http_response answer(int status, std::string body) {
  http_response made;
  made.status = status;
  made.body = std::move(body);
  return made;
}

std::string refused(int status, std::string_view code) {
  return keys_in_xml(
             answer(status, "<ErrorResponse><Error><Type>Sender</Type><Code>" + std::string{code} +
                                "</Code><Message>hunter2</Message></Error></ErrorResponse>"),
             "https://sts", "arn:r")
      .error()
      .message;
}

}  // namespace

TEST_SUITE("aws/answers.hpp") {
  TEST_CASE("the metadata service's JSON has keys, a token and when they end") {
    const auto keys = keys_in_json(
        answer(200, R"({"Code":"Success","Type":"AWS-HMAC","AccessKeyId":"ASIA","SecretAccessKey":)"
                    R"("s/+=","Token":"t==","Expiration":"2025-01-31T12:00:00Z"})"),
        "http://x");
    REQUIRE(keys.has_value());
    CHECK(keys->access_key == "ASIA");
    CHECK(keys->secret_key.reveal == "s/+=");
    CHECK(keys->session_token.reveal == "t==");
    CHECK(keys->expires == noon);
  }

  TEST_CASE("keys without a token or an end are keys") {
    const auto keys =
        keys_in_json(answer(200, R"({"AccessKeyId":"A","SecretAccessKey":"s"})"), "http://x");
    REQUIRE(keys.has_value());
    CHECK(keys->session_token.reveal.empty());
    CHECK_FALSE(keys->expires.has_value());
  }

  TEST_CASE("an answer without keys is tried again, and none of it is said") {
    for (const auto* body :
         {"", "hunter2", "[]", R"({"AccessKeyId":"hunter2"})",
          R"({"AccessKeyId":"A","SecretAccessKey":"hunter2","Expiration":"tomorrow"})",
          R"({"AccessKeyId":"A\n","SecretAccessKey":"hunter2"})",
          R"({"AccessKeyId":7,"SecretAccessKey":"hunter2"})"}) {
      const auto keys = keys_in_json(answer(200, body), "http://x");
      REQUIRE_FALSE(keys.has_value());
      CHECK(keys.error().transient);
      CHECK(keys.error().message == "http://x answered without keys that can be used");
    }
  }

  TEST_CASE("a refusal of JSON is final, a server in trouble is not") {
    CHECK_FALSE(keys_in_json(answer(403, "hunter2"), "x").error().transient);
    for (const int status : {408, 429, 500, 503}) {
      CHECK(keys_in_json(answer(status, "hunter2"), "x").error().transient);
    }
  }

  TEST_CASE("the token service's XML has keys, a token and when they end") {
    const auto keys = keys_in_xml(
        answer(200,
               "<AssumeRoleWithWebIdentityResponse><AssumeRoleWithWebIdentityResult><Credentials>"
               "<SessionToken>t</SessionToken><SecretAccessKey>s</SecretAccessKey>"
               "<Expiration>2025-01-31T12:00:00.5Z</Expiration><AccessKeyId>ASIA</AccessKeyId>"
               "</Credentials></AssumeRoleWithWebIdentityResult></AssumeRoleWithWebIdentityResponse"
               ">"),
        "x", "arn");
    REQUIRE(keys.has_value());
    CHECK(keys->access_key == "ASIA");
    CHECK(keys->secret_key.reveal == "s");
    CHECK(keys->session_token.reveal == "t");
    CHECK(keys->expires == noon);
  }

  TEST_CASE("a refusal of the token service has its code and a remedy, and nothing else") {
    CHECK(refused(403, "AccessDenied") ==
          "https://sts answered 403 AccessDenied to the request for the role arn:r: the role does "
          "not let itself be taken so: mend its trust policy, or check its ARN");
    CHECK(refused(400, "ExpiredTokenException").contains("let whoever writes it renew it"));
    CHECK(refused(400, "hunter2 <").starts_with("https://sts answered 400 to the request"));
    CHECK(keys_in_xml(answer(400, "<Code>IDPCommunicationError</Code>"), "", "").error().transient);
    CHECK_FALSE(keys_in_xml(answer(400, "<Code>AccessDenied</Code>"), "", "").error().transient);
  }

  TEST_CASE("instants are read in UTC, and nothing else is one") {
    CHECK(parse_instant("2025-01-31T12:00:00Z") == noon);
    CHECK(parse_instant("2025-01-31T12:00:00.999Z") == noon);
    CHECK(parse_instant("2025-01-31T12:00:00+00:00") == noon);
    for (const auto* text : {"", "2025-01-31", "2025-01-31T12:00:00", "2025-02-31T12:00:00Z",
                             "2025-01-31T24:00:00Z", "2025-01-31T12:60:00Z", "2025-01-31T12:00:0xZ",
                             "2025-01-31 12:00:00Z", "2025-01-31T12:00:00+01:00"}) {
      CAPTURE(text);
      CHECK_FALSE(parse_instant(text).has_value());
    }
  }

  TEST_CASE("keys are renewed five minutes before they end, or after half of a short life") {
    aws_keys keys;
    CHECK(renewal_of(keys, noon) == system_clock::time_point::max());
    keys.expires = noon + 6h;
    CHECK(renewal_of(keys, noon) == noon + 5h + 55min);
    keys.expires = noon + 4min;
    CHECK(renewal_of(keys, noon) == noon + 2min);
    keys.expires = noon - 1s;
    CHECK(renewal_of(keys, noon) == noon - 1s);
  }

  TEST_CASE("a renewal that failed is tried again each minute, and more often towards the end") {
    aws_keys keys;
    keys.expires = noon + 5min;
    CHECK(next_try(keys, noon) == noon + 1min);
    CHECK(next_try(keys, noon + 4min) == noon + 4min + 30s);
  }
}
}  // namespace wherry::app
