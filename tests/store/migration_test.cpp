// SPDX-License-Identifier: Apache-2.0
// Goal: a store of an older schema becomes one of the newest, the same as a new one, and loses
// nothing. Method: samples/ holds stores as older versions wrote them, as SQL.
#include <fstream>
#include <iterator>

#include "sqlite_subject.hpp"

using namespace wherry;
using namespace wherry::test;
using namespace std::chrono_literals;

namespace {

void write_sample(const std::filesystem::path& to, int schema = 1) {
  const auto number = std::to_string(schema);
  std::ifstream file(std::string(WHERRY_STORE_SAMPLES) + "/schema_" + number + ".sql");
  const std::string sql((std::istreambuf_iterator<char>(file)), {});
  REQUIRE(sql.size() > 1'000);
  run_sql(to, sql.c_str());
  REQUIRE(select_from(to, "PRAGMA user_version") == strings{number});
}

/// Everything that makes a schema: columns with their types, defaults and order; and the texts.
strings schema_of(const std::filesystem::path& file) {
  return select_from(file,
                     "SELECT type || ' ' || name || ' ' || coalesce(sql, '') FROM sqlite_schema "
                     "ORDER BY type, name");
}

void check_migrated(const std::filesystem::path& file) {
  with_store(file, [](store& subject) -> task<> {
    CHECK(view_of(subject, "acme/1").deadline == system_time{});
    CHECK(view_of(subject, "acme/1").shape == 0);
    CHECK(view_of(subject, "acme/1").priority == 5);
    CHECK(view_of(subject, "acme/2").error == "the other side is down");
    CHECK(subject.history("globex/1")->size() == 1);
    CHECK(subject.count()->all() == 5);
    const auto lanes = subject.lane_states();
    REQUIRE(lanes.size() == 1);
    CHECK(lanes[0].lane == "globex");
    CHECK(lanes[0].parked_until == system_time{4'102'444'800s});
    CHECK_FALSE(lanes[0].paused);
    CHECK(lanes[0].memory == lane_memory{});
    CHECK(co_await subject.drain_inbox() == 2u);  // what was asked for before is done
    CHECK(view_of(subject, "acme/1").phase == phase::cancelled);
    CHECK(view_of(subject, "globex/2").phase == phase::ready);
    CHECK(ids(co_await lease_all(subject, "globex")) == strings{"globex/2", "globex/3"});
    CHECK(co_await subject.control(control_verb::pause, {.lane = "acme"}) == 1u);
  });
  check_consistent(file);
  CHECK(select_from(file, "SELECT purpose FROM meta") == strings{"report flights"});
}

}  // namespace

TEST_SUITE("sqlite.hpp: migration") {
  TEST_CASE("a store of schema 1 gets the schema of a new store and keeps what it has") {
    const scratch_directory directory;
    const auto old = directory / "old.db", fresh = directory / "new.db";
    write_sample(old);
    CHECK(schema_of(old).size() > 10);
    static_cast<void>(open_store(fresh));
    CHECK(schema_of(old) != schema_of(fresh));
    static_cast<void>(open_store(old));
    CHECK(schema_of(old) == schema_of(fresh));
    CHECK(select_from(old, "PRAGMA user_version") == select_from(fresh, "PRAGMA user_version"));
    check_migrated(old);
  }

  TEST_CASE("a store of schema 2 gets the schema of a new store and keeps what it has") {
    const scratch_directory directory;
    const auto old = directory / "old.db", fresh = directory / "new.db";
    write_sample(old, 2);
    static_cast<void>(open_store(fresh));
    with_store(old, [](store& subject) -> task<> {
      CHECK(view_of(subject, "acme/1").shape == 0);
      CHECK(view_of(subject, "acme/2").deadline == system_time{4'102'444'800s});
      CHECK(subject.count()->all() == 5);
      const auto lanes = subject.lane_states();
      REQUIRE(lanes.size() == 2);
      CHECK(lanes[0].lane == "acme");
      CHECK(lanes[0].paused);
      CHECK(lanes[0].memory.failures == 2);
      CHECK(co_await subject.drain_inbox() == 3u);
      CHECK(view_of(subject, "acme/1").phase == phase::cancelled);
    });
    check_consistent(old);
    CHECK(schema_of(old) == schema_of(fresh));
  }

  TEST_CASE("a store of schema 3 gets the schema of a new store and keeps what it has") {
    const scratch_directory directory;
    const auto old = directory / "old.db", fresh = directory / "new.db";
    write_sample(old, 3);
    static_cast<void>(open_store(fresh));
    with_store(old, [](store& subject) -> task<> {
      CHECK(view_of(subject, "acme/2").error == "the other side is down");
      CHECK(subject.count()->all() == 5);
      const auto lanes = subject.lane_states();
      REQUIRE(lanes.size() == 2);
      CHECK(lanes[0].memory.failures == 2);
      CHECK(lanes[0].error.empty());
      CHECK(lanes[1].parked_until == system_time{4'102'444'800s});
      CHECK_FALSE(lanes[1].is_stopped);
      CHECK(co_await subject.drain_inbox() == 3u);
    });
    check_consistent(old);
    CHECK(schema_of(old) == schema_of(fresh));
  }

  TEST_CASE("looking at an older store brings it up to date") {
    const scratch_directory directory;
    const auto old = directory / "old.db";
    write_sample(old);
    {
      const auto beside = inspect_sqlite_store(old);
      REQUIRE_MESSAGE(beside.has_value(), beside.error().message);
      CHECK((*beside)->query({}, 9, "")->size() == 5);
      CHECK((*beside)->lanes()->size() == 1);
    }
    check_migrated(old);
  }

  TEST_CASE("an older store that an older version runs is left alone with a message that says so") {
    const scratch_directory directory;
    const auto file = directory / "store.db";
    const auto running = open_store(file);
    // As if the one that runs it knew only schema 1: all that others can see of that.
    run_sql(file, "PRAGMA user_version = 1");
    const auto refused = refusal_to_inspect(file);
    CHECK(refused.what == store_error::kind::owned);
    CHECK(refused.message.find("an older Wherry runs it, pid ") != std::string::npos);
  }

  TEST_CASE("a migration that cannot be finished leaves the older store as it was") {
    const scratch_directory directory;
    const auto old = directory / "old.db";
    write_sample(old);
    run_sql(old, "CREATE TABLE inbox_2 (in_the_way)");
    const auto before = schema_of(old);
    CHECK(refusal_to_open(old).what == store_error::kind::io);
    CHECK(schema_of(old) == before);
    CHECK(select_from(old, "PRAGMA user_version") == strings{"1"});
    run_sql(old, "DROP TABLE inbox_2");
    check_migrated(old);
  }
}
