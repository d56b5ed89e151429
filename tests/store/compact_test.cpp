// SPDX-License-Identifier: Apache-2.0
// Goal: a compaction takes away what need not be kept and nothing else, mends what counts say,
// makes the file small, and leaves a whole store.
#include "sqlite_subject.hpp"
#include "wherry/store/sqlite_upkeep.hpp"

using namespace wherry;
using namespace wherry::test;
using namespace std::chrono_literals;
using kind = store_error::kind;

namespace {

/// 600 machines: two of three completed, the others ready; closed.
void make_store(const std::filesystem::path& file) {
  with_store(file, [](store& subject) -> task<> {
    std::vector<submission> many;
    for (int i = 0; i < 600; ++i) {
      many.push_back(item("machine " + std::to_string(1'000 + i)));
      many.back().data = '"' + std::string(1'000, 'x') + '"';
    }
    co_await submit_new(subject, std::move(many));
    std::vector<transition> ends;
    for (const auto& each : co_await lease_some(subject, "lane", 400)) {
      ends.push_back(finish(each, phase::completed));
    }
    REQUIRE((co_await subject.record(std::move(ends))).has_value());
  });
}

compaction compact(const std::filesystem::path& file, const sqlite_retention& keep) {
  const auto done = compact_sqlite_store(file, keep);
  REQUIRE_MESSAGE(done.has_value(), done.error().message);
  check_consistent(file);
  return *done;
}

/// Everything ended a month ago.
void let_a_month_pass(const std::filesystem::path& file) {
  run_sql(file, "UPDATE machines SET updated_ms = updated_ms - 2592000000");
}

}  // namespace

TEST_SUITE("sqlite_upkeep.hpp: compact") {
  TEST_CASE("what need not be kept goes and the file becomes small") {
    const scratch_directory directory;
    const auto file = directory / "store.db";
    make_store(file);
    let_a_month_pass(file);
    const auto done = compact(file, {.keep_for = 7 * 24h});
    CHECK(done.machines == 400);
    CHECK(done.lines == 400);
    CHECK(done.bytes_after < done.bytes_before / 2);
    CHECK(static_cast<std::int64_t>(std::filesystem::file_size(file)) == done.bytes_after);
    CHECK(read_sql(file, "SELECT count(*) FROM machines") == strings{"200"});
    with_store(file, [](store& subject) -> task<> {
      CHECK((co_await lease_all(subject, "lane")).size() == 200);
    });
  }

  TEST_CASE("nothing goes whose time has not come") {
    const scratch_directory directory;
    const auto file = directory / "store.db";
    make_store(file);
    auto done = compact(file, {.keep_for = 7 * 24h});
    CHECK(done.machines == 0);
    CHECK(done.lines == 0);
    let_a_month_pass(file);
    done = compact(file, {});
    CHECK(done.machines == 0);
    CHECK(done.lines == 0);
    CHECK(read_sql(file, "SELECT count(*) FROM machines") == strings{"600"});
  }

  TEST_CASE("the history of what ended goes and its machines stay") {
    const scratch_directory directory;
    const auto file = directory / "store.db";
    make_store(file);
    let_a_month_pass(file);
    const auto done = compact(file, {.history_for = 7 * 24h});
    CHECK(done.lines == 400);
    CHECK(done.machines == 0);
    CHECK(read_sql(file, "SELECT count(*) FROM history") == strings{"0"});
    CHECK(compact(file, {.history_for = 7 * 24h}).lines == 0);
  }

  TEST_CASE("histories longer than the limit are shortened whatever generation they are of") {
    const scratch_directory directory;
    const auto file = directory / "store.db";
    with_store(file, [](store& subject) -> task<> {
      for (std::int64_t generation = 1; generation <= 2; ++generation) {
        auto again = item("a");
        again.generation = generation;
        REQUIRE((co_await subject.submit({again})).has_value());
        for (int i = 0; i < 50; ++i) {
          co_await record_one(subject, advance(co_await lease_one(subject), "first"));
        }
        co_await record_one(subject, finish(co_await lease_one(subject), phase::completed));
      }
    });
    const auto done = compact(file, {.history_lines = 10});
    CHECK(done.lines == 2 * 51 - 20);
    CHECK(read_sql(file, "SELECT min(version) FROM history WHERE generation = 2") == strings{"1"});
    CHECK(read_sql(file, "SELECT max(version) FROM history WHERE generation = 2") == strings{"51"});
    CHECK(compact(file, {.history_lines = 10}).lines == 0);
  }

  TEST_CASE("counts that are wrong are counted anew and lines without a machine go") {
    const scratch_directory directory;
    const auto file = directory / "store.db";
    make_store(file);
    run_sql(
        file,
        "UPDATE counts SET n = 1; DELETE FROM lanes; PRAGMA foreign_keys = OFF;"
        "INSERT INTO history SELECT 9999, generation, version, runs, from_state, to_state, phase, "
        "outcome, attempt, started_ms, ended_ms, error FROM history WHERE machine = 5");
    REQUIRE(check_sqlite_store(file)->size() == 4);
    compact(file, {});
    CHECK(check_sqlite_store(file)->empty());
  }

  TEST_CASE("a lane's pause survives") {
    const scratch_directory directory;
    const auto file = directory / "store.db";
    make_store(file);
    run_sql(file, "UPDATE lanes SET parked_until_ms = 4102444800000");
    compact(file, {});
    CHECK(read_sql(file, "SELECT ready || ' ' || parked_until_ms FROM lanes") ==
          strings{"200 4102444800000"});
  }

  TEST_CASE("a store that is run is refused by the name of who runs it") {
    const scratch_directory directory;
    const auto file = directory / "store.db";
    const auto owner = open_store(file);
    const auto done = compact_sqlite_store(file, {});
    REQUIRE_FALSE(done.has_value());
    CHECK(done.error().what == kind::owned);
    CHECK(done.error().message.find("pid ") != std::string::npos);
  }

  TEST_CASE("whoever reads on keeps what they see and the store is whole") {
    const scratch_directory directory;
    const auto file = directory / "store.db";
    make_store(file);
    const auto beside = inspect_sqlite_store(file);
    REQUIRE(beside.has_value());
    CHECK((*beside)->count()->all() == 600);
    compact(file, {});
    CHECK((*beside)->count()->all() == 600);
    CHECK((*beside)->query({}, 1'000, "")->size() == 600);
  }

  TEST_CASE("what is no store of ours is refused and not made one") {
    const scratch_directory directory;
    const auto file = directory / "store.db";
    CHECK(compact_sqlite_store(file, {}).error().what == kind::missing);
    CHECK_FALSE(std::filesystem::exists(file));
    run_sql(directory / "other.db", "CREATE TABLE machines (id)");
    CHECK(compact_sqlite_store(directory / "other.db", {}).error().what == kind::foreign);
    make_store(file);
    run_sql(file, "PRAGMA user_version = 999");
    CHECK(compact_sqlite_store(file, {}).error().what == kind::newer);
  }
}
