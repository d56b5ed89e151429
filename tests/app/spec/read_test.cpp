// SPDX-License-Identifier: Apache-2.0
// Goal: files that cannot be read, TOML that does not parse, variables, paths, versions, and how a
// mistake looks. Method: real files in a fresh directory; whole texts compared.
#include <cstdlib>
#include <filesystem>
#include <fstream>

#include "../scratch.hpp"
#include "sample.hpp"

using namespace wherry::app;
using namespace wherry::app::sample;
namespace fs = std::filesystem;

namespace {

struct scratch : testing::scratch {
  fs::path write(const char* name, std::string_view text) const {
    std::ofstream{path / name, std::ios::binary} << text;
    return path / name;
  }
};

std::string only_mistake(const fs::path& file) {
  const auto made = read_spec(file, from({}));
  REQUIRE_FALSE(made);
  REQUIRE(made.error().size() == 1);
  return to_string(made.error()[0]);
}

}  // namespace

TEST_SUITE("spec/read.hpp") {
  TEST_CASE("a file that cannot be read is a mistake without a line") {
    const scratch dir;
    CHECK(only_mistake(dir.path / "none.toml") ==
          (dir.path / "none.toml").string() +
              ": cannot read: No such file or directory; check the path, or write a spec with: "
              "wherry init");
    CHECK(only_mistake(dir.path) ==
          dir.path.string() + ": is a directory; name the spec file in it");
    CHECK(
        only_mistake("/dev/zero") ==
        "/dev/zero: is over 1 MB, too large for a spec; check that this is the spec and not data");
    const auto big =
        dir.write("big.toml", std::string(smallest) + "#" + std::string(1'000'000, 'x'));
    CHECK(only_mistake(big).contains("is over 1 MB"));
  }

  TEST_CASE("the version is the hash of the bytes of the file") {
    const scratch dir;
    const auto made = read_spec(dir.write("a.toml", smallest), from({}));
    REQUIRE(made);
    CHECK(made->version ==
          "1e21cb35a3d7ca5f3e6c7a498e0e03fb60dd463e87ad05ef36aa0a7a38cf9cb9");  // sha256sum a.toml
    CHECK(good(std::string{smallest} + "#").version != made->version);
  }

  TEST_CASE("rates lie beside the spec and must be there") {
    const scratch dir;
    fs::create_directory(dir.path / "data");
    const auto file = dir.write("a.toml", added("[transform]", "rates = \"data/rates.csv\""));
    CHECK(only_mistake(file).starts_with(file.string() +
                                         ":8:9: rates in [transform] names no file; put the rates "
                                         "there; the path is relative to the spec"));
    dir.write("data/rates.csv", "Date,USD\n");
    const auto made = read_spec(file, from({}));
    REQUIRE(made);
    CHECK(made->transform.rates == (dir.path / "data/rates.csv").string());
  }

  TEST_CASE("a byte order mark and windows line ends are fine") {
    std::string text{"\xEF\xBB\xBF"};
    for (const char c : smallest) text += c == '\n' ? std::string{"\r\n"} : std::string(1, c);
    CHECK(good(text).name == "ads");
  }

  TEST_CASE("bad toml is reported where the parser stumbled") {
    CHECK(shown(changed("[sink]", "[sink")) ==
          lines{"ads.toml:8:6: Error while parsing table header: expected ']', saw '\\n'; write "
                "TOML as in https://toml.io\n"
                "  8 | [sink\n"
                "    |      ^"});
    CHECK(mistakes("a = 1\na = 2\n").at(0).starts_with("ads.toml:2:"));
    CHECK(mistakes("a = \"\xff\"\n").at(0).starts_with("ads.toml:1:"));
    CHECK(mistakes(std::string(500'000, '[')).size() == 1);
  }

  TEST_CASE("a mistake shows its line and a caret under the place") {
    CHECK(shown(changed("{ day = \"date\" }", "{ \"é\" = \"date\", b = \"daet\" }")) ==
          lines{"ads.toml:7:31: b in [transform.columns] has an unknown type \"daet\"; did you "
                "mean \"date\"?\n"
                "  7 | columns = { \"é\" = \"date\", b = \"daet\" }\n"
                "    |                               ^"});
  }

  TEST_CASE("all mistakes are reported in the order of the file") {
    auto text = changed("\"ads\"", "\"a/s\"") + "timeout = 3\n[retry]\nfrist = \"1s\"\n";
    const auto found = mistakes(text);
    REQUIRE(found.size() == 3);
    CHECK(found[0].starts_with("ads.toml:2:8: name in [import]"));
    CHECK(found[1].starts_with("ads.toml:10:11: timeout in [sink]"));
    CHECK(found[2] == R"(ads.toml:12:1: unknown key "frist" in [retry]; did you mean "first"?)");
  }

  TEST_CASE("variables stand for their values in any string") {
    const auto made = good(changed("https://host", "https://${HOST}${PORT}$$x$y"),
                           {{"HOST", "h"}, {"PORT", ":81"}});
    CHECK(made.source.url == "https://h:81$x$y/{client}/{day}.csv");
  }

  TEST_CASE("braces of a variable are no placeholders") {
    const auto made = good(changed("https://host", "https://host/${X}"), {{"X", "{day}"}});
    CHECK(made.source.url == "https://host/{{day}}/{client}/{day}.csv");
  }

  TEST_CASE("a missing variable is reported where it is used") {
    CHECK(mistakes(added("[source]", "auth = { bearer = \"${ADS_TOKEN}\" }")) ==
          lines{"ads.toml:6:20: bearer in [source.auth] needs the environment variable ADS_TOKEN, "
                "which is not set; export ADS_TOKEN=…"});
    CHECK(mistakes(added("[transform]", "sql = \"\"\"\nselect *\n  from ${T} ${T}\"\"\"")) ==
          lines{"ads.toml:10:8: sql in [transform] needs the environment variable T, which is not "
                "set; export T=…"});
    CHECK(mistakes(added("[transform]", "sql = \"a ${B\"")) ==
          lines{"ads.toml:8:10: sql in [transform] has a ${ without the name of a variable; write "
                "${NAME}, or $$ for a dollar sign"});
    CHECK(mistakes(added("[transform]", "sql = \"a ${1B}\"")).size() == 1);
  }

  TEST_CASE("the environment of the process is one of them") {
    REQUIRE(setenv("WHERRY_SPEC_TEST", "yes", 1) == 0);
    CHECK(process_environment()("WHERRY_SPEC_TEST") == "yes");
    CHECK_FALSE(process_environment()("WHERRY_SPEC_TEST_NOT_THERE"));
  }
}
