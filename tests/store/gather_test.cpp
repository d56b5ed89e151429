// SPDX-License-Identifier: Apache-2.0
// Goal: commands that are committed together fail each for itself.
// Method: a trigger in the store's file refuses some machines, as a constraint would; many commands
// are given at once, so that a refused one is the first of its transaction, a later one, or the
// only one.
#include "sqlite_subject.hpp"
#include "wherry/csp/scope.hpp"

using namespace wherry;
using namespace wherry::test;
using namespace std::chrono_literals;

namespace {

constexpr auto refuse_bad_ones =
    "CREATE TRIGGER refuse AFTER INSERT ON machines WHEN NEW.id LIKE 'bad%' "
    "BEGIN SELECT RAISE(ABORT, 'no bad ones'); END";

/// Each as a command of its own; whether it is refused exactly if one of them is bad.
task<> submit_alone(store& to, std::vector<submission> wanted) {
  bool is_bad = false;
  for (const auto& each : wanted) is_bad = is_bad || each.id.starts_with("bad");
  const auto report = co_await to.submit(std::move(wanted));
  CHECK(report.has_value() != is_bad);
  if (!report) CHECK(report.error().message.find("no bad ones") != std::string::npos);
}

}  // namespace

TEST_SUITE("sqlite.hpp: gathered commands") {
  TEST_CASE("a command that fails undoes nothing but its own work wherever it stands") {
    const scratch_directory directory;
    const auto file = directory / "store.db";
    static_cast<void>(open_store(file));
    run_sql(file, refuse_bad_ones);
    constexpr int rounds = 60, commands = 8;
    with_store(file, [](store& subject) -> task<> {
      for (int round = 0; round < rounds; ++round) {
        co_await with_scope([&](scope& all) -> task<> {
          for (int i = 0; i < commands; ++i) {
            const auto number = std::to_string(round) + "/" + std::to_string(i);
            const bool is_bad = i == round % commands;
            all.go(submit_alone(
                subject, {item("good " + number), item((is_bad ? "bad " : "fine ") + number)}));
          }
          co_return;
        });
      }
      const auto counts = subject.count();
      REQUIRE(counts.has_value());
      CHECK(counts->all() == rounds * (commands - 1) * 2);
      CHECK(subject.query({.id_prefix = "bad"}, 10, "")->empty());
      CHECK(ids(co_await lease_all(subject, "lane")).size() == rounds * (commands - 1) * 2);
    });
    run_sql(file, "DROP TRIGGER refuse");
    check_consistent(file);
  }
}
