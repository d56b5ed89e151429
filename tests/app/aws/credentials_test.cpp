// SPDX-License-Identifier: Apache-2.0
// Goal: whoever signs has keys that hold, asked for as seldom as can be, from each kind of place;
// no error has a secret. Method: real servers that play the places, a clock that the test moves.
#include "aws/credentials.hpp"

#include <doctest/doctest.h>

#include <atomic>
#include <fstream>

#include "../net/keeping_server.hpp"
#include "../scratch.hpp"
#include "wherry/csp/go.hpp"
#include "wherry/csp/scheduler.hpp"
#include "wherry/csp/scope.hpp"

namespace wherry::app {
namespace {

using namespace std::chrono_literals;
using got = std::expected<aws_credentials::signer_handle, aws_error>;

// 2025-01-31 12:00:00 UTC, and an hour later.
constexpr std::chrono::system_clock::time_point noon{1'738'324'800s};

std::string json(const std::string& id, const std::string& expires = "2025-01-31T13:00:00Z") {
  return answer_of(200, R"({"AccessKeyId":")" + id +
                            R"(","SecretAccessKey":"hunter2","Token":"T",)" + R"("Expiration":")" +
                            expires + R"("})");
}

std::string xml(const std::string& id) {
  return answer_of(200, "<Credentials><AccessKeyId>" + id +
                            "</AccessKeyId><SecretAccessKey>hunter2</SecretAccessKey><SessionToken>"
                            "T</SessionToken><Expiration>2025-01-31T13:00:00Z</Expiration>"
                            "</Credentials>");
}

// A container that gives k1, k2, k3, …
keeping_server::answerer numbered() {
  return [](const std::string&, int nth) { return json("k" + std::to_string(nth)); };
}

struct house {
  aws_setup setup{{"the test", aws_keys{"id", {"hunter2"}, {}}}, "eu-west-1", ""};
  std::atomic<std::int64_t> seconds = 0;  // after noon
  http_client http;
  aws_credentials keys{[this] { return setup; }, http,
                       [this] { return noon + std::chrono::seconds{seconds.load()}; }};

  task<got> one() { co_return co_await keys.signer(); }
  task<std::vector<got>> many(int count) {
    std::vector<channel<result<got>>> coming;
    for (int i = 0; i < count; ++i) coming.push_back(go(one()));
    std::vector<got> all;
    for (const auto& each : coming) {
      auto came = co_await each.take();
      all.push_back(std::move(**came));
    }
    co_return all;
  }
  std::vector<got> signers(int count) {
    thread_scheduler scheduler{{.threads = 2}};
    return scheduler.run(many(count));
  }
  got signer() { return std::move(signers(1).front()); }
  /// Whose keys sign; or the error.
  std::string who() {
    const auto by = signer();
    if (!by) return by.error().message;
    const auto signed_by = (*by)->sign({.method = "GET",
                                        .path = "/",
                                        .query = {},
                                        .headers = {{"Host", "h"}},
                                        .body_sha256 = std::string(64, '0')},
                                       noon);
    const auto text = std::string{find_header(signed_by, "authorization")};
    const auto begin = text.find("Credential=") + 11;
    return text.substr(begin, text.find("/s3/") - begin);
  }
  void container(const keeping_server& at) {
    setup.from.base = container_keys{at.url("/c"), {}, ""};
  }
};

}  // namespace

TEST_SUITE("aws/credentials.hpp") {
  TEST_CASE("keys that are given sign, with the region") {
    house at;
    CHECK(at.who() == "id/20250131/eu-west-1");
  }

  TEST_CASE("a container is asked with what it wants to see") {
    house at;
    const testing::scratch files;
    const auto token = files.path / "token";
    std::ofstream{token} << "from a file\n";
    keeping_server beside{numbered()};
    at.setup.from.base = container_keys{beside.url("/v2/x?y"), {"plain"}, ""};
    CHECK(at.who() == "k1/20250131/eu-west-1");
    at.setup.from.base = container_keys{beside.url("/v2/x?y"), {"plain"}, token.native()};
    at.seconds = 3'600;
    CHECK(at.who() == "k2/20250131/eu-west-1");
    const auto asked = beside.requests();
    REQUIRE(asked.size() == 2);
    CHECK(asked[0].starts_with("GET /v2/x?y HTTP/1.1\r\n"));
    CHECK(asked[0].contains("Authorization: plain\r\n"));
    CHECK(asked[1].contains("Authorization: from a file\r\n"));
  }

  TEST_CASE("the metadata service is asked for a token, the role and its keys") {
    house at;
    keeping_server beside{[](const std::string& request, int) {
      if (request.starts_with("PUT /latest/api/token ")) return answer_of(200, "the-token");
      const bool has_token = request.contains("X-aws-ec2-metadata-token: the-token\r\n");
      if (!has_token) return answer_of(401, "");
      const bool is_list =
          request.starts_with("GET /latest/meta-data/iam/security-credentials/ HTTP");
      return is_list ? answer_of(200, "role\n") : json("ASIA");
    }};
    at.setup.from.base = instance_keys{beside.url("")};
    CHECK(at.who() == "ASIA/20250131/eu-west-1");
    const auto asked = beside.requests();
    REQUIRE(asked.size() == 3);
    CHECK(asked[0].contains("X-aws-ec2-metadata-token-ttl-seconds: 300\r\n"));
    CHECK(asked[2].starts_with("GET /latest/meta-data/iam/security-credentials/role HTTP"));
  }

  TEST_CASE("an instance without a role, or a machine that is none, says what to do") {
    house at;
    keeping_server beside{[](const std::string& request, int) {
      return request.starts_with("PUT") ? answer_of(200, "t") : answer_of(404, "hunter2");
    }};
    at.setup.from.base = instance_keys{beside.url("")};
    const auto none = at.signer();
    REQUIRE_FALSE(none.has_value());
    CHECK_FALSE(none.error().transient);
    CHECK(none.error().message.contains("give the instance a role"));
    CHECK_FALSE(none.error().message.contains("hunter2"));
    at.setup.from.base = instance_keys{"http://127.0.0.1:9"};
    CHECK(at.who().starts_with("an s3 sink needs AWS credentials, and there are none"));
    CHECK(at.who().contains("the EC2 metadata service: cannot connect to http://127.0.0.1:9"));
  }

  TEST_CASE("a token of a file is exchanged for a role's keys, and read anew each time") {
    house at;
    const testing::scratch files;
    const auto token = files.path / "token";
    keeping_server sts{[](const std::string&, int nth) { return xml("k" + std::to_string(nth)); }};
    at.setup.sts = sts.url("");
    at.setup.from.base = web_identity{token.native(), "arn:aws:iam::1:role/r", "me"};
    CHECK(at.who().contains("is not there: check AWS_WEB_IDENTITY_TOKEN_FILE"));
    std::ofstream{token} << "first.token\n";
    CHECK(at.who() == "k1/20250131/eu-west-1");
    std::ofstream{token} << "second.token";
    at.seconds = 3'600;
    CHECK(at.who() == "k2/20250131/eu-west-1");
    const auto asked = sts.requests();
    REQUIRE(asked.size() == 2);
    CHECK(asked[0].starts_with("POST / HTTP/1.1\r\n"));
    CHECK(
        asked[0].ends_with("Version=2011-06-15&Action=AssumeRoleWithWebIdentity&RoleArn="
                           "arn%3Aaws%3Aiam%3A%3A1%3Arole%2Fr&RoleSessionName=me&"
                           "WebIdentityToken=first.token"));
    CHECK_FALSE(asked[0].contains("\r\nAuthorization:"));
    CHECK(asked[1].ends_with("WebIdentityToken=second.token"));
  }

  TEST_CASE("roles are taken one after the other, each signed with the keys before") {
    house at;
    keeping_server sts{[](const std::string&, int nth) { return xml("k" + std::to_string(nth)); }};
    at.setup.sts = sts.url("");
    at.setup.from.roles = {{"arn:1", "s", "ext"}, {"arn:2", "s", ""}};
    CHECK(at.who() == "k2/20250131/eu-west-1");
    const auto asked = sts.requests();
    REQUIRE(asked.size() == 2);
    CHECK(asked[0].contains("AWS4-HMAC-SHA256 Credential=id/"));
    CHECK(
        asked[0].contains("/eu-west-1/sts/aws4_request,SignedHeaders=content-type;host;"
                          "x-amz-date,"));
    CHECK(asked[0].contains("RoleArn=arn%3A1&RoleSessionName=s&ExternalId=ext"));
    CHECK(asked[1].contains("AWS4-HMAC-SHA256 Credential=k1/"));
    CHECK(asked[1].contains("x-amz-security-token: T\r\n"));
  }

  TEST_CASE("keys are renewed five minutes before they end, by one request for all") {
    house at;
    keeping_server beside{numbered()};
    at.container(beside);
    for (const auto& each : at.signers(50)) CHECK(each.has_value());
    at.seconds = 3'299;
    CHECK(at.who() == "k1/20250131/eu-west-1");
    CHECK(beside.requests().size() == 1);
    at.seconds = 3'300;
    for (const auto& each : at.signers(50)) CHECK(each.has_value());
    CHECK(beside.requests().size() == 2);
    CHECK(at.who() == "k2/20250131/eu-west-1");
  }

  TEST_CASE("the old keys are used while a renewal fails, as long as they hold") {
    house at;
    keeping_server beside{[](const std::string&, int nth) {
      return nth == 1 ? json("old") : nth < 5 ? answer_of(500, "hunter2") : json("new", "");
    }};
    at.container(beside);
    CHECK(at.who() == "old/20250131/eu-west-1");
    at.seconds = 3'300;
    CHECK(at.who() == "old/20250131/eu-west-1");
    CHECK(at.who() == "old/20250131/eu-west-1");
    CHECK(beside.requests().size() == 2);  // not at each use
    at.seconds = 3'360;
    CHECK(at.who() == "old/20250131/eu-west-1");
    CHECK(beside.requests().size() == 3);
    at.seconds = 3'600;
    const auto failed = at.signer();
    REQUIRE_FALSE(failed.has_value());
    CHECK(failed.error().transient);
    CHECK_FALSE(failed.error().message.contains("hunter2"));
    CHECK(at.who() == "new/20250131/eu-west-1");
  }

  TEST_CASE("keys that a server found expired are asked for anew, once for all who say so") {
    house at;
    keeping_server beside{numbered()};
    at.container(beside);
    const auto first = at.signer();
    REQUIRE(first.has_value());
    at.keys.drop(*first);
    CHECK(at.who() == "k2/20250131/eu-west-1");
    at.keys.drop(*first);
    CHECK(at.who() == "k2/20250131/eu-west-1");
    CHECK(beside.requests().size() == 2);
  }

  TEST_CASE("what is wrong with the chain is final, and looked at again") {
    house at;
    bool is_wrong = true;
    aws_credentials keys{[&]() -> std::expected<aws_setup, std::string> {
                           if (is_wrong) return std::unexpected("a profile is wrong");
                           return at.setup;
                         },
                         at.http};
    const auto look = [&] {
      thread_scheduler scheduler{{.threads = 1}};
      return scheduler.run(keys.signer());
    };
    const auto failed = look();
    REQUIRE_FALSE(failed.has_value());
    CHECK_FALSE(failed.error().transient);
    CHECK(failed.error().message == "a profile is wrong");
    is_wrong = false;
    CHECK(look().has_value());
  }

  TEST_CASE("who is cancelled while asking leaves the turn to the next") {
    house at;
    std::atomic<bool> reached = false;
    std::atomic<bool> may_answer = false;
    keeping_server beside{[&](const std::string&, int nth) {
      if (nth > 1) return json("next");
      reached = true;
      reached.notify_all();
      may_answer.wait(false);
      return json("late");
    }};
    at.container(beside);
    {
      thread_scheduler scheduler{{.threads = 1}};
      scheduler.run([](house* of, std::atomic<bool>* asked) -> task<> {
        scope owner;
        owner.go([](house* of) -> task<> { static_cast<void>(co_await of->one()); }(of));
        co_await thread([asked] { asked->wait(false); }).take();
        owner.cancel();
        co_await owner.join();
      }(&at, &reached));
    }
    CHECK(at.who() == "next/20250131/eu-west-1");
    may_answer = true;
    may_answer.notify_all();
  }
}
}  // namespace wherry::app
