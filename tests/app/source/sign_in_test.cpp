// SPDX-License-Identifier: Apache-2.0
// Goal: requests carry what [source.auth] says, to the API and to nobody else; several credentials
// share the calls. Method: a real server that keeps what it was asked; a clock that the test moves.
#include "sign_in.hpp"

#include "source/signing.hpp"

namespace wherry::app::sign_in {
namespace {

keeping_server::answerer rows() { return always(answer_of(200, "a,b\n1,2\n")); }

std::string line_of(const std::string& request, std::string_view name) {
  const auto at = request.find("\r\n" + std::string{name} + ": ");
  REQUIRE(at != request.npos);
  const auto begin = at + name.size() + 4;
  return request.substr(begin, request.find("\r\n", begin) - begin);
}

// The bearers of the API's requests, in order: "aba".
std::string bearers(keeping_server& api) {
  std::string all;
  for (const auto& request : api.requests()) all += line_of(request, "Authorization").substr(7);
  return all;
}

source by_turns(const keeping_server& api, const std::vector<std::string>& tokens) {
  source spec;
  spec.url = api.url("/{day}.csv");
  spec.auth = bearer_auth{{tokens[0]}};
  for (std::size_t i = 1; i < tokens.size(); ++i) {
    spec.more_auth.emplace_back(bearer_auth{{tokens[i]}});
  }
  return spec;
}

// Refuses those bearers.
keeping_server::answerer refusing(std::string bearers, int status) {
  return [bearers = std::move(bearers), status](const std::string& request, int) {
    const bool is_refused = bearers.contains(line_of(request, "Authorization").substr(7));
    return is_refused ? answer_of(status, "") : answer_of(200, "a\n1\n");
  };
}

}  // namespace

TEST_SUITE("source/signing.hpp") {
  TEST_CASE("a parameter is added to the query, encoded, and only once") {
    CHECK(with_parameter("http://h", "key", "v") == "http://h?key=v");
    CHECK(with_parameter("http://h/p?a=1", "k&", "a b/=") == "http://h/p?a=1&k%26=a%20b%2F%3D");
    CHECK(with_parameter("http://h/p?", "k", "v") == "http://h/p?k=v");
    CHECK(with_parameter("http://h/p#part?", "k", "v") == "http://h/p?k=v");
    CHECK(with_parameter("http://h/p?k=a%20b", "k", "a b") == "http://h/p?k=a%20b");
    CHECK(with_parameter("http://h/p?k=v", "k", "w") == "http://h/p?k=v&k=w");
  }

  TEST_CASE("a key in the query is sent, and is in no error") {
    house at;
    keeping_server api{[](const std::string&, int nth) {
      return nth == 1 ? answer_of(200, "a\n1\n") : answer_of(401, "hunter2 is unknown");
    }};
    at.spec.url = api.url("/{day}.csv?a=1");
    at.spec.auth = query_auth{"api_key", {"hunter2/&"}};
    CHECK(at.fetch().has_value());
    CHECK(api.requests()[0].starts_with(
        "GET /2025-01-31.csv?a=1&api_key=hunter2%2F%26 HTTP/1.1\r\n"));
    const auto got = at.fetch();
    REQUIRE_FALSE(got.has_value());
    CHECK(got.error().message.contains("`auth.query`"));
    CHECK_FALSE(got.error().message.contains("hunter2"));
    CHECK_FALSE(got.error().message.contains("api_key"));
  }

  TEST_CASE("a key in the query is in no error of a server that is not there") {
    house at;
    {
      const keeping_server briefly{rows()};
      at.spec.url = briefly.url("/{day}.csv");
    }
    at.spec.auth = query_auth{"api_key", {"hunter2"}};
    const auto got = at.fetch();
    REQUIRE_FALSE(got.has_value());
    CHECK_FALSE(got.error().message.contains("hunter2"));
  }

  TEST_CASE("a key in the query stays with the API when it sends elsewhere") {
    house at;
    keeping_server other{rows()};
    keeping_server api{always(answer_of(302, "", "Location: " + other.url("/there.csv") + "\r\n"))};
    at.spec.url = api.url("/{day}.csv");
    at.spec.auth = query_auth{"api_key", {"hunter2"}};
    CHECK(at.fetch().has_value());
    CHECK(count(api.requests(), "hunter2") == 1);
    CHECK(count(other.requests(), "hunter2") == 0);
  }

  TEST_CASE("AWS's signature is that of what is sent") {
    house at;
    keeping_server api{rows()};
    at.spec.url = api.url("/v1/a%20b/{day}.csv?z=1&a=x%20y");
    at.spec.headers = {{"X-Team", "blue"}, {"x-amz-target", "reports"}};
    at.spec.auth = sigv4_auth{"AKID", {"hunter2"}, {"session"}, "eu-west-1", "execute-api"};
    CHECK(at.fetch().has_value());
    const auto sent = api.requests().at(0);
    const auto host = line_of(sent, "Host");
    CHECK(api.url("") == "http://" + host);
    CHECK(line_of(sent, "x-amz-security-token") == "session");
    CHECK(line_of(sent, "X-Team") == "blue");
    CHECK_FALSE(sent.contains("hunter2"));

    const auto date = line_of(sent, "x-amz-date");
    const auto canonical = "GET\n/v1/a%2520b/2025-01-31.csv\na=x%20y&z=1\nhost:" + host +
                           "\nx-amz-date:" + date +
                           "\nx-amz-security-token:session\nx-amz-target:reports\n\n"
                           "host;x-amz-date;x-amz-security-token;x-amz-target\n" +
                           to_hex(sha256_of(""));
    const auto day = date.substr(0, 8), scope = day + "/eu-west-1/execute-api/aws4_request";
    auto key = hmac_sha256("AWS4hunter2", day);
    for (const auto* part : {"eu-west-1", "execute-api", "aws4_request"}) {
      key = hmac_sha256(bytes_of(key), part);
    }
    const auto signature = hmac_sha256(bytes_of(key), "AWS4-HMAC-SHA256\n" + date + "\n" + scope +
                                                          "\n" + to_hex(sha256_of(canonical)));
    CHECK(line_of(sent, "Authorization") ==
          "AWS4-HMAC-SHA256 Credential=AKID/" + scope +
              ",SignedHeaders=host;x-amz-date;x-amz-security-token;x-amz-target,Signature=" +
              to_hex(signature));
  }

  TEST_CASE("an HMAC is that of RFC 4231, in hex or base64") {
    hmac_auth by{.key = {"Jefe"}, .header = "X-Sign", .over = "what do ya want for nothing?"};
    const auto signature = [&] {
      http_request request;
      sign(request, by, {});
      CHECK(request.headers.size() == 1);
      return std::string{find_header(request.headers, "X-Sign")};
    };
    CHECK(signature() == "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
    by.written_in = hmac_auth::encoding::base64;
    CHECK(signature() == "W9zBRr9gdU5qBCQmCJV1x1oAPwidJzmDnexYuWTsOEM=");
  }

  TEST_CASE("an HMAC is over what is sent") {
    house at;
    keeping_server api{rows()};
    at.spec.url = api.url("/v1/{day}.csv?a={client}");
    at.spec.auth = hmac_auth{.key = {"hunter2"},
                             .header = "X-Sign",
                             .over = "{timestamp}.{method}.{path}.{query}.{body_sha256}"};
    CHECK(at.fetch().has_value());
    const auto sent = api.requests().at(0);
    const auto over =
        line_of(sent, "X-Timestamp") + ".GET./v1/2025-01-31.csv.a=acme." + to_hex(sha256_of(""));
    CHECK(line_of(sent, "X-Sign") == to_hex(hmac_sha256("hunter2", over)));
    CHECK_FALSE(sent.contains("hunter2"));
  }

  TEST_CASE("a body is signed with its request") {
    http_request request;
    request.method = "POST";
    request.url = "https://host/reports";
    request.headers = {{"Content-Type", "application/json"}, {"Accept", "*/*"}};
    request.body = std::make_shared<const std::string>("{}");
    const sigv4_signer by{{"AKID", {"hunter2"}, {}, "eu-west-1", "execute-api"}};
    const auto signature = [&] {
      auto one = request;
      sign(one, by, std::chrono::sys_days{std::chrono::days{20'000}});
      return std::string{find_header(one.headers, "Authorization")};
    };
    const auto first = signature();
    CHECK(first.contains("SignedHeaders=content-type;host;x-amz-date,"));
    request.body = std::make_shared<const std::string>("[]");
    CHECK(signature() != first);
  }
}

TEST_SUITE("source/credentials.hpp") {
  TEST_CASE("several credentials take turns") {
    house at;
    keeping_server api{rows()};
    at.spec = by_turns(api, {"a", "b", "c"});
    for (int i = 0; i < 4; ++i) CHECK(at.fetch().has_value());
    CHECK(bearers(api) == "abca");
  }

  TEST_CASE("who is refused is left out for five minutes, and nobody notices") {
    for (const int status : {401, 403}) {
      CAPTURE(status);
      house at;
      keeping_server api{refusing("b", status)};
      at.spec = by_turns(api, {"a", "b"});
      for (int i = 0; i < 4; ++i) CHECK(at.fetch().has_value());
      CHECK(bearers(api) == "abaaa");
      at.seconds += 299;
      CHECK(at.fetch().has_value());
      CHECK(bearers(api) == "abaaaa");
      at.seconds += 1;
      for (int i = 0; i < 2; ++i) CHECK(at.fetch().has_value());
      CHECK(bearers(api).substr(6).contains('b'));
    }
  }

  TEST_CASE("where all are refused, that is the answer, and the next call tries again") {
    house at;
    keeping_server api{refusing("ab", 403)};
    at.spec = by_turns(api, {"a", "b"});
    const auto got = at.fetch();
    REQUIRE_FALSE(got.has_value());
    CHECK(got.error().is == is::permanent);
    CHECK(got.error().message.contains("any of `auth`"));
    CHECK(bearers(api) == "ab");
    CHECK_FALSE(at.fetch().has_value());
    CHECK(api.requests().size() == 3);
  }

  TEST_CASE("credentials that get no token are left out, too") {
    house at;
    keeping_server api{rows()};
    keeping_server tokens{always(answer_of(400, R"({"error":"invalid_grant"})"))};
    at.spec = by_turns(api, {"a"});
    at.spec.more_auth.emplace_back(
        oauth2_auth{tokens.url("/token"), "me", {"sesam"}, "", {"stale"}});
    for (int i = 0; i < 5; ++i) CHECK(at.fetch().has_value());
    CHECK(bearers(api) == "aaaaa");
    CHECK(tokens.requests().size() == 1);
  }
}

}  // namespace wherry::app::sign_in
