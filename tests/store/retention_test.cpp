// SPDX-License-Identifier: Apache-2.0
// Goal: what a store keeps is bounded as its retention says, what must stay stays, and the tables
// agree with each other before and after.
// Method: machines are moved by hand; time passes by telling tidy a later one.
#include "sqlite_subject.hpp"

using namespace wherry;
using namespace wherry::test;
using namespace std::chrono_literals;

namespace {

constexpr std::chrono::milliseconds day = 24h;

void with_retention(const std::filesystem::path& file, const sqlite_retention& keep,
                    const std::function<task<>(store&)>& body) {
  auto opened = open_sqlite_store(file, {.retention = keep});
  REQUIRE_MESSAGE(opened.has_value(), opened.error().message);
  on_threads(body(**opened));
  opened->reset();
  check_consistent(file);
}

/// Tidies until nothing is left to do at `at`; how many calls it took.
task<int> tidy_all(store& subject, system_time at) {
  for (int calls = 1;; ++calls) {
    const auto more = co_await subject.tidy(at);
    REQUIRE_MESSAGE(more.has_value(), more.error().message);
    if (!*more) co_return calls;
  }
}

/// Brings the machine, alone ready in its lane, to that end.
task<> end_one(store& subject, phase how) {
  co_await record_one(subject, finish(co_await lease_one(subject), how));
}

std::vector<history_entry> history_of(store& subject, const std::string& id) {
  const auto lines = subject.history(id);
  REQUIRE(lines.has_value());
  return *lines;
}

std::size_t machines_in(store& subject) {
  const auto all = subject.query({}, 100'000, "");
  REQUIRE(all.has_value());
  return all->size();
}

}  // namespace

TEST_SUITE("sqlite.hpp: retention") {
  TEST_CASE("a machine that moves for ever keeps its first and its newest lines") {
    for (const std::size_t limit : {2u, 3u, 8u, 20u}) {
      CAPTURE(limit);
      const scratch_directory directory;
      with_retention(
          directory / "store.db", {.history_lines = limit}, [&](store& subject) -> task<> {
            co_await submit_new(subject, {item("a")});
            for (std::int64_t version = 1; version <= 100; ++version) {
              REQUIRE(co_await record_one(subject, advance(co_await lease_one(subject), "first")));
              const auto lines = history_of(subject, "a");
              REQUIRE(lines.size() <= limit);
              if (version <= static_cast<std::int64_t>(limit)) {
                REQUIRE(lines.size() == static_cast<std::size_t>(version));
              }
              REQUIRE(lines.front().version == 1);
              REQUIRE(lines.back().version == version);
              // What is left is the newest without a gap.
              if (lines.size() > 1) {
                REQUIRE(lines[1].version == version - static_cast<std::int64_t>(lines.size()) + 2);
              }
            }
            CHECK(history_of(subject, "a").size() >= limit - limit / 8);
          });
    }
  }

  TEST_CASE("runs that share a line count as one and do not keep lines from being trimmed") {
    const scratch_directory directory;
    with_retention(directory / "store.db", {.history_lines = 16}, [](store& subject) -> task<> {
      co_await submit_new(subject, {item("a")});
      for (int round = 0; round < 40; ++round) {
        REQUIRE(co_await record_one(subject, advance(co_await lease_one(subject), "first")));
        for (int i = 0; i < 3; ++i) {
          auto outcome = retry(co_await lease_one(subject), now());
          outcome.outcome = outcome_kind::throttled;
          REQUIRE(co_await record_one(subject, std::move(outcome)));
          co_await promote_all(subject, now() + 1s);
        }
        REQUIRE(history_of(subject, "a").size() <= 16);
      }
      CHECK(history_of(subject, "a").size() >= 14);
    });
  }

  TEST_CASE("all generations before together keep as many lines as one") {
    const scratch_directory directory;
    with_retention(directory / "store.db", {.history_lines = 4}, [](store& subject) -> task<> {
      for (std::int64_t generation = 1; generation <= 10; ++generation) {
        auto again = item("a");
        again.generation = generation;
        REQUIRE((co_await subject.submit({again})).has_value());
        co_await record_one(subject, advance(co_await lease_one(subject), "first"));
        co_await end_one(subject, phase::completed);
        CHECK(history_of(subject, "a").size() <= 6);
      }
      const auto lines = history_of(subject, "a");
      REQUIRE(lines.size() == 6);
      CHECK(lines.front().generation == 8);
      CHECK(lines.back().generation == 10);
    });
  }

  TEST_CASE("the history of what ended goes in time and its row stays") {
    const scratch_directory directory;
    with_retention(directory / "store.db", {.history_for = 30 * day}, [](store& subject) -> task<> {
      for (const auto how : {phase::completed, phase::dead}) {
        co_await submit_new(subject, {item(std::string(to_string(how)))});
        co_await end_one(subject, how);
      }
      co_await submit_new(subject, {item("waits")});
      co_await record_one(subject, retry(co_await lease_one(subject), now() + 1h));

      co_await tidy_all(subject, now() + 29 * day);
      CHECK(history_of(subject, "completed").size() == 1);
      co_await tidy_all(subject, now() + 31 * day);
      CHECK(history_of(subject, "completed").empty());
      CHECK(history_of(subject, "dead").empty());
      CHECK_MESSAGE(history_of(subject, "waits").size() == 1, "it has not ended");
      CHECK(machines_in(subject) == 3);
      CHECK(view_of(subject, "dead").version == 1);

      const auto redriven = co_await subject.control(control_verb::redrive, {.id = "dead"});
      CHECK(redriven == 1u);
      CHECK(history_of(subject, "dead").size() == 1);
      CHECK(view_of(subject, "dead").version == 2);
    });
  }

  TEST_CASE("lines of generations before go in time although the machine runs") {
    const scratch_directory directory;
    with_retention(directory / "store.db", {.history_for = 30 * day}, [](store& subject) -> task<> {
      co_await submit_new(subject, {item("a")});
      co_await end_one(subject, phase::completed);
      auto again = item("a");
      again.generation = 2;
      REQUIRE((co_await subject.submit({again})).has_value());
      co_await record_one(subject, advance(co_await lease_one(subject), "second"));
      CHECK(history_of(subject, "a").size() == 2);
      co_await tidy_all(subject, now() + 31 * day);
      REQUIRE(history_of(subject, "a").size() == 1);
      CHECK(history_of(subject, "a").front().generation == 2);
    });
  }

  TEST_CASE("completed machines stay for ever unless it is said how long") {
    const scratch_directory directory;
    with_retention(directory / "store.db", {}, [](store& subject) -> task<> {
      co_await submit_new(subject, {item("a")});
      co_await end_one(subject, phase::completed);
      co_await tidy_all(subject, now() + 36'500 * day);
      CHECK(machines_in(subject) == 1);
      CHECK(subject.count()->in(phase::completed) == 1);
    });
  }

  TEST_CASE("completed machines go after the time that was said and no others do") {
    const scratch_directory directory;
    with_retention(directory / "store.db", {.keep_for = 7 * day}, [](store& subject) -> task<> {
      for (const auto how : {phase::completed, phase::dead, phase::cancelled}) {
        co_await submit_new(subject, {item(std::string(to_string(how)))});
        co_await end_one(subject, how);
      }
      co_await submit_new(subject, {item("ready")});
      co_await tidy_all(subject, now() + 6 * day);
      CHECK(machines_in(subject) == 4);
      co_await tidy_all(subject, now() + 8 * day);
      CHECK(machines_in(subject) == 3);
      CHECK(subject.query({.id = "completed"}, 1, "")->empty());
      CHECK(subject.count()->in(phase::completed) == 0);
      CHECK(subject.count()->all() == 3);
      co_await submit_new(subject, {item("completed")});
      CHECK_MESSAGE(history_of(subject, "completed").empty(), "its past went with it");
    });
  }

  TEST_CASE("what goes goes in small commits and others get in between") {
    const scratch_directory directory;
    const sqlite_retention keep{.history_for = day, .keep_for = day};
    with_retention(directory / "store.db", keep, [](store& subject) -> task<> {
      std::vector<submission> many;
      for (int i = 0; i < 2'000; ++i) many.push_back(item("m" + std::to_string(i)));
      co_await submit_new(subject, std::move(many));
      std::vector<transition> ends;
      for (const auto& each : co_await lease_all(subject, "lane")) {
        ends.push_back(finish(each, phase::completed));
      }
      REQUIRE((co_await subject.record(std::move(ends))).has_value());
      co_await submit_new(subject, {item("runs")});

      const auto later = now() + 2 * day;
      auto before = static_cast<std::int64_t>(machines_in(subject));
      int commits = 0;
      for (bool more = true; more; ++commits) {
        more = *co_await subject.tidy(later);
        CHECK(co_await record_one(subject, advance(co_await lease_one(subject), "runs on")));
        const auto left = static_cast<std::int64_t>(machines_in(subject));
        CHECK(before - left <= 500);
        CHECK(subject.count()->all() == left);
        before = left;
      }
      CHECK(commits >= 4);
      CHECK(before == 1);
    });
  }

  TEST_CASE("long histories go a few machines at a time") {
    const scratch_directory directory;
    with_retention(directory / "store.db", {.history_for = day}, [](store& subject) -> task<> {
      std::vector<submission> many;
      for (int i = 0; i < 100; ++i) many.push_back(item("m" + std::to_string(i)));
      co_await submit_new(subject, std::move(many));
      for (int round = 0; round < 100; ++round) {
        std::vector<transition> outcomes;
        for (const auto& each : co_await lease_all(subject, "lane")) {
          outcomes.push_back(round < 99 ? advance(each, "first") : finish(each, phase::dead));
        }
        REQUIRE((co_await subject.record(std::move(outcomes))).has_value());
      }
      int commits = 0;
      for (bool more = true; more; ++commits) {
        more = *co_await subject.tidy(now() + 2 * day);
        std::size_t without = 0;
        for (const auto& each : *subject.query({}, 100, "")) {
          without += history_of(subject, each.id).empty();
        }
        CHECK(without == static_cast<std::size_t>(20 * (commits + 1)));
      }
      CHECK(commits == 5);
    });
  }

  TEST_CASE("a sweep that has seen all rests and then begins again") {
    const scratch_directory directory;
    with_retention(directory / "store.db", {.keep_for = day}, [](store& subject) -> task<> {
      co_await submit_new(subject, {item("a")});
      co_await end_one(subject, phase::completed);
      const auto at = now() + day - 1h;
      co_await tidy_all(subject, at);  // too early, and now it rests for an hour
      co_await tidy_all(subject, at + 59min);
      CHECK(machines_in(subject) == 1);
      co_await tidy_all(subject, at + 2h);
      CHECK(machines_in(subject) == 0);
    });
  }
}
