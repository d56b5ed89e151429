// SPDX-License-Identifier: Apache-2.0
// Goal: a check says nothing of a sound store, also while it is run, and names whatever is wrong
// with the remedy.
// Method: stores are made wrong by SQL and by overwriting pages, one way at a time.
#include <algorithm>
#include <fstream>
#include <sstream>

#include "sqlite_subject.hpp"
#include "wherry/store/sqlite_upkeep.hpp"

using namespace wherry;
using namespace wherry::test;
using kind = store_error::kind;

namespace {

/// A store with machines in every phase, some with histories; closed.
void make_store(const std::filesystem::path& file) {
  with_store(file, [](store& subject) -> task<> {
    std::vector<submission> many;
    for (int i = 0; i < 500; ++i) many.push_back(item("machine " + std::to_string(1'000 + i)));
    co_await submit_new(subject, std::move(many));
    std::vector<transition> outcomes;
    for (const auto& each : co_await lease_some(subject, "lane", 400)) {
      const auto number = outcomes.size();
      outcomes.push_back(number % 4 == 0   ? advance(each, "second")
                         : number % 4 == 1 ? retry(each, now() + std::chrono::hours(1))
                         : number % 4 == 2 ? finish(each, phase::completed)
                                           : finish(each, phase::dead));
    }
    REQUIRE((co_await subject.record(std::move(outcomes))).has_value());
  });
}

std::vector<store_finding> check(const std::filesystem::path& file) {
  const auto found = check_sqlite_store(file);
  REQUIRE_MESSAGE(found.has_value(), found.error().message);
  return *found;
}

/// What the check finds once `sql` has been done to a sound store.
std::vector<store_finding> check_after(const char* sql) {
  const scratch_directory directory;
  make_store(directory / "store.db");
  run_sql(directory / "store.db", sql);
  return check(directory / "store.db");
}

/// One finding, with that in its text, and a remedy.
void check_finds(const char* sql, const std::string& text) {
  CAPTURE(sql);
  const auto found = check_after(sql);
  REQUIRE(found.size() == 1);
  CHECK_MESSAGE(found[0].what.find(text) != std::string::npos, found[0].what);
  CHECK_FALSE(found[0].remedy.empty());
}

}  // namespace

TEST_SUITE("sqlite_upkeep.hpp: check") {
  TEST_CASE("nothing is wrong with a sound store nor with an empty one") {
    const scratch_directory directory;
    make_store(directory / "store.db");
    CHECK(check(directory / "store.db").empty());
    with_store(directory / "new.db", [](store&) -> task<> { co_return; });
    CHECK(check(directory / "new.db").empty());
  }

  TEST_CASE("a store may be checked while it is run") {
    const scratch_directory directory;
    const auto file = directory / "store.db";
    make_store(file);
    const auto owner = open_store(file);
    on_threads([](store& subject, const std::filesystem::path& where) -> task<> {
      for (int i = 0; i < 5; ++i) {
        co_await submit_new(subject, {item("new " + std::to_string(i))});
        CHECK(check(where).empty());
      }
    }(*owner, file));
  }

  TEST_CASE("tables that disagree are named with the numbers of both") {
    check_finds("UPDATE counts SET n = n + 7 WHERE phase = 'dead'",
                "counts says 107 machines are dead");
    check_finds("DELETE FROM counts WHERE phase = 'waiting'", "counts says 0 machines are waiting");
    check_finds("UPDATE lanes SET ready = 3",
                "lanes says 3 machines are ready in lane \"lane\", but 200");
    check_finds("DELETE FROM lanes", "lanes says 0 machines are ready");
    check_finds("DELETE FROM history WHERE machine = 5", "version 1, but its history tells of 0");
    check_finds("UPDATE history SET runs = 2 WHERE machine = 5", "its history tells of 2");
    check_finds("UPDATE history SET version = 2 WHERE machine = 5", "last line is of version 2");
    check_finds(
        "PRAGMA foreign_keys = OFF; INSERT INTO history SELECT 999, generation, version, runs, "
        "from_state, to_state, phase, outcome, attempt, started_ms, ended_ms, error "
        "FROM history WHERE machine = 5",
        "1 lines of history belong to no machine, the first to key 999");
    check_finds(
        "INSERT INTO history SELECT machine, 2, version, runs, from_state, to_state, phase, "
        "outcome, attempt, started_ms, ended_ms, error FROM history WHERE machine = 5",
        "has a line of generation 2, and is of generation 1");
  }

  TEST_CASE("a value that breaks a rule of the schema is named") {
    const auto found = check_after(
        "PRAGMA ignore_check_constraints = ON; UPDATE machines SET attempt = 0 WHERE key = 7");
    REQUIRE(found.size() == 1);
    CHECK_MESSAGE(found[0].what.find("CHECK constraint failed in machines") != std::string::npos,
                  found[0].what);
  }

  TEST_CASE("what was trimmed is no gap") {
    CHECK(check_after("DELETE FROM history WHERE machine = 5;"
                      "UPDATE machines SET trimmed = 1 WHERE key = 5")
              .empty());
  }

  TEST_CASE("a damaged page is found whatever it held") {
    const scratch_directory directory;
    const auto file = directory / "store.db";
    make_store(file);
    run_sql(file, "VACUUM");  // no page is free: what it holds would not matter
    std::ostringstream read;
    read << std::ifstream(file, std::ios::binary).rdbuf();
    const auto whole = read.str();
    for (std::size_t page = 4'096; page < whole.size(); page += 4'096) {
      auto bytes = whole;
      for (std::size_t i = page; i < page + 4'096; ++i) bytes[i] = static_cast<char>(i * 7);
      std::ofstream(file, std::ios::binary) << bytes;
      const auto found = check_sqlite_store(file);
      CAPTURE(page);
      if (found) {
        REQUIRE_FALSE(found->empty());
        CHECK(found->front().remedy.find("backup") != std::string::npos);
      } else {
        CHECK(found.error().what == kind::corrupt);
      }
    }
  }

  TEST_CASE("what is no store of ours is refused with the reason") {
    const scratch_directory directory;
    const auto file = directory / "store.db";
    CHECK(check_sqlite_store(file).error().what == kind::missing);
    std::ofstream(file) << std::string(5'000, 'x');
    CHECK(check_sqlite_store(file).error().what == kind::foreign);
    std::filesystem::remove(file);
    make_store(file);
    run_sql(file, "PRAGMA user_version = 999");
    CHECK(check_sqlite_store(file).error().what == kind::newer);
  }

  TEST_CASE("progress names each part") {
    const scratch_directory directory;
    make_store(directory / "store.db");
    std::vector<std::string> stages;
    const auto found = check_sqlite_store(directory / "store.db", [&](const upkeep_progress& at) {
      if (stages.empty() || stages.back() != at.stage) stages.emplace_back(at.stage);
    });
    REQUIRE(found.has_value());
    CHECK(stages.size() == 5);
  }
}
