// SPDX-License-Identifier: Apache-2.0
// Goal: the table holds of each report the rows of its newest object, once. Method: files as
// objects, a real PostgreSQL, and the loader as a step uses it; two loaders stand for two
// processes.
#include "warehouse/loader.hpp"

#include <unistd.h>

#include <filesystem>
#include <map>
#include <optional>

#include "../keys.hpp"
#include "../scratch.hpp"
#include "postgres.hpp"
#include "reports.hpp"
#include "spool/sha256.hpp"
#include "wherry/csp/scheduler.hpp"
#include "wherry/csp/scope.hpp"

namespace wherry::app {
namespace {

using namespace testing;

struct house {
  scratch at;
  app::spec spec;
  http_client http;
  aws_credentials keys{testing::keys_in(spec.sink), http};
  std::unique_ptr<spool> files;
  std::unique_ptr<report_loader> loader;
  database_connection database = connect();
  std::string schema =
      "s_" + std::to_string(::getpid()) + "_" + at.path.filename().native().substr(12);

  house() {
    run("CREATE SCHEMA \"" + schema + "\"");
    run("CREATE TABLE " + table() + " (client varchar, day date, n bigint)");
    spec.name = "ads";
    spec.sink.url = "file://" + at.path.native() + "/{client}.csv";
    spec.sink.region.clear();
    spec.transform.columns = {{"client", "varchar"}, {"day", "date"}, {"n", "bigint"}};
    auto& to = spec.warehouse.emplace();
    to.url = server_url();
    to.schema = schema;
    to.table = "t";
    to.linger = 20ms;
    files = std::move(*spool::open(at.path / "spool", 1'000'000));
    loader = make_loader(spec, http, keys, *files);
  }
  ~house() { run("DROP SCHEMA \"" + schema + "\" CASCADE"); }

  [[nodiscard]] std::string table() const { return "\"" + schema + "\".t"; }
  database_rows run(const std::string& sql) { return testing::run(database, sql); }
  std::string one(const std::string& sql) { return run(sql).at(0).at(0); }

  /// Makes an object of so many rows, numbered from `first`.
  load_item object(const std::string& client, int rows, int first = 1, std::int64_t generation = 1,
                   const std::string& last = "") {
    std::string text = "client,day,n\n";
    for (int i = 0; i < rows; ++i) {
      text += client + ",2025-01-31," + std::to_string(first + i) + "\n";
    }
    text += last;
    const auto path = at.path / (client + "-" + std::to_string(generation) + ".csv");
    std::ofstream{path} << text;
    auto item =
        report_of(client, static_cast<std::uint64_t>(rows), to_hex(sha256_of(text)), generation);
    item.url = "file://" + path.native();
    item.size_bytes = text.size();
    return item;
  }

  /// Loads them at once, by one loader.
  std::map<std::string, load_outcome> load(std::vector<load_item> items) {
    std::map<std::string, load_outcome> told;
    for (const auto& each : items) told.emplace(each.client, load_result::loaded);
    thread_scheduler scheduler{{.threads = 2}};
    scheduler.run(with_scope([&](scope& all) -> task<> {
      for (auto& each : items) all.go(load_one(each, &told.at(each.client)));
      co_return;
    }));
    return told;
  }
  task<> load_one(load_item item, load_outcome* told) {
    *told = co_await loader->load(std::move(item));
  }
  load_outcome load(load_item item) { return load(std::vector{std::move(item)}).begin()->second; }

  std::string rows_of(const std::string& client) {
    return one("SELECT coalesce(string_agg(n::text, ' ' ORDER BY n), '') FROM " + table() +
               " WHERE client = '" + client + "'");
  }
};

}  // namespace

TEST_SUITE("warehouse/loader.hpp") {
  TEST_CASE("reports that come together are one transaction") {
    house at;
    const auto told = at.load({at.object("a", 2), at.object("b", 3), at.object("c", 0)});
    for (const auto& [client, outcome] : told) {
      CHECK_MESSAGE(outcome == load_outcome{load_result::loaded}, client);
    }
    CHECK(at.rows_of("a") == "1 2");
    CHECK(at.rows_of("b") == "1 2 3");
    CHECK(at.one("SELECT count(DISTINCT xmin::text) FROM " + at.table()) == "1");
    CHECK(at.run("SELECT client, row_count, generation FROM \"" + at.schema +
                 "\".wherry_loads ORDER BY 1") ==
          database_rows{{"a", "2", "1"}, {"b", "3", "1"}, {"c", "0", "1"}});
    CHECK(at.one("SELECT count(DISTINCT batch) FROM \"" + at.schema + "\".wherry_loads") == "1");
  }

  TEST_CASE("loading a report again does nothing") {
    house at;
    const auto item = at.object("a", 2);
    CHECK(at.load(item) == load_outcome{load_result::loaded});
    const auto before = at.one("SELECT min(xmin::text) FROM " + at.table());
    CHECK(at.load(item) == load_outcome{load_result::unchanged});
    CHECK(at.one("SELECT min(xmin::text) FROM " + at.table()) == before);
    CHECK(at.rows_of("a") == "1 2");
  }

  TEST_CASE("a restated report replaces the rows of before and those of nobody else") {
    house at;
    at.load({at.object("a", 2), at.object("b", 2)});
    at.run("INSERT INTO " + at.table() + " VALUES ('a', '2025-01-30', 9)");
    CHECK(at.load(at.object("a", 3, 10, 2)) == load_outcome{load_result::loaded});
    CHECK(at.rows_of("a") == "9 10 11 12");
    CHECK(at.rows_of("b") == "1 2");
  }

  TEST_CASE("an emptied report deletes the rows of before") {
    house at;
    at.load(at.object("a", 2));
    auto none = report_of("a", 0, "", 2);
    CHECK(at.load(none) == load_outcome{load_result::loaded});
    CHECK(at.rows_of("a").empty());
    CHECK(at.load(none) == load_outcome{load_result::unchanged});
  }

  TEST_CASE("an older generation that comes late does nothing") {
    house at;
    const auto old = at.object("a", 2, 1, 1);
    at.load(at.object("a", 3, 10, 2));
    CHECK(at.load(old) == load_outcome{load_result::superseded});
    CHECK(at.rows_of("a") == "10 11 12");
    // Also after the newer one had no other bytes than one before it.
    at.load(at.object("a", 3, 10, 5));
    CHECK(at.load(at.object("a", 1, 70, 4)) == load_outcome{load_result::superseded});
    CHECK(at.rows_of("a") == "10 11 12");
  }

  TEST_CASE("two loaders of one table load one after the other, and the newer one stays") {
    house at;
    auto other = make_loader(at.spec, at.http, at.keys, *at.files);
    const auto older = at.object("a", 2, 1, 1), newer = at.object("a", 3, 10, 2);
    for (int i = 0; i < 20; ++i) {
      at.run("DELETE FROM " + at.table());
      if (i > 0) at.run("DELETE FROM \"" + at.schema + "\".wherry_loads");
      std::vector<load_outcome> told(2);
      thread_scheduler scheduler{{.threads = 2}};
      scheduler.run(with_scope([&](scope& all) -> task<> {
        const auto load = [](report_loader* by, load_item item, load_outcome* told) -> task<> {
          do {
            *told = co_await by->load(item);
          } while (!*told && told->error().kind == load_error_kind::transient);
        };
        all.go(load(at.loader.get(), older, &told[0]));
        all.go(load(other.get(), newer, &told[1]));
        co_return;
      }));
      REQUIRE((told[0].has_value() && told[1].has_value()));
      CHECK(at.rows_of("a") == "10 11 12");
    }
  }

  TEST_CASE("what another import has loaded stays, and it is named") {
    house at;
    at.load(at.object("a", 2));
    at.spec.name = "more ads";
    at.loader = make_loader(at.spec, at.http, at.keys, *at.files);
    const auto told = at.load(at.object("a", 3, 10, 2));
    REQUIRE_FALSE(told.has_value());
    CHECK(told.error().kind == load_error_kind::stopped);
    CHECK_MESSAGE(told.error().message.contains("of \"a\" on 2025-01-31 are of the import \"ads\""),
                  told.error().message);
    CHECK(at.rows_of("a") == "1 2");
    CHECK(at.load(at.object("b", 1)) == load_outcome{load_result::loaded});
  }

  TEST_CASE("rows of which wherry_loads cannot say so are not there") {
    house at;
    at.load(at.object("a", 2));
    at.run("ALTER TABLE \"" + at.schema + "\".wherry_loads ADD CHECK (row_count < 3)");
    const auto told = at.load(at.object("a", 3, 10, 2));
    REQUIRE_FALSE(told.has_value());
    CHECK(told.error().kind == load_error_kind::stopped);
    CHECK(at.rows_of("a") == "1 2");
  }

  TEST_CASE("one bad report of a batch fails alone, whatever is wrong with it") {
    house at;
    const auto good = std::vector{at.object("a", 2), at.object("b", 2), at.object("d", 2)};
    auto all = good;
    std::string why;
    auto kind = load_error_kind::permanent;
    SUBCASE("a value that does not fit") {
      all.push_back(at.object("bad", 1, 1, 1, "bad,2025-01-31,no number\n"));
      why = "no number";
    }
    SUBCASE("a row of another day") {
      all.push_back(at.object("bad", 1, 1, 1, "bad,2025-01-30,1\n"));
      all.back().rows = 2;
      why = "of the 2 rows of the report 1 have its client \"bad\"";
    }
    SUBCASE("a client that is too long for its column") {
      at.run("ALTER TABLE " + at.table() + " ALTER client TYPE varchar(2)");
      all.push_back(at.object("bad", 1));
      why = "too long";
    }
    SUBCASE("a constraint of the table") {
      at.run("ALTER TABLE " + at.table() + " ADD CHECK (client <> 'bad')");
      all.push_back(at.object("bad", 1));
      why = "violates check constraint";
    }
    SUBCASE("an object that is gone") {
      all.push_back(at.object("bad", 1));
      std::filesystem::remove(at.at.path / "bad-1.csv");
      why = "is not what was uploaded";
      kind = load_error_kind::vanished;
    }
    SUBCASE("an object with fewer rows than were written") {
      all.push_back(at.object("bad", 1));
      all.back().rows = 2;
      why = "of the 2 rows of the report 1";
    }
    const auto told = at.load(all);
    for (const auto& each : good) CHECK(told.at(each.client) == load_outcome{load_result::loaded});
    REQUIRE_FALSE(told.at("bad").has_value());
    CHECK(told.at("bad").error().kind == kind);
    CHECK_MESSAGE(told.at("bad").error().message.contains(why), told.at("bad").error().message);
    CHECK(at.rows_of("bad").empty());
    CHECK(at.one("SELECT count(*) FROM " + at.table()) == "6");
  }

  TEST_CASE("a table of loads that is there is enough for whoever may make none") {
    house at;
    at.load(at.object("a", 1));
    const auto role = at.schema;
    at.run("CREATE ROLE \"" + role + "\" LOGIN PASSWORD 'a-weak-one'");
    at.run("GRANT USAGE ON SCHEMA \"" + role + "\" TO \"" + role + "\"");
    at.run("GRANT SELECT, INSERT, DELETE ON ALL TABLES IN SCHEMA \"" + role + "\" TO \"" + role +
           "\"");
    auto with = server_variables();
    at.spec.warehouse->url.reveal = "postgres://" + role + ":a-weak-one@" + with["PG_HOST"] + ":" +
                                    with["PG_PORT"] + "/" + with["PG_DATABASE"];
    at.loader = make_loader(at.spec, at.http, at.keys, *at.files);
    CHECK(at.load(at.object("b", 1)) == load_outcome{load_result::loaded});
    at.run("DROP OWNED BY \"" + role + "\"; DROP ROLE \"" + role + "\"");
  }

  TEST_CASE("a table of another kind of names is loaded, too") {
    house at;
    at.run("CREATE TABLE \"" + at.schema +
           R"(".named ("Konto" varchar, "date" timestamp, "a ""b""" int))");
    at.spec.warehouse->table = "named";
    at.spec.warehouse->client = "Konto";
    at.spec.warehouse->day = "date";
    at.spec.transform.columns = {{"Konto", "varchar"}, {"date", "date"}, {"a \"b\"", "bigint"}};
    at.loader = make_loader(at.spec, at.http, at.keys, *at.files);
    CHECK(at.load(at.object("a", 2)) == load_outcome{load_result::loaded});
    CHECK(at.load(at.object("a", 1, 1, 2)) == load_outcome{load_result::loaded});
    CHECK(at.one("SELECT count(*) FROM \"" + at.schema + "\".named") == "1");
  }
}

}  // namespace wherry::app
