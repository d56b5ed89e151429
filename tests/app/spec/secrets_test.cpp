// SPDX-License-Identifier: Apache-2.0
// Goal: no secret reaches a mistake: not from the file, not from the environment.
// Method: the word "hunter2" is put wherever a secret can be, beside something wrong; the word must
// not be in anything that is printed.
#include "sample.hpp"

using namespace wherry::app;
using namespace wherry::app::sample;

namespace {

void check_hidden(std::string_view text, variables set = {}) {
  const auto made = parse_spec(text, "ads.toml", from(std::move(set)));
  REQUIRE_FALSE(made);
  for (const auto& wrong : made.error()) {
    CAPTURE(to_string(wrong));
    CHECK_FALSE((to_string(wrong) + wrong.key + wrong.source_line).contains("hunter2"));
  }
}

}  // namespace

TEST_SUITE("spec/read.hpp secrets") {
  TEST_CASE("a secret beside a mistake is masked in the shown line") {
    CHECK(shown(added("[source]", R"(auth = { bearer = "hunter2", colour = "red" })")) ==
          lines{"ads.toml:6:8: auth in [source] has more than one way; write one of bearer, basic, "
                "header, query, oauth2, sigv4, hmac; several by turns: auth = [{ … }, { … }]\n"
                "  6 | auth = { bearer = ***, colour = *** }\n"
                "    |        ^",
                "ads.toml:6:30: unknown key \"colour\" in [source.auth]; known keys: bearer, "
                "basic, header, query, oauth2, sigv4, hmac\n"
                "  6 | auth = { bearer = ***, colour = *** }\n"
                "    |                        ^"});
  }

  TEST_CASE("a source with a query is not shown whatever the query's names are") {
    check_hidden(changed("https://host/{client}/{day}.csv", "ftp://host/{day}.csv?sid=hunter2"));
  }

  TEST_CASE("a reference to the environment is shown for it tells nothing") {
    CHECK(shown(added("[source]", R"(auth = { bearer = "${T}" })"))
              .at(0)
              .contains("6 | auth = { bearer = \"${T}\" }"));
  }

  TEST_CASE("a comment behind a mistake is not shown") {
    CHECK(shown(added("[source]", R"(timeout = "a#'\"#" # was hunter2)"))
              .at(0)
              .ends_with("\n  6 | timeout = \"a#'\\\"#\" \n    |           ^"));
  }

  TEST_CASE("secrets in the wrong place or of the wrong type are masked") {
    for (const auto* more :
         {"auth = { beerer = \"hunter2\" }", "auth = \"Bearer hunter2\"", "bearer = \"hunter2\"",
          "auth = { bearer = [\"hunter2\"] }", "auth = { bearer = { x = \"hunter2\" } }",
          "auth = { basic = { user = 1, pasword = \"hunter2\" } }",
          "headers = { Authorization = \"hunter2\", X = 1 }", "heders = { A = \"hunter2\" }",
          "headers = { A = \"hunter2\\n\" }", "auth = { bearer = \"hunter2${X\" }",
          "auth = { bearer = \"hunter2${X}\" }",
          "auth = { bearer = \"\"\"\nhunter2\n\"\"\", b = 1 }"}) {
      CAPTURE(more);
      check_hidden(added("[source]", more));
    }
    for (const auto* more : {"secret_key = [\"hunter2\"]", "secret_ky = \"hunter2\"",
                             "session_token = \"hunter2${\"", "acces_key = \"hunter2\""}) {
      CAPTURE(more);
      check_hidden(added("[sink]", more));
    }
    check_hidden(changed("https://host", "https://me:hunter2@host"));
    check_hidden(added("[sink]", "endpoint = \"http://me:hunter2@host\""));
  }

  TEST_CASE("what a variable says is never quoted") {
    const variables set{{"X", "hunter2"}};
    for (const auto* more :
         {"timeout = \"${X}\"", "limit.rate = \"${X}\"", "limit.lane = \"{${X}}\"",
          "max_size = \"${X}\"", "columns = { a = \"${X}\" }",
          "[[source.on]]\nstatus = 1\nis = \"${X}\""}) {
      CAPTURE(more);
      check_hidden(added("[source]", more), set);
    }
    check_hidden(changed("https://host", "${X}://host"), set);
    check_hidden(changed("https://host", "https://${X}"), {{"X", "a:hunter2@b"}});
    check_hidden(changed("https://host", "https://host/${X}/.."), set);
    check_hidden(added("[source]", "auth.bearer = \"${X}\""), {{"X", "hunter2\r\nX-Evil: 1"}});
    check_hidden(
        changed("\"acme\"", "{ id = \"${X}/\", currency = \"${X}\", timezone = \"${X}\" }"), set);
  }

  TEST_CASE("toml that does not parse near a secret shows neither line nor words") {
    for (const auto* more :
         {"auth = { bearer = \"hunter2 }", "auth = { bearer = hunter2 }", "secret_key = hunter2",
          "password = \"\"\"\nhunter2\\q\"\"\"", "auth.basic.password = 'hunter2\nx",
          "value = 99999999999999999999hunter2"}) {
      CAPTURE(more);
      check_hidden(added("[source]", more));
    }
  }

  TEST_CASE("no single slip of the pen makes a secret show") {
    const auto text = changed("[transform]", R"([source.auth]
basic = { user = "hunter2", password = "hunter2" }
[source.headers]
X-Team = "hunter2"
[transform])") + R"(secret_key = "hunter2"
session_token = """
hunter2"""
)";
    for (std::size_t at = 0; at < text.size(); ++at) {
      for (const std::string_view by : {"", "\"", "\n", "#", "x", "[", "\\", "'"}) {
        const auto slip = std::string{text}.replace(at, 1, by);
        const auto made = parse_spec(slip, "ads.toml", from({}));
        if (made) continue;
        for (const auto& wrong : made.error()) {
          CAPTURE(slip);
          CAPTURE(to_string(wrong));
          REQUIRE(wrong.line >= 1);
          REQUIRE(wrong.column >= 1);
          REQUIRE_FALSE(to_string(wrong).contains("hunter2"));
        }
      }
    }
  }

  TEST_CASE("control characters of a file do not reach the terminal") {
    CHECK_FALSE(shown("\"a\\u001b[2J\" = 1\n").at(0).contains('\x1b'));
    CHECK_FALSE(shown("a = \x1b[2J\n").at(0).contains('\x1b'));
    CHECK_FALSE(
        shown(changed("{ day = \"date\" }", "{ \"a\\u001b\" = 1 }")).at(0).contains('\x1b'));
  }

  TEST_CASE("a user in an address is sent to the keys of its own table") {
    CHECK(shown(changed("https://", "https://me:hunter2@")).at(0).contains("auth = { basic"));
    const auto said = shown(added("[sink]", R"(endpoint = "https://me:hunter2@s3.example")"));
    CHECK(said.at(0).contains("secret_key"));
    CHECK_FALSE(said.at(0).contains("auth"));
    CHECK_FALSE(said.at(0).contains("hunter2"));
  }

  TEST_CASE("the variables of the SQL are kept with what they stood for") {
    const auto made = good(added("[transform]", R"(sql = "select ${A}, '$${B}', ${A} from ${C}")"),
                           {{"A", "x"}, {"C", "report"}});
    CHECK(made.transform.sql == "select x, '${B}', x from report");
    REQUIRE(made.transform.variables.size() == 2);
    CHECK(made.transform.variables.at("A").reveal == "x");
    CHECK(made.transform.variables.at("C").reveal == "report");
  }
}
