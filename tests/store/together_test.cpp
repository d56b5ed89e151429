// SPDX-License-Identifier: Apache-2.0
// Goal: commands that share a transaction neither get into each other nor pay an fsync each.
// Method: many processes ask at once, under virtual time, whose draw decides which of them the
// writer finds together; syncs are counted by the disk below SQLite.
#include "engine_subject.hpp"
#include "store/sqlite/failing_disk.hpp"

using namespace wherry;
using namespace wherry::test;

namespace {

using answer = std::expected<std::vector<bool>, store_error>;

task<> record_into(store& on, transition outcome, answer* said) {
  *said = co_await on.record({std::move(outcome)});
}

task<> cancel_one(store& on, std::string id, std::size_t* changed) {
  const auto done = co_await on.control(control_verb::cancel, {.id = std::move(id)});
  REQUIRE_MESSAGE(done.has_value(), done.error().message);
  *changed = *done;
}

}  // namespace

TEST_SUITE("sqlite.hpp: together") {
  TEST_CASE("of a cancel and an outcome that come at once each counts once, in either order") {
    int outcome_came_too_late = 0, outcome_came_first = 0;
    const std::vector<transition (*)(const leased_machine&)> outcomes{
        [](const leased_machine& of) { return advance(of, "second"); },
        [](const leased_machine& of) { return finish(of, phase::completed); }};
    for (const auto make : outcomes) {
      over_seeds(40, [&](store& on, std::filesystem::path) -> task<> {
        co_await submit_new(on, {item("a")});
        const auto leased = co_await lease_one(on);
        answer said;
        std::size_t cancelled = 0;
        co_await with_scope([&](scope& all) -> task<> {
          all.go(record_into(on, make(leased), &said));
          all.go(cancel_one(on, "a", &cancelled));
          co_return;
        });
        REQUIRE_MESSAGE(said.has_value(), said.error().message);
        const auto now = view_of(on, "a");
        const auto history = on.history("a");
        CHECK(std::ssize(*history) == now.version);
        if (!said->front()) {
          ++outcome_came_too_late;
          CHECK(cancelled == 1);
          CHECK(now.state == leased.state);
          CHECK(now.phase == phase::cancelled);
        } else {
          ++outcome_came_first;
          CHECK(history->front().outcome == outcome_kind::advanced);
          CHECK((now.phase == phase::cancelled) == (cancelled == 1));
        }
      });
    }
    CHECK(outcome_came_too_late > 0);
    CHECK(outcome_came_first > 0);
  }

  TEST_CASE("a command that SQLite refuses leaves nothing behind") {
    over_seeds(3, [](store& on, std::filesystem::path) -> task<> {
      co_await submit_new(on, {item("a")});
      const auto leased = co_await lease_one(on);
      auto outcome = advance(leased, "second");
      outcome.attempt = 0;  // what a CHECK of the schema refuses, after the machine has moved
      const auto refused = co_await on.record({outcome});
      REQUIRE_FALSE(refused.has_value());
      CHECK(refused.error().message.find("store.db: CHECK constraint failed") != std::string::npos);
      CHECK(view_of(on, "a").version == 0);
      CHECK(on.history("a")->empty());
      CHECK_MESSAGE(co_await record_one(on, advance(leased, "second")), "the lease is as before");
      CHECK(view_of(on, "a").version == 1);
    });
  }

  TEST_CASE("a command that SQLite refuses fails alone") {
    over_seeds(20, [](store& on, std::filesystem::path) -> task<> {
      std::vector<submission> wanted;
      for (int i = 0; i < 20; ++i) wanted.push_back(item("m" + std::to_string(i)));
      co_await submit_new(on, std::move(wanted));
      const auto leased = co_await lease_some(on, "lane", 20);
      REQUIRE(leased.size() == 20);
      std::vector<answer> said(leased.size());
      co_await with_scope([&](scope& all) -> task<> {
        for (std::size_t i = 0; i < leased.size(); ++i) {
          auto outcome = advance(leased[i], "second");
          if (i == 7) outcome.attempt = 0;  // what a CHECK of the schema refuses
          all.go(record_into(on, std::move(outcome), &said[i]));
        }
        co_return;
      });
      for (std::size_t i = 0; i < said.size(); ++i) {
        CAPTURE(i);
        CHECK(said[i].has_value() == (i != 7));
        CHECK(view_of(on, leased[i].id).version == (i == 7 ? 0 : 1));
      }
      on.release({leased[7]});
      CHECK_MESSAGE(co_await record_one(on, advance(co_await lease_one(on), "second")),
                    "its machine is ready as before");
    });
  }

  TEST_CASE("outcomes that come while others are made durable share one fsync") {
    sqlite::failing_disk disk;
    const scratch_directory directory;
    constexpr std::size_t many = 200;
    on_virtual_time(directory / "store.db", 1,
                    [&](store& on) -> task<> {
                      std::vector<submission> wanted;
                      for (std::size_t i = 0; i < many; ++i)
                        wanted.push_back(item("m" + std::to_string(i)));
                      co_await submit_new(on, std::move(wanted));
                      const auto leased = co_await lease_some(on, "lane", many);
                      REQUIRE(leased.size() == many);
                      std::vector<answer> said(many);
                      const auto before = disk.syncs();
                      co_await with_scope([&](scope& all) -> task<> {
                        for (std::size_t i = 0; i < many; ++i) {
                          all.go(record_into(on, advance(leased[i], "second"), &said[i]));
                        }
                        co_return;
                      });
                      const auto syncs = disk.syncs() - before;
                      CHECK_MESSAGE(syncs >= 1, "they were answered, so they are durable");
                      CHECK(syncs <= many / 5);
                      for (const auto& each : said) CHECK(each.has_value());
                    },
                    {.vfs = disk.name()});
    check_consistent(directory / "store.db");
  }
}
