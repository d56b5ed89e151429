// SPDX-License-Identifier: Apache-2.0
// Goal: whoever signs in by OAuth 2.0 always has a token that holds, asks for as few as can be, and
// no secret shows. Method: real servers for the API and for tokens; a clock that the test moves.
#include "sign_in.hpp"

namespace wherry::app::sign_in {
namespace {

using namespace std::chrono_literals;

std::string token_answer(std::string_view token, int lives_for = 3'600) {
  return answer_of(200, R"({"access_token":")" + std::string{token} +
                            R"(","token_type":"Bearer","expires_in":)" + std::to_string(lives_for) +
                            "}");
}

// Gives t1, t2, t3, …
keeping_server::answerer numbered_tokens(int lives_for = 3'600) {
  return [lives_for](const std::string&, int nth) {
    return token_answer("t" + std::to_string(nth), lives_for);
  };
}

keeping_server::answerer rows() { return always(answer_of(200, "a,b\n1,2\n")); }

oauth2_auth signs_in_at(const keeping_server& tokens) {
  return {.token_url = tokens.url("/token"),
          .client_id = "me:too",
          .client_secret = {"sesam=open"},
          .scope = "reports read",
          .refresh_token = {}};
}

}  // namespace

TEST_SUITE("source/token.hpp") {
  TEST_CASE("client credentials get a token, and each report is asked for with it") {
    house at;
    keeping_server tokens{numbered_tokens()}, api{rows()};
    at.spec.url = api.url("/{day}.csv");
    at.spec.auth = signs_in_at(tokens);
    CHECK(at.fetch().has_value());
    CHECK(at.fetch().has_value());
    REQUIRE(tokens.requests().size() == 1);
    const auto asked = tokens.requests()[0];
    CHECK(asked.starts_with("POST /token HTTP/1.1\r\n"));
    // me%3Atoo:sesam%3Dopen
    CHECK(asked.contains("Authorization: Basic bWUlM0F0b286c2VzYW0lM0RvcGVu\r\n"));
    CHECK(asked.contains("Content-Type: application/x-www-form-urlencoded\r\n"));
    CHECK(asked.ends_with("\r\n\r\ngrant_type=client_credentials&scope=reports%20read"));
    CHECK(count(api.requests(), "Authorization: Bearer t1\r\n") == 2);
  }

  TEST_CASE("id and secret go into the body where the spec says so") {
    house at;
    keeping_server tokens{numbered_tokens()}, api{rows()};
    at.spec.url = api.url("/{day}.csv");
    auto how = signs_in_at(tokens);
    how.client = oauth2_auth::place::body;
    how.scope = "";
    at.spec.auth = how;
    CHECK(at.fetch().has_value());
    const auto asked = tokens.requests().at(0);
    CHECK(
        asked.ends_with("grant_type=client_credentials&client_id=me%3Atoo"
                        "&client_secret=sesam%3Dopen"));
    CHECK_FALSE(asked.contains("Authorization:"));
  }

  TEST_CASE("a refresh token is exchanged, and one that replaces it is used from then on") {
    house at;
    keeping_server api{rows()};
    keeping_server tokens{[](const std::string&, int nth) {
      return answer_of(200, R"({"access_token":"a","expires_in":"600","refresh_token":"r)" +
                                std::to_string(nth) + R"("})");
    }};
    at.spec.url = api.url("/{day}.csv");
    auto how = signs_in_at(tokens);
    how.refresh_token = {"first"};
    at.spec.auth = how;
    CHECK(at.fetch().has_value());
    at.seconds += 600;
    CHECK(at.fetch().has_value());
    const auto asked = tokens.requests();
    REQUIRE(asked.size() == 2);
    CHECK(asked[0].contains("grant_type=refresh_token&refresh_token=first"));
    CHECK(asked[1].contains("grant_type=refresh_token&refresh_token=r1"));
  }

  TEST_CASE("a token is renewed a minute before it expires") {
    house at;
    keeping_server tokens{numbered_tokens(600)}, api{rows()};
    at.spec.url = api.url("/{day}.csv");
    at.spec.auth = signs_in_at(tokens);
    CHECK(at.fetch().has_value());
    at.seconds += 539;
    CHECK(at.fetch().has_value());
    CHECK(tokens.requests().size() == 1);
    at.seconds += 1;
    CHECK(at.fetch().has_value());
    CHECK(tokens.requests().size() == 2);
    CHECK(api.requests().back().contains("Authorization: Bearer t2\r\n"));
  }

  TEST_CASE("a token that lives for a minute only is used for half of it") {
    house at;
    keeping_server tokens{numbered_tokens(60)}, api{rows()};
    at.spec.url = api.url("/{day}.csv");
    at.spec.auth = signs_in_at(tokens);
    CHECK(at.fetch().has_value());
    at.seconds += 29;
    CHECK(at.fetch().has_value());
    CHECK(tokens.requests().size() == 1);
    at.seconds += 1;
    CHECK(at.fetch().has_value());
    CHECK(tokens.requests().size() == 2);
  }

  TEST_CASE("fifty reports that want a token at once share one request") {
    house at;
    keeping_server tokens{numbered_tokens()}, api{rows()};
    at.spec.url = api.url("/{day}.csv");
    at.spec.auth = signs_in_at(tokens);
    const auto all = at.fetch_many(50, 2);
    CHECK(std::ranges::all_of(all, [](const auto& one) { return one.has_value(); }));
    CHECK(tokens.requests().size() == 1);
    CHECK(count(api.requests(), "Authorization: Bearer t1\r\n") == 50);
  }

  TEST_CASE("fifty that wait for a token share what went wrong, and the next one asks anew") {
    house at;
    keeping_server api{rows()};
    // Each fetch looks at the clock twice before it waits, and who asks twice more.
    keeping_server tokens{[&](const std::string&, int nth) {
      for (int seen = 0; (seen = at.asked_the_time.load()) < 102;) at.asked_the_time.wait(seen);
      return nth == 1 ? answer_of(503, "") : token_answer("good");
    }};
    at.spec.url = api.url("/{day}.csv");
    at.spec.auth = signs_in_at(tokens);
    const auto all = at.fetch_many(50);
    CHECK(std::ranges::all_of(
        all, [](const auto& one) { return !one && one.error().is == is::transient; }));
    CHECK(tokens.requests().size() == 1);
    CHECK(api.requests().empty());
    CHECK(at.fetch().has_value());
    CHECK(tokens.requests().size() == 2);
  }

  TEST_CASE("a token that is refused is replaced once for all") {
    house at;
    keeping_server tokens{numbered_tokens()};
    keeping_server api{[](const std::string& request, int) {
      return request.contains("Bearer t1\r\n") ? answer_of(401, "") : answer_of(200, "a\n1\n");
    }};
    at.spec.url = api.url("/{day}.csv");
    at.spec.auth = signs_in_at(tokens);
    const auto all = at.fetch_many(50, 2);
    CHECK(std::ranges::all_of(all, [](const auto& one) { return one.has_value(); }));
    CHECK(tokens.requests().size() == 2);
  }

  TEST_CASE("a refusal that comes late does not cost the new token") {
    house at;
    std::atomic<bool> is_renewed = false;
    keeping_server tokens{numbered_tokens()};
    keeping_server api{[&](const std::string& request, int nth) {
      if (request.contains("Bearer t2\r\n")) {
        is_renewed = true;
        is_renewed.notify_all();
        return answer_of(200, "a\n1\n");
      }
      if (nth == 1) is_renewed.wait(false);
      return answer_of(401, "");
    }};
    at.spec.url = api.url("/{day}.csv");
    at.spec.auth = signs_in_at(tokens);
    const auto both = at.fetch_many(2);
    CHECK(std::ranges::all_of(both, [](const auto& one) { return one.has_value(); }));
    CHECK(tokens.requests().size() == 2);
  }

  TEST_CASE("a second 401 is the answer") {
    house at;
    keeping_server tokens{numbered_tokens()}, api{always(answer_of(401, "t1 t2 sesam=open"))};
    at.spec.url = api.url("/{day}.csv");
    at.spec.auth = signs_in_at(tokens);
    const auto got = at.fetch();
    REQUIRE_FALSE(got.has_value());
    CHECK(got.error().is == is::credentials);
    CHECK(got.error().message.contains("answered 401"));
    CHECK(got.error().message.contains("`auth.oauth2`"));
    CHECK_FALSE(got.error().message.contains("sesam"));
    CHECK(api.requests().size() == 2);
    CHECK(tokens.requests().size() == 2);
  }

  TEST_CASE("a refused request for a token names the code and what to do, and no secret") {
    house at;
    keeping_server tokens{
        always(answer_of(401, R"({"error":"invalid_client","error_description":"sesam=open?"})"))};
    at.spec.url = tokens.url("/{day}.csv");
    at.spec.auth = signs_in_at(tokens);
    const auto got = at.fetch();
    REQUIRE_FALSE(got.has_value());
    CHECK(got.error().is == is::credentials);
    CHECK(got.error().message ==
          tokens.url("") +
              " answered 401 to the request for a token of `auth.oauth2`: invalid_client; check "
              "`client_id` and `client_secret`, and whether the server wants them in the body "
              "(client = \"body\")");
    CHECK(count(tokens.requests(), "POST /token") == 1);
  }

  TEST_CASE("a code that may be a secret is not shown") {
    for (const std::string_view code : {"sesam", "my_sesam_is", "<b>", ""}) {
      CAPTURE(code);
      house at;
      keeping_server tokens{always(answer_of(400, R"({"error":")" + std::string{code} + R"("})"))};
      at.spec.url = tokens.url("/{day}.csv");
      auto how = signs_in_at(tokens);
      how.refresh_token = {"sesam"};
      at.spec.auth = how;
      const auto got = at.fetch();
      REQUIRE_FALSE(got.has_value());
      CHECK(got.error().is == is::credentials);
      CHECK(got.error().message.contains("`auth.oauth2`: an error code of its own; check"));
      CHECK_FALSE(got.error().message.contains("sesam"));
    }
  }

  TEST_CASE("a token server in trouble is asked again") {
    house at;
    keeping_server tokens{[](const std::string&, int nth) {
      return nth == 1   ? answer_of(503, R"({"error":"invalid_client"})")
             : nth == 2 ? answer_of(429, "", "Retry-After: 17\r\n")
             : nth == 3 ? "HTTP/1.1 200 OK\r\nContent-Length: 500\r\n\r\n{"
             : nth == 4 ? answer_of(400, R"({"error":"temporarily_unavailable"})")
                        : token_answer("good");
    }};
    keeping_server api{rows()};
    at.spec.url = api.url("/{day}.csv");
    at.spec.auth = signs_in_at(tokens);
    CHECK(at.fetch().error().is == is::transient);
    const auto throttled = at.fetch();
    CHECK(throttled.error().is == is::throttled);
    CHECK(throttled.error().wait == 17s);
    CHECK(at.fetch().error().is == is::transient);
    CHECK(at.fetch().error().is == is::transient);
    CHECK(at.fetch().has_value());
  }

  TEST_CASE("a token server that is not there is tried again, and named") {
    house at;
    std::string gone;
    {
      const keeping_server briefly{rows()};
      gone = briefly.url("/token");
    }
    keeping_server api{rows()};
    at.spec.url = api.url("/{day}.csv");
    at.spec.auth = oauth2_auth{gone, "me", {"sesam"}, "", {}};
    const auto got = at.fetch();
    REQUIRE_FALSE(got.has_value());
    CHECK(got.error().is == is::transient);
    CHECK(got.error().message.contains("`auth.oauth2.token_url`"));
    CHECK_FALSE(got.error().message.contains("/token"));
  }

  TEST_CASE("what is no token is not used as one") {
    for (const std::string_view body :
         {"", "[]", "{}", R"({"access_token":""})", R"({"access_token":"a\r\nX-Evil: 1"})",
          R"({"access_token":"a","token_type":"mac"})"}) {
      CAPTURE(body);
      house at;
      keeping_server tokens{always(answer_of(200, body))}, api{rows()};
      at.spec.url = api.url("/{day}.csv");
      at.spec.auth = signs_in_at(tokens);
      const auto got = at.fetch();
      REQUIRE_FALSE(got.has_value());
      CHECK(got.error().message.contains("`auth.oauth2"));
      CHECK(api.requests().empty());
    }
  }

  TEST_CASE("who is cancelled while it asks for a token lets the next one ask") {
    house at;
    std::atomic<bool> is_asked = false, is_cancelled = false;
    keeping_server tokens{[&](const std::string&, int nth) {
      is_asked = true;
      is_asked.notify_all();
      if (nth == 1) is_cancelled.wait(false);
      return token_answer("t" + std::to_string(nth));
    }};
    keeping_server api{rows()};
    at.spec.url = api.url("/{day}.csv");
    at.spec.auth = signs_in_at(tokens);
    at.fetch_and_cancel(is_asked);
    is_cancelled = true;
    is_cancelled.notify_all();
    CHECK(at.fetch().has_value());
    CHECK(count(api.requests(), "Authorization: Bearer t2\r\n") == 1);
  }

  TEST_CASE("a report is requested and polled with the token as well") {
    house at;
    keeping_server tokens{numbered_tokens()};
    keeping_server api{[](const std::string& request, int) {
      if (request.contains("Bearer t1\r\n")) return answer_of(401, "");
      return answer_of(200, R"({"id":"r1","url":"https://elsewhere/r1.csv"})");
    }};
    report_request how;
    how.url = api.url("/reports");
    how.body = "{}";
    at.spec.request = how;
    report_poll then;
    then.url = api.url("/reports/{report}");
    then.link = "url";
    at.spec.poll = then;
    at.spec.auth = signs_in_at(tokens);
    CHECK(at.request_and_poll());
    const auto asked = api.requests();
    REQUIRE(asked.size() == 3);
    CHECK(asked[1].starts_with("POST /reports HTTP/1.1\r\n"));
    CHECK(asked[1].ends_with("\r\n\r\n{}"));
    CHECK(count(asked, "Authorization: Bearer t2\r\n") == 2);
  }

  TEST_CASE("a token goes to no other host than the API's") {
    house at;
    keeping_server tokens{numbered_tokens()}, other{rows()};
    keeping_server api{always(answer_of(302, "", "Location: " + other.url("/there.csv") + "\r\n"))};
    at.spec.url = api.url("/{day}.csv");
    at.spec.auth = signs_in_at(tokens);
    CHECK(at.fetch().has_value());
    CHECK(count(api.requests(), "Authorization: Bearer t1\r\n") == 1);
    CHECK(count(other.requests(), "Authorization") == 0);
  }
}

}  // namespace wherry::app::sign_in
