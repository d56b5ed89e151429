// SPDX-License-Identifier: Apache-2.0
// Goal: with ten million machines every statement of a running engine, and every look of people at
// counts and lists, touches as many rows as it is about, not all there are.
// Method: SQLite says how it would carry out each statement that is prepared; SCAN of machines or
// history without an index, or a sort of what was found, is what must not be there.
#include <sqlite3.h>

#include "sqlite_subject.hpp"
#include "store/sqlite/commands.hpp"
#include "store/sqlite/reader.hpp"
#include "store/sqlite/views.hpp"

using namespace wherry;
using namespace wherry::test;

namespace {

/// A connection that only asks for plans.
class planner {
 public:
  explicit planner(const std::filesystem::path& file) {
    REQUIRE(sqlite3_open(file.c_str(), &handle_) == SQLITE_OK);
  }
  planner(const planner&) = delete;
  planner& operator=(const planner&) = delete;
  ~planner() { sqlite3_close(handle_); }

  /// The steps of the plan, one a line.
  std::string plan_of(const std::string& sql) {
    sqlite3_stmt* query = nullptr;
    REQUIRE_MESSAGE(sqlite3_prepare_v2(handle_, ("EXPLAIN QUERY PLAN " + sql).c_str(), -1, &query,
                                       nullptr) == SQLITE_OK,
                    sql);
    std::string plan;
    while (sqlite3_step(query) == SQLITE_ROW) {
      plan.append(reinterpret_cast<const char*>(sqlite3_column_text(query, 3))).append("\n");
    }
    sqlite3_finalize(query);
    return plan;
  }

 private:
  sqlite3* handle_ = nullptr;
};

bool has(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

/// No table that grows with the machines is read from its beginning, and nothing is sorted.
void check_plans(planner& plans, const strings& statements) {
  for (const auto& sql : statements) {
    const auto plan = plans.plan_of(sql);
    CAPTURE(sql);
    CAPTURE(plan);
    // The first entries of an index in its own order are found as by a seek.
    const bool is_first = has(plan, "USING") && has(sql, "LIMIT");
    CHECK_FALSE((has(plan, "SCAN machines") && !is_first));
    CHECK_FALSE(has(plan, "SCAN history"));
    CHECK_FALSE(has(plan, "TEMP B-TREE"));
  }
}

}  // namespace

TEST_SUITE("schema.sql: query plans") {
  TEST_CASE("what an engine writes touches single rows") {
    const scratch_directory directory;
    const auto path = directory / "store.db";
    with_store(path, [](store&) -> task<> { co_return; });
    planner plans(path);
    sqlite::database file(path, sqlite::access::write);
    const sqlite_retention keep;
    const sqlite::transaction changes(file, sqlite::real_calendar, keep);
    CHECK(file.statements().size() >= 25);
    check_plans(plans, file.statements());
  }

  TEST_CASE("what an engine reads touches single rows") {
    const scratch_directory directory;
    const auto path = directory / "store.db";
    with_store(path, [](store&) -> task<> { co_return; });
    planner plans(path);
    const sqlite::queries all(path, sqlite::surroundings{});
    CHECK(all.statements().size() >= 4);
    check_plans(plans, all.statements());
  }

  TEST_CASE("a lease walks its lane's index and nothing else") {
    const scratch_directory directory;
    const auto path = directory / "store.db";
    with_store(path, [](store&) -> task<> { co_return; });
    planner plans(path);
    const sqlite::queries all(path, sqlite::surroundings{});
    int leases = 0;
    for (const auto& sql : all.statements()) {
      if (!has(sql, "precedence")) continue;
      ++leases;
      CHECK(plans.plan_of(sql) ==
            "SEARCH machines USING INDEX machines_ready (lane=? AND (precedence,due_ms)>(?,?))\n");
    }
    CHECK(leases == 1);
  }

  TEST_CASE("counts are read from the counts and lists by an index in their order") {
    const scratch_directory directory;
    const auto path = directory / "store.db";
    with_store(path, [](store&) -> task<> { co_return; });
    planner plans(path);
    sqlite::database file(path, sqlite::access::read);
    for (const auto in : {std::optional<phase>(), std::optional(phase::waiting),
                          std::optional(phase::ready), std::optional(phase::completed),
                          std::optional(phase::dead), std::optional(phase::cancelled)}) {
      for (const std::string state : {"", "second"}) {
        for (const std::string prefix : {"", "acme/"}) {
          const auto wanted = sqlite::machines_matching(
              {.phase = in, .state = state, .id = {}, .id_prefix = prefix}, 50, "");
          const auto query = wanted.prepare(file);
          REQUIRE(file.statements().size() == 1);
          check_plans(plans, file.statements());
        }
      }
    }
    CHECK(has(plans.plan_of("SELECT phase, state, n FROM counts WHERE n > 0"), "counts"));
  }

  TEST_CASE("the few of a phase among many of another are found by an index of their own") {
    const scratch_directory directory;
    const auto path = directory / "store.db";
    with_store(path, [](store&) -> task<> { co_return; });
    planner plans(path);
    sqlite::database file(path, sqlite::access::read);
    for (const auto in : {phase::waiting, phase::ready}) {
      const auto wanted = sqlite::machines_matching({.phase = in}, 50, "", true);
      const auto query = wanted.prepare(file);
      const auto plan = plans.plan_of(file.statements().front());
      CHECK_MESSAGE(has(plan, "INDEX machines_" + std::string(to_string(in))), plan);
    }
  }

  TEST_CASE("the earliest due time is the first entry of an index") {
    const scratch_directory directory;
    const auto path = directory / "store.db";
    with_store(path, [](store&) -> task<> { co_return; });
    planner plans(path);
    CHECK(has(plans.plan_of(std::string(sqlite::earliest_due)), "INDEX machines_waiting"));
  }
}
