// SPDX-License-Identifier: Apache-2.0
// Goal: every key is read into its field. Method: the smallest spec with keys added.
#include <fstream>
#include <iterator>

#include "sample.hpp"

using namespace wherry::app;
using namespace wherry::app::sample;
using namespace std::chrono_literals;

namespace {

std::string first_spec_of(const std::string& page_name) {
  std::ifstream file{WHERRY_DOCS + page_name, std::ios::binary};
  const std::string page{std::istreambuf_iterator<char>{file}, {}};
  constexpr std::string_view fence = "```toml\n";
  const auto at = page.find(fence);
  REQUIRE(at != page.npos);
  return page.substr(at + fence.size(), page.find("\n```", at) + 1 - at - fence.size());
}

}  // namespace

TEST_SUITE("spec/read.hpp keys") {
  TEST_CASE("the smallest spec has every default filled in") {
    const auto made = good(smallest);
    CHECK(made.name == "ads");
    CHECK(made.store == "sqlite:ads.db");
    CHECK(made.spool == "ads.spool");
    CHECK(made.window == 512);
    REQUIRE(made.clients.size() == 1);
    CHECK(made.clients[0].account == "acme");
    CHECK(made.clients[0].timezone == "UTC");
    CHECK(made.source.limit.lane == "{account}");
    CHECK(made.source.limit.calls == 0);
    CHECK(made.sink.limit.lane == "sink");
    CHECK(made.sink.format == file_format::csv);
    CHECK(std::holds_alternative<std::monostate>(made.source.auth));
    CHECK(made.transform.sql.empty());
  }

  TEST_CASE("every key of import and transform and retry is read") {
    auto text = added("[import]", R"(store = "sqlite:/var/x.db"
spool = "/var/spool/x"
spool_budget = "2GB"
window = 64)");
    text += R"([retry]
attempts = 3
first = "1s"
cap = "2m"
)";
    const auto made = good(text);
    CHECK(made.store == "sqlite:/var/x.db");
    CHECK(made.spool == "/var/spool/x");
    CHECK(made.spool_budget_bytes == 2'000'000'000u);
    CHECK(made.window == 64);
    CHECK(made.retry.attempts == 3);
    CHECK(made.retry.first == 1s);
    CHECK(made.retry.cap == 2min);
  }

  TEST_CASE("headers are templates of a report") {
    CHECK(good(added("[source]", R"(headers = { X-Scope = "{account}", X-Day = "{day:%Y%m%d}" })"))
              .source.headers.at("X-Scope") == "{account}");
    const auto said = mistakes(added("[source]", R"(headers = { X-Scope = "a{hunter2}" })"));
    REQUIRE(said.size() == 1);
    CHECK(
        said[0].contains("X-Scope in [source.headers] is no template of a report; write {client}"));
    CHECK_FALSE(said[0].contains("hunter2"));
  }

  TEST_CASE("clients are ids or tables") {
    const auto made = good(changed(
        R"(["acme"])", R"(["acme", { id = "globex", account = "7 7", currency = "EUR", timezone =)"
                       R"( "Europe/Berlin" }])"));
    REQUIRE(made.clients.size() == 2);
    CHECK(made.clients[1].id == "globex");
    CHECK(made.clients[1].account == "7 7");
    CHECK(made.clients[1].currency == "EUR");
    CHECK(made.clients[1].timezone == "Europe/Berlin");
  }

  TEST_CASE("every key of source is read") {
    const auto made = good(added("[source]", R"(auth = { basic = { user = "u", password = "p" } }
headers = { Accept = "text/csv", X-Team = "ads" }
limit = { lane = "api-{account}", rate = "600/min", in_flight = 32 }
timeout = "1m"
connect_timeout = "3s"
max_size = "100MB"
[[source.on]]
status = 200
json = { error.code = 40100, "a.b" = "x", ok = true }
is = "throttled"
wait = "5m"
[[source.on]]
contains = "no data"
is = "empty"
[[source.on]]
header = { X-State = "busy" }
is = "pending"
wait = { header = "X-Usage", json = "*.0.minutes", in = "minutes" }
[[source.on]]
status = 413
is = "split"
[[source.on]]
status = 403
is = "credentials")"));
    const auto& source = made.source;
    CHECK(std::get<basic_auth>(source.auth).user == "u");
    CHECK(std::get<basic_auth>(source.auth).password.reveal == "p");
    CHECK(source.headers ==
          std::map<std::string, std::string>{{"Accept", "text/csv"}, {"X-Team", "ads"}});
    CHECK(source.limit.lane == "api-{account}");
    CHECK(source.limit.calls == 600);
    CHECK(source.limit.per == 1min);
    CHECK(source.limit.in_flight == 32);
    CHECK(source.timeout == 1min);
    CHECK(source.connect_timeout == 3s);
    CHECK(source.max_size_bytes == 100'000'000u);
    REQUIRE(source.on.size() == 5);
    CHECK(source.on[0].status == 200);
    CHECK(source.on[0].json == std::map<std::string, std::string>{
                                   {"error.code", "40100"}, {"a.b", "x"}, {"ok", "true"}});
    CHECK(source.on[0].is == answer_rule::meaning::throttled);
    CHECK(source.on[0].wait == 5min);
    CHECK(source.on[1].body_contains == "no data");
    CHECK(source.on[1].is == answer_rule::meaning::empty);
    CHECK_FALSE(source.on[1].wait);
    CHECK(source.on[2].headers == std::map<std::string, std::string>{{"X-State", "busy"}});
    CHECK(source.on[2].is == answer_rule::meaning::pending);
    CHECK(source.on[2].wait_from ==
          wait_place{.header = "X-Usage", .json = "*.0.minutes", .in = wait_place::unit::minutes});
    CHECK(source.on[3].is == answer_rule::meaning::split);
    CHECK(source.on[4].is == answer_rule::meaning::credentials);
  }

  TEST_CASE("a password may be empty and a user may not") {
    const auto made =
        good(added("[source]", R"(auth = { basic = { user = "key", password = "${NONE}" } })"),
             {{"NONE", ""}});
    CHECK(std::get<basic_auth>(made.source.auth).user == "key");
    CHECK(std::get<basic_auth>(made.source.auth).password.reveal.empty());
    CHECK(shown(added("[source]", R"(auth = { basic = { user = "", password = "" } })"))
              .at(0)
              .contains("user in [source.auth.basic] is empty"));
  }

  TEST_CASE("the other ways to sign in are read") {
    const auto bearer = good(added("[source]", R"(auth.bearer = "${T}")"), {{"T", "tok"}});
    CHECK(std::get<bearer_auth>(bearer.source.auth).token.reveal == "tok");
    const auto header =
        good(added("[source]", R"(auth = { header = { name = "X-Key", value = "k" } })"));
    CHECK(std::get<header_auth>(header.source.auth).name == "X-Key");
    CHECK(std::get<header_auth>(header.source.auth).value.reveal == "k");
  }

  TEST_CASE("columns keep the order of the file in every way to write them") {
    const auto names = [](const std::vector<column>& columns) {
      std::string out;
      for (const auto& one : columns) out += one.name + ":" + one.type + " ";
      return out;
    };
    const std::string_view was = R"(columns = { day = "date" })";
    CHECK(names(good(changed(was, "columns = { z = 'date', a = 'DECIMAL(18, 6)', m = 'bigint' }"))
                    .transform.columns) == "z:date a:decimal(18,6) m:bigint ");
    CHECK(names(good(changed(was, "columns.z = 'date'\ncolumns.a = 'date'")).transform.columns) ==
          "z:date a:date ");
    CHECK(names(good(changed(was, "[transform.columns]\nz = 'date'\nb = 'time'\na = 'date'"))
                    .transform.columns) == "z:date b:time a:date ");
    CHECK(names(good(added("[source]", "columns = { z = 'date', a = 'date' }")).source.columns) ==
          "z:date a:date ");
  }

  TEST_CASE("the name of the object tells format and compression") {
    const auto sink = [](const char* ending) {
      return good(changed("out/{day}/{client}.csv", std::string{"out/{day}/{client}"} + ending))
          .sink;
    };
    CHECK(sink(".csv").compression == compression::none);
    CHECK(sink(".csv.gz").compression == compression::gzip);
    CHECK(sink(".csv.zst").compression == compression::zstd);
    CHECK(sink(".parquet").format == file_format::parquet);
    CHECK(sink(".jsonl").format == file_format::json_lines);
    CHECK(sink(".jsonl.gz").compression == compression::gzip);
    CHECK(sink(".jsonl.zst").compression == compression::zstd);
  }

  TEST_CASE("the spec of the page about sinks is one") {
    const auto made = good(first_spec_of("/sinks.md"));
    CHECK(made.sink.format == file_format::parquet);
    CHECK(made.sink.limit.quotas.size() == 1);
  }

  TEST_CASE("the spec of the page about clients is one") {
    const auto made = good(first_spec_of("/clients.md"));
    CHECK(made.clients.empty());
    CHECK(made.client_list->url == "https://api.example.com/v1/accounts");
    CHECK(made.client_list->id == "account_id");
    CHECK(made.client_list->account == "account");
  }

  TEST_CASE("a list of clients is a file beside the spec, a command or an address") {
    const auto list = [](std::string_view table) {
      return changed(R"(["acme"])", "{ " + std::string{table} + " }");
    };
    CHECK(good(list(R"(file = "c.csv")")).client_list->file == "c.csv");
    const auto run = good(list(R"(command = ["./c.sh", "${A}"], timeout = "5s")"), {{"A", "x"}});
    CHECK(run.client_list->command == std::vector<std::string>{"./c.sh", "x"});
    CHECK(run.client_list->timeout == std::chrono::seconds{5});
    const auto not_one =
        R"(ads.toml:3:11: clients in [import] names not just one of file, command )"
        R"(and url; write clients = { file = "clients.csv" })";
    CHECK(mistakes(list(R"(file = "c.csv", url = "https://h/x")")) == lines{not_one});
    CHECK(mistakes(list("")) == lines{not_one});
    CHECK(mistakes(list(R"(file = "c.csv", next = "n")")).front().contains("has next without url"));
    CHECK(mistakes(list("command = []")).front().contains("is empty"));
    CHECK(mistakes(list(R"(url = "s3://h/x")")).front().contains("https://"));
  }
}
