// SPDX-License-Identifier: Apache-2.0
// Goal: each way to sign in is read, each slip in it has a place and a remedy, and no slip shows a
// secret. Method: specs that differ from the smallest by their auth.
#include <fmt/format.h>

#include <fstream>
#include <iterator>

#include "sample.hpp"
#include "spec/init.hpp"
#include "spec/spec.hpp"

using namespace wherry::app;
using namespace wherry::app::sample;

namespace {

std::string with(std::string_view auth) { return added("[source]", auth); }

constexpr std::string_view oauth2_table = R"([source.auth.oauth2]
token_url = "https://host/token"
client_id = "me"
client_secret = "hunter2"
)";

std::string with_oauth2(std::string_view piece, std::string_view by) {
  std::string text{oauth2_table};
  const auto at = text.find(piece);
  REQUIRE(at != text.npos);
  return with(text.replace(at, piece.size(), by));
}

// What stands in the page between ```toml and ```.
std::vector<std::string> toml_blocks(const std::string& page) {
  std::vector<std::string> blocks;
  constexpr std::string_view open = "```toml\n", close = "```";
  for (std::size_t at = 0; (at = page.find(open, at)) != page.npos;) {
    at += open.size();
    const auto end = page.find(close, at);
    blocks.push_back(page.substr(at, end - at));
    at = end;
  }
  return blocks;
}

}  // namespace

TEST_SUITE("spec/auth_keys.hpp") {
  TEST_CASE("a key in the query is read") {
    const auto made =
        good(with(R"(auth = { query = { name = "api_key", value = "${K}" } })"), {{"K", "k"}});
    CHECK(std::get<query_auth>(made.source.auth).name == "api_key");
    CHECK(std::get<query_auth>(made.source.auth).value.reveal == "k");
  }

  TEST_CASE("access tokens by client credentials are read") {
    const auto made = good(with(oauth2_table));
    const auto& how = std::get<oauth2_auth>(made.source.auth);
    CHECK(how.token_url == "https://host/token");
    CHECK(how.client_id == "me");
    CHECK(how.client_secret.reveal == "hunter2");
    CHECK(how.scope.empty());
    CHECK(how.refresh_token.reveal.empty());
    CHECK(how.client == oauth2_auth::place::header);
  }

  TEST_CASE("access tokens by refresh token are read, without a client's secret as well") {
    const auto made = good(with_oauth2(R"(client_secret = "hunter2")",
                                       R"(refresh_token = "r"
scope = "a b"
client = "body")"));
    const auto& how = std::get<oauth2_auth>(made.source.auth);
    CHECK(how.client_secret.reveal.empty());
    CHECK(how.refresh_token.reveal == "r");
    CHECK(how.scope == "a b");
    CHECK(how.client == oauth2_auth::place::body);
  }

  TEST_CASE("AWS's signature is read") {
    const auto made = good(with(R"([source.auth.sigv4]
access_key = "a"
secret_key = "s"
session_token = "t"
region = "eu-west-1"
service = "execute-api")"));
    const auto& how = std::get<sigv4_auth>(made.source.auth);
    CHECK(how.access_key == "a");
    CHECK(how.secret_key.reveal == "s");
    CHECK(how.session_token.reveal == "t");
    CHECK(how.region == "eu-west-1");
    CHECK(how.service == "execute-api");
  }

  TEST_CASE("an HMAC is read") {
    const auto made = good(with(R"([source.auth.hmac]
secret = "s"
header = "X-Sign"
over = "{timestamp}\n{method}"
encoding = "base64"
timestamp_header = "X-Time")"));
    const auto& how = std::get<hmac_auth>(made.source.auth);
    CHECK(how.key.reveal == "s");
    CHECK(how.header == "X-Sign");
    CHECK(how.over == "{timestamp}\n{method}");
    CHECK(how.written_in == hmac_auth::encoding::base64);
    CHECK(how.timestamp_header == "X-Time");
  }

  TEST_CASE("an HMAC over something unknown is refused where it stands") {
    CHECK(mistakes(with(R"(auth.hmac = { secret = "s", header = "H", over = "{path}{days}" })")) ==
          lines{"ads.toml:6:57: over in [source.auth.hmac] has a { without a known part of a "
                "request; write one of {method} {path} {query} {timestamp} {body_sha256}"});
  }

  TEST_CASE("several credentials are read in their order") {
    const auto made =
        good(with(R"(auth = [{ bearer = "a" }, { bearer = "b" }, { basic = { user = "c",)"
                  R"( password = "" } }])"));
    CHECK(std::get<bearer_auth>(made.source.auth).token.reveal == "a");
    REQUIRE(made.source.more_auth.size() == 2);
    CHECK(std::get<bearer_auth>(made.source.more_auth[0]).token.reveal == "b");
    CHECK(std::get<basic_auth>(made.source.more_auth[1]).user == "c");
  }

  TEST_CASE("an address of tokens that is none is refused where it stands") {
    const auto says = [](std::string_view url) {
      return mistakes(with_oauth2(R"("https://host/token")", url));
    };
    CHECK(says(R"("host/token")") ==
          lines{"ads.toml:7:13: token_url in [source.auth.oauth2] does not begin with https:// or "
                "http://; write an address such as \"https://host/oauth2/token\""});
    CHECK(says(R"("https:///token")") ==
          lines{"ads.toml:7:13: token_url in [source.auth.oauth2] has no host; write an address "
                "such as \"https://host/oauth2/token\""});
    for (const auto* url : {R"("https://hunter2@host/t")", R"("https://host?key=hunter2")"}) {
      CHECK(says(url) ==
            lines{"ads.toml:7:13: token_url in [source.auth.oauth2] has a user, a query or a "
                  "fragment; take it out; client_id, client_secret and scope are keys of their "
                  "own"});
    }
  }

  TEST_CASE("what is missing or misspelt has a place and a remedy") {
    CHECK(mistakes(with_oauth2("client_secret = \"hunter2\"\n", "")) ==
          lines{"ads.toml:6:1: oauth2 in [source.auth] has neither client_secret nor "
                "refresh_token; add client_secret = \"${CLIENT_SECRET}\""});
    CHECK(mistakes(with_oauth2("client_secret", "client_secrets"))
              .at(1)
              .contains("did you mean \"client_secret\"?"));
    CHECK(mistakes(with_oauth2("client_id = \"me\"\n", "")) ==
          lines{"ads.toml:6:1: missing key \"client_id\" in [source.auth.oauth2]; add client_id: "
                "Who asks for them."});
    CHECK(mistakes(with_oauth2("client_id = \"me\"", "client_id = \"me\"\nclient = \"url\"")) ==
          lines{"ads.toml:9:10: client in [source.auth.oauth2] is neither of the two places; write "
                "client = \"header\" or \"body\""});
    CHECK(mistakes(with("auth = []")).at(0).starts_with("ads.toml:6:8: auth in [source] is empty"));
    CHECK(mistakes(with(R"(auth = ["hunter2"])")) ==
          lines{"ads.toml:6:9: auth in [source] holds a string; write auth = [{ bearer = "
                "\"${TOKEN}\" }, { bearer = \"${OTHER}\" }]"});
    CHECK(mistakes(with(R"(auth = [{ bearer = "a" }, { bearer = "b", query = {} }])")).size() == 3);
    CHECK(mistakes(with(R"(auth = { sigv4 = { access_key = "a" } })")).size() == 3);
  }

  TEST_CASE("no single slip of the pen makes a secret show") {
    const auto text = with(R"(auth = [{ bearer = "hunter2" }, { query = { name = "hunter2",)"
                           R"( value = "hunter2" } }, { sigv4 = { secret_key = "hunter2" } },)"
                           R"( { oauth2 = { client_secret = "hunter2", refresh_token = "hunter2",)"
                           R"( token_url = "https://host?hunter2" } }])");
    const auto begin = text.find("auth = "), end = text.find("[transform]");
    for (std::size_t at = begin; at < end; ++at) {
      for (const std::string_view by : {"", "\"", "\n", "#", "x", "[", "\\", "'"}) {
        const auto slip = std::string{text}.replace(at, 1, by);
        for (const auto& wrong : shown(slip)) {
          CAPTURE(slip);
          CAPTURE(wrong);
          REQUIRE_FALSE(wrong.contains("hunter2"));
        }
      }
    }
  }

  TEST_CASE("each way that the spec to start from shows is good") {
    for (const std::string_view way : {"oauth2", "sigv4", "hmac"}) {
      CAPTURE(way);
      std::string text{starting_spec()};
      const auto usual = text.find("\nauth ");
      REQUIRE(usual != text.npos);
      text.insert(usual + 1, "#");
      for (auto at = text.find(fmt::format("\n#[source.auth.{}]", way)); text[at + 1] == '#';
           at = text.find('\n', at + 1)) {
        text.erase(at + 1, 1);
      }
      (void)good(text, {{"PWD", "/home/me"},
                        {"CLIENT_SECRET", "x"},
                        {"REFRESH_TOKEN", "x"},
                        {"MY_ACCESS_KEY", "x"},
                        {"MY_SECRET_KEY", "x"},
                        {"MY_SESSION_TOKEN", "x"},
                        {"API_SECRET", "x"}});
    }
  }

  TEST_CASE("each example of the page about sources is good") {
    std::ifstream file{WHERRY_DOCS "/sources.md", std::ios::binary};
    const auto blocks = toml_blocks({std::istreambuf_iterator<char>{file}, {}});
    CHECK(blocks.size() >= 5);
    variables all;
    for (const auto* name : {"API_TOKEN", "API_KEY", "OTHER_TOKEN", "CLIENT_SECRET",
                             "REFRESH_TOKEN", "API_SECRET", "MY_ACCESS_KEY", "MY_SECRET_KEY"}) {
      all[name] = "x";
    }
    for (const auto& block : blocks) {
      CAPTURE(block);
      if (block.starts_with("[source.request]")) {  // in place of an address
        (void)good(changed("url = \"https://host/{client}/{day}.csv\"\n", block + "\n"), all);
        continue;
      }
      const auto end = block.find('\n');
      const bool is_source = block.substr(0, end) == "[source]";
      const auto lines = is_source ? block.substr(end + 1) : block;
      if (is_source && lines.starts_with("url")) {  // an address of its own
        (void)good(changed("url = \"https://host/{client}/{day}.csv\"\n", lines + "\n"), all);
        continue;
      }
      (void)good(with(lines), all);
    }
  }
}
