// SPDX-License-Identifier: Apache-2.0
// Goal: [warehouse]: what is read, and each mistake with its place and remedy. Method: as
// keys_test.
#include "sample.hpp"
#include "spec/init.hpp"

using namespace wherry::app;
using namespace wherry::app::sample;
using namespace std::chrono_literals;

namespace {

constexpr std::string_view good_columns = R"(columns = { client = "varchar", day = "date" })";
constexpr std::string_view address = R"(postgresql = "postgres://me:hidden@host/db")";

/// The smallest spec with a warehouse of these lines, which begin in line 11.
std::string with_warehouse(std::string_view lines, std::string_view columns = good_columns) {
  std::string text = changed(R"(columns = { day = "date" })", columns);
  return text + "[warehouse]\n" + std::string{lines} + "\n";
}

std::string on_s3(std::string text) {
  const std::string_view file = "file:///out/";
  return text.replace(text.find(file), file.size(), "s3://bucket/");
}

const variables keys = {{"AWS_ACCESS_KEY_ID", "k"}, {"AWS_SECRET_ACCESS_KEY", "s"}};

lines wrong(std::string_view more, std::string_view columns = good_columns) {
  return mistakes(with_warehouse("table = \"public.ads\"\n" + std::string{more}, columns));
}

lines postgresql(std::string_view more, std::string_view columns = good_columns) {
  return wrong(std::string{address} + "\n" + std::string{more}, columns);
}

}  // namespace

TEST_SUITE("spec/read.hpp warehouse") {
  TEST_CASE("there is none unless it is written") { CHECK_FALSE(good(smallest).warehouse); }

  TEST_CASE("what is not written has its default") {
    const auto made = good(with_warehouse(std::string{address} + "\ntable = \"ads\""));
    REQUIRE(made.warehouse.has_value());
    CHECK(made.warehouse->is == warehouse::kind::postgresql);
    CHECK(made.warehouse->url.reveal == "postgres://me:hidden@host/db");
    CHECK(made.warehouse->schema.empty());
    CHECK(made.warehouse->table == "ads");
    CHECK(made.warehouse->batch == 200);
    CHECK(made.warehouse->linger == 2s);
    CHECK(made.warehouse->timeout == 10min);
    CHECK(made.warehouse->client == "client");
    CHECK(made.warehouse->day == "day");
  }

  TEST_CASE("all keys are read") {
    const auto made =
        good(on_s3(with_warehouse(R"(redshift = "postgresql://u:p@h:5439/d"
table = "reports.ads_daily"
iam_role = "arn:aws:iam::123456789012:role/copy"
batch = 50
linger = "5s"
timeout = "1h"
client = "account"
day = "on_day")",
                                  R"(columns = { account = "varchar", on_day = "date" })")),
             keys);
    REQUIRE(made.warehouse.has_value());
    CHECK(made.warehouse->is == warehouse::kind::redshift);
    CHECK(made.warehouse->schema == "reports");
    CHECK(made.warehouse->table == "ads_daily");
    CHECK(made.warehouse->iam_role == "arn:aws:iam::123456789012:role/copy");
    CHECK(made.warehouse->batch == 50);
    CHECK(made.warehouse->linger == 5s);
    CHECK(made.warehouse->timeout == 1h);
    CHECK(made.warehouse->client == "account");
    CHECK(made.warehouse->day == "on_day");
  }

  TEST_CASE("what wherry init shows of it is good") {
    std::string text{starting_spec()};
    for (auto at = text.find("\n#[warehouse]"); text[at + 1] == '#'; at = text.find('\n', at + 1)) {
      const auto line = std::string_view(text).substr(at + 2);
      const bool is_other = line.starts_with("redshift") || line.starts_with("iam_role") ||
                            line.starts_with("client") || line.starts_with("day");
      if (!is_other) text.erase(at + 1, 1);
    }
    const std::string_view columns = "columns = { campaign = \"varchar\", clicks";
    text.replace(
        text.rfind(columns), columns.size(),
        "columns = { client = \"varchar\", day = \"date\", campaign = \"varchar\", clicks");
    const auto made = good(
        text, {{"API_TOKEN", "t"}, {"PWD", "/home/me"}, {"PG_USER", "u"}, {"PG_PASSWORD", "p"}});
    REQUIRE(made.warehouse.has_value());
    CHECK(made.warehouse->url.reveal == "postgres://u:p@127.0.0.1:5432/dev");
  }

  TEST_CASE("one database and a table are needed") {
    CHECK(wrong("") ==
          lines{"ads.toml:10:1: postgresql in [warehouse] is missing, and so is redshift; "
                "write postgresql = \"${DATABASE_URL}\", or redshift"});
    CHECK(
        mistakes(with_warehouse(address)) ==
        lines{"ads.toml:10:1: missing key \"table\" in [warehouse]; add table: Table that rows are "
              "loaded into, with its schema."});
    CHECK(
        postgresql(R"(redshift = "postgres://h/d")") ==
        lines{"ads.toml:13:12: redshift in [warehouse] and postgresql are both there; rows go into "
              "one warehouse: remove one"});
  }

  TEST_CASE("Redshift needs a role and reads from S3") {
    CHECK(wrong(R"(redshift = "postgres://h/d")") ==
          lines{"ads.toml:10:1: iam_role in [warehouse] is missing; write a role such as "
                "\"arn:aws:iam::123456789012:role/copy\", or \"default\"",
                "ads.toml:12:12: redshift in [warehouse] reads from S3, and the sink writes files; "
                "write an address \"s3://…\" as url of [sink]"});
    CHECK(postgresql(R"(iam_role = "default")") ==
          lines{"ads.toml:13:12: iam_role in [warehouse] is there, but only Redshift has roles; "
                "remove it"});
    CHECK(postgresql(R"(iam_role = "arn:x' GZIP")").front() ==
          "ads.toml:13:12: iam_role in [warehouse] is \"arn:x' GZIP\"; write a role such as "
          "\"arn:aws:iam::123456789012:role/copy\", or \"default\"");
  }

  TEST_CASE("a warehouse loads no JSON lines") {
    auto text = with_warehouse(std::string{address} + "\ntable = \"ads\"");
    const std::string_view csv = ".csv\"\n";
    const auto at = text.rfind(csv, text.find("[warehouse]"));
    REQUIRE(at != text.npos);
    text.replace(at, csv.size(), ".jsonl.gz\"\n");
    CHECK(mistakes(text) ==
          lines{"ads.toml:10:1: [warehouse] loads no JSON lines, of which the sink is; let url of "
                "[sink] end with .parquet or .csv"});
  }

  TEST_CASE("rows must say whose they are and of which day") {
    CHECK(
        postgresql("", R"(columns = { day = "date" })") ==
        lines{"ads.toml:10:1: client in [warehouse] is \"client\", which is no column of "
              "[transform]; let the sql make it and write it into columns, or name another: client "
              "= \"…\""});
    CHECK(
        postgresql("day = \"date\"") ==
        lines{
            "ads.toml:13:7: day in [warehouse] is \"date\", which is no column of [transform]; let "
            "the sql make it and write it into columns, or name another: day = \"…\""});
    CHECK(postgresql("day = \"client\"") ==
          lines{"ads.toml:13:7: day in [warehouse] is the column of client, too; name another"});
  }

  TEST_CASE("a table's name is a name") {
    for (const auto* each : {"a.b.c", ".ads", "ads.", "1ads", "a b", "a\\\"b"}) {
      const auto found =
          mistakes(with_warehouse(std::string{address} + "\ntable = \"" + each + "\""));
      REQUIRE(found.size() == 1);
      CHECK_MESSAGE(
          found[0].ends_with("write schema.table: letters, digits, _ and $, at most 63 of "
                             "each"),
          found[0]);
    }
  }

  TEST_CASE("a batch is at most a window") {
    CHECK(postgresql("batch = 513") ==
          lines{"ads.toml:13:9: batch in [warehouse] is 513, more than the 512 reports of window; "
                "write at most 512, or a larger window in [import]"});
  }

  TEST_CASE("a password that is not percent-encoded is a mistake that does not show it") {
    const auto found = [](std::string_view url) {
      return wrong("postgresql = \"postgres" + std::string{url} + "\"");
    };
    const lines told{
        "ads.toml:12:14: postgresql in [warehouse] cannot be taken apart; write it as "
        "postgres://user:password@host:5432/database, and percent-encode what user "
        "and password have besides letters and digits: %40 for @, %2F for /, %25 for "
        "%"};
    for (const auto* url :
         {"://u:S3cret50%off@h/d", "://u:S3cret%0@h/d", "://u:S3cret%00@h/d", "://u:S3c@ret@h/d",
          "://u:S3c/ret@h/d", "://u:12/ret@h/d", "://u:12/4?ret@h/d", "://u:p@h:S3cret/d",
          "://u:p@[::1/d", "://u:p@[::1]S3cret/d"}) {
      CHECK_MESSAGE(found(url) == told, url);
    }
    for (const auto* url :
         {"://h", "ql://u:p%40ss%2F%25@h:5432/d?sslmode=require", "://u:p:q?r#s@h1:1,h2,[::1]:3/d",
          "://%2Ftmp:5432/d", "://u@[::1]/d", "://u:p@:5432"}) {
      CHECK_MESSAGE(found(url).empty(), url);
    }
  }

  TEST_CASE("an address is shown in no mistake") {
    for (const auto& text : {wrong(R"(postgresql = "mysql://me:hidden@host/db")"),
                             wrong(R"(postgresq = "postgres://me:hidden@host/db")"),
                             shown(with_warehouse("postgresql = 'mysql://me:hidden@host/db'"))}) {
      REQUIRE_FALSE(text.empty());
      for (const auto& line : text) CHECK_FALSE(line.contains("hidden"));
    }
  }
}
