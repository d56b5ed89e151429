// SPDX-License-Identifier: Apache-2.0
// Goal: a wrong key or value is a mistake with its exact place and a remedy.
// Method: the smallest spec, one change at a time, whole lines compared.
#include "sample.hpp"

using namespace wherry::app;
using namespace wherry::app::sample;

TEST_SUITE("spec/read.hpp mistakes") {
  TEST_CASE("an unknown key is named with its table at every level") {
    CHECK(mistakes(added("[transform]", R"(colums = { a = "date" })")) ==
          lines{R"(ads.toml:8:1: unknown key "colums" in [transform]; did you mean "columns"?)"});
    CHECK(mistakes(added("[soruce]", "")) ==
          lines{R"(ads.toml:10:2: unknown key "soruce" at the top level; did you mean "source"?)"});
    CHECK(mistakes(added("[source]", R"(limit = { rte = "10/s" })")) ==
          lines{R"(ads.toml:6:11: unknown key "rte" in [source.limit]; did you mean "rate"?)"});
    CHECK(mistakes(added("[source]", "[[source.on]]\nstatus = 200\nis = \"rows\"\nthen = 1")) ==
          lines{R"(ads.toml:9:1: unknown key "then" in [source.on])"
                R"(; known keys: status, header, contains, json, is, wait)"});
    CHECK(mistakes(changed(R"("acme")", R"({ id = "a", curency = "EUR" })")) ==
          lines{R"(ads.toml:3:24: unknown key "curency" in [import.clients])"
                R"(; did you mean "currency"?)"});
  }

  TEST_CASE("a missing key is named where its table begins") {
    CHECK(
        mistakes("") ==
        lines{"ads.toml:1:1: missing key \"import\" at the top level; add [import]: What is "
              "imported, and where its state lives.",
              "ads.toml:1:1: missing key \"sink\" at the top level; add [sink]: Where objects go.",
              "ads.toml:1:1: missing key \"source\" at the top level; add [source]: Where reports "
              "come from.",
              "ads.toml:1:1: missing key \"transform\" at the top level; add [transform]: How rows "
              "are converted."});
    CHECK(mistakes(changed("name = \"ads\"\n", "")) ==
          lines{"ads.toml:1:1: missing key \"name\" in [import]; add name: Name of the import; "
                "files are called after it."});
    CHECK(mistakes(changed(R"("acme")", R"({ account = "7" })")) ==
          lines{"ads.toml:3:12: missing key \"id\" in [import.clients]; add id: The client, "
                "{client} in addresses."});
    CHECK(mistakes(added("[source]", R"(auth = { basic = { user = "u" } })")) ==
          lines{"ads.toml:6:18: missing key \"password\" in [source.auth.basic]; add password: The "
                "password."});
    CHECK(mistakes(added("[source]", "[[source.on]]\nstatus = 200")) ==
          lines{"ads.toml:6:1: missing key \"is\" in [source.on]; add is: What the answer means."});
  }

  TEST_CASE("a wrong type says what came and what is wanted") {
    CHECK(
        mistakes(added("[import]", "window = 1.5")) ==
        lines{
            "ads.toml:4:10: window in [import] is a number with a fraction; write a whole number"});
    CHECK(mistakes(added("[source]", "timeout = 30")) ==
          lines{R"(ads.toml:6:11: timeout in [source] is a whole number)"
                R"(; write a duration such as "30s", "5m" or "500ms")"});
    CHECK(mistakes(added("[source]", "limit = \"10/s\"")) ==
          lines{"ads.toml:6:9: limit in [source] is a string; write a table"});
    CHECK(mistakes(added("[sink]", "path_style = \"yes\"")) ==
          lines{"ads.toml:10:14: path_style in [sink] is a string; write true or false"});
    CHECK(
        mistakes(added("[source]", "[source.on]\nis = \"rows\"")) ==
        lines{
            "ads.toml:6:1: on in [source] is a table; write a table [[source.on]] for each rule"});
    CHECK(mistakes(changed(R"(["acme"])", R"("acme")")) ==
          lines{"ads.toml:3:11: clients in [import] is a string; write clients = [\"acme\", { id = "
                "\"globex\", currency = \"EUR\" }]"});
    CHECK(mistakes(changed(R"(["acme"])", "[\"acme\", 7]")) ==
          lines{"ads.toml:3:20: clients in [import] holds a whole number; write clients = "
                "[\"acme\", { id = \"globex\", currency = \"EUR\" }]"});
    CHECK(mistakes(changed(R"({ day = "date" })", "{ day = 1979-05-27 }")) ==
          lines{"ads.toml:7:19: day in [transform.columns] is a date or time; write its SQL type, "
                "such as \"varchar\""});
    CHECK(mistakes(added("[source]", "on = [1]")) ==
          lines{"ads.toml:6:7: on in [source] holds a whole number; write a table [[source.on]] "
                "for each rule"});
    CHECK(mistakes("import = 1\n" + added("[source]", "").substr(smallest.find("[source]"))) ==
          lines{"ads.toml:1:10: import at the top level is a whole number; write a table"});
  }

  TEST_CASE("numbers out of bounds are told the bounds") {
    CHECK(mistakes(added("[import]", "window = -3")) ==
          lines{"ads.toml:4:10: window in [import] is -3; write a number from 1 to 1000000"});
    CHECK(mistakes(added("[transform]", "threads = 0")) ==
          lines{"ads.toml:8:11: threads in [transform] is 0; write a number from 1 to 256"});
    CHECK(mistakes(added("[retry]", "attempts = 9223372036854775807")) ==
          lines{"ads.toml:11:12: attempts in [retry] is 9223372036854775807; write a number from 1 "
                "to 1000"});
    CHECK(mistakes(added("[source]", "[[source.on]]\nstatus = 42\nis = \"rows\"")) ==
          lines{"ads.toml:7:10: status in [source.on] is 42; write a number from 100 to 599"});
  }

  TEST_CASE("bad durations and sizes and rates are quoted") {
    CHECK(mistakes(added("[source]", "timeout = \"30 sec\"")) ==
          lines{R"(ads.toml:6:11: timeout in [source] is "30 sec")"
                R"(; write a duration such as "30s", "5m" or "500ms")"});
    CHECK(mistakes(added("[source]", "max_size = \"big\"")) ==
          lines{R"(ads.toml:6:12: max_size in [source] is "big")"
                R"(; write a size such as "100MB" or "4GiB")"});
    CHECK(mistakes(added("[source]", "limit.rate = \"10\"")) ==
          lines{R"(ads.toml:6:14: rate in [source.limit] is "10")"
                R"(; write a rate such as "10/s", "600/min" or "1000/h")"});
  }

  TEST_CASE("bad columns are told their type or name") {
    const std::string_view was = R"({ day = "date" })";
    CHECK(mistakes(changed(was, R"({ day = "string" })")) ==
          lines{R"(ads.toml:7:19: day in [transform.columns] has an unknown type "string")"
                R"(; write "varchar")"});
    CHECK(mistakes(changed(was, "{}"))
              .at(0)
              .starts_with("ads.toml:7:11: columns in [transform] is empty; write columns"));
    CHECK(mistakes(changed(was, R"({ day = "date", Day = "date" })")) ==
          lines{"ads.toml:7:27: Day in [transform.columns] is there twice: SQL does not tell upper "
                "case from lower case; rename or remove one"});
    CHECK(mistakes(changed(was, R"({ "" = "date" })")) ==
          lines{"ads.toml:7:13: \"\" in [transform.columns] has an empty name; name the column"});
  }

  TEST_CASE("bad names and codes are quoted with the rule") {
    CHECK(mistakes(changed(R"("acme")", R"("a/b")")) ==
          lines{R"(ads.toml:3:12: clients in [import] has "a/b", which is no name)"
                R"(; write up to 100 letters, digits, - _ . and begin with a letter or digit)"});
    CHECK(mistakes(changed(R"("ads")", R"("")")) ==
          lines{"ads.toml:2:8: name in [import] is empty; write a value, or take the key out"});
    CHECK(mistakes(changed(R"("acme")", R"({ id = "a", currency = "eur" })")) ==
          lines{R"(ads.toml:3:35: currency in [import.clients] is "eur")"
                R"(; write a currency such as "EUR")"});
    CHECK(mistakes(changed(R"("acme")", R"({ id = "a", timezone = "CEST" })")) ==
          lines{R"(ads.toml:3:35: timezone in [import.clients] is "CEST")"
                R"(; write a time zone such as "Europe/Berlin")"});
    CHECK(mistakes(added("[import]", "store = \"ads.db\"")) ==
          lines{R"(ads.toml:4:9: store in [import] is no store)"
                R"(; write a store such as "sqlite:ads.db")"});
  }

  TEST_CASE("bad addresses are told their shape") {
    const auto source = [](std::string_view url) {
      return mistakes(changed("https://host/{client}/{day}.csv", url)).at(0);
    };
    const auto sink = [](std::string_view url) {
      return mistakes(changed("file:///out/{day}/{client}.csv", url)).at(0);
    };
    CHECK(source("htps://h/x") ==
          "ads.toml:5:7: url in [source] does not begin with http:// or https://; did you mean "
          "https://?");
    CHECK(source("h/x") ==
          "ads.toml:5:7: url in [source] does not begin with http:// or https://; write https://…");
    CHECK(source("https:///x") ==
          "ads.toml:5:7: url in [source] has no host; write it after the //: https://host/path");
    CHECK(source("https://h/{clint}/{day}") ==
          R"(ads.toml:5:18: url in [source] has an unknown placeholder "{clint}")"
          R"(; did you mean {client}?)");
    CHECK(source("https://h/../x")
              .starts_with(R"(ads.toml:5:17: url in [source] has a ".." or "." in its path;)"));
    CHECK(sink("ftp://b/{day}.csv") ==
          "ads.toml:9:7: url in [sink] does not begin with file:// or s3://; write s3://…");
    CHECK(sink("file://out/{day}.csv")
              .starts_with(
                  "ads.toml:9:7: url in [sink] is not an absolute path; write three slashes"));
    CHECK(
        sink("s3://B_/{day}.csv").starts_with("ads.toml:9:7: url in [sink] has no valid bucket;"));
    CHECK(sink("s3://bucket/")
              .starts_with("ads.toml:9:7: url in [sink] has no name behind the bucket;"));
    CHECK(sink("file:///o/{day}.json") ==
          "ads.toml:9:7: url in [sink] has a name that tells no format; end it with "
          ".parquet, .csv or .jsonl; the last two also with .gz or .zst");
    CHECK(sink("file:///o/{client}-{day:%Y-%m}.csv") ==
          "ads.toml:9:7: url in [sink] gives several days the same object, and one would replace "
          "the other; put {day} into it");
    CHECK(mistakes(added("[sink]", "endpoint = \"https://h/path\"")) ==
          lines{"ads.toml:10:12: endpoint in [sink] has a path; write only scheme, host and port: "
                "the sink's url has the rest"});
    CHECK(mistakes(added("[source]", "limit.lane = \"{day}\""))
              .at(0)
              .starts_with(
                  R"(ads.toml:6:15: lane in [source.limit] has an unknown placeholder "{day}")"));
  }

  TEST_CASE("bad rules for answers are told what is wrong") {
    const auto rule = [](std::string_view more) {
      return mistakes(added("[source]", "[[source.on]]\n" + std::string{more}));
    };
    CHECK(rule("status = 429\nis = \"throtled\"") ==
          lines{R"(ads.toml:8:6: is in [source.on] is "throtled"; did you mean "throttled"?)"});
    CHECK(rule("is = \"empty\"") ==
          lines{"ads.toml:6:1: on in [source] has a rule without a condition, which every answer "
                "meets; give it a status, header, contains or json"});
    CHECK(rule("status = 200\nis = \"rows\"\nwait = \"5m\"") ==
          lines{R"(ads.toml:9:8: on in [source] waits, but what it says does not)"
                R"(; take wait out, or write is = "throttled", "transient" or "pending")"});
    CHECK(
        rule("status = 429\nis = \"throttled\"\nwait = { in = \"epoch\" }") ==
        lines{R"(ads.toml:9:8: wait in [source.on] does not say where it stands; write wait = "5m")"
              R"(, or { header = "X-RateLimit-Reset", in = "epoch" })"});
    CHECK(
        rule("status = 429\nis = \"throttled\"\nwait = { json = \"a\", in = \"hours\" }") ==
        lines{R"(ads.toml:9:27: in in [source.on.wait] is "hours"; known: milliseconds, seconds, )"
              "minutes, epoch"});
    CHECK(rule("json = { a.b = [1] }\nis = \"rows\"") ==
          lines{R"(ads.toml:7:16: json in [source.on] compares "a.b" with an array)"
                R"(; compare with a string, a whole number, true or false)"});
  }

  TEST_CASE("signing in takes exactly one way and a header a name") {
    CHECK(mistakes(added("[source]", "auth = {}")) ==
          lines{"ads.toml:6:8: auth in [source] is empty; write one of bearer, basic, "
                "header, query, oauth2, sigv4, hmac; several by turns: auth = [{ … }, { … }]"});
    CHECK(mistakes(added("[source]",
                         R"(auth = { bearer = "a", header = { name = "n", value = "v" } })")) ==
          lines{"ads.toml:6:8: auth in [source] has more than one way; write one of bearer, basic, "
                "header, query, oauth2, sigv4, hmac; several by turns: auth = [{ … }, { … }]"});
    CHECK(mistakes(added("[source]", R"(headers = { "a b" = "x" })")) ==
          lines{"ads.toml:6:13: a b in [source.headers] is not the name of a header; write "
                "letters, digits and -"});
  }
}
