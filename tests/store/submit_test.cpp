// SPDX-License-Identifier: Apache-2.0
// Goal: submit makes machines exactly once by (id, generation), and says what it did.
#include "subject.hpp"

using namespace wherry;
using namespace wherry::test;
using namespace std::chrono_literals;

TEST_SUITE("store.hpp: submit") {
  TEST_CASE("a submitted machine is ready with all that was said about it") {
    on_every_store([](store& subject) -> task<> {
      auto wanted = item("a");
      wanted.priority = 3;
      wanted.rank = 1;
      const auto report = co_await subject.submit({wanted});
      REQUIRE(report.has_value());
      CHECK(report->added == 1);
      CHECK(report->superseded == 0);
      CHECK(report->known == 0);
      const auto seen = view_of(subject, "a");
      CHECK(seen.generation == 1);
      CHECK(seen.version == 0);
      CHECK(seen.state == "first");
      CHECK(seen.data == R"({"n":1})");
      CHECK(seen.phase == phase::ready);
      CHECK(seen.lane == "lane");
      CHECK(seen.priority == 3);
      CHECK(seen.attempt == 1);
      CHECK(seen.created == seen.updated);
      CHECK(seen.due == seen.created);
      CHECK(seen.error.empty());
    });
  }

  TEST_CASE("a machine that is known is left as it is") {
    on_every_store([](store& subject) -> task<> {
      co_await submit_new(subject, {item("a")});
      auto other = item("a");
      other.data = "{}";
      const auto report = co_await subject.submit({other, item("b"), item("b")});
      REQUIRE(report.has_value());
      CHECK(report->added == 1);
      CHECK(report->known == 2);
      CHECK(view_of(subject, "a").data == R"({"n":1})");
      CHECK(subject.count()->all() == 2);
    });
  }

  TEST_CASE("of the known machines it is told how many have ended and how") {
    on_every_store([](store& subject) -> task<> {
      co_await submit_new(subject, {item("a"), item("b"), item("c"), item("d")});
      CHECK(co_await record_one(subject, finish(co_await lease_one(subject), phase::completed)));
      CHECK(co_await record_one(subject, finish(co_await lease_one(subject), phase::dead)));
      co_await subject.control(control_verb::cancel, {.id = "c"});
      const auto report = co_await subject.submit({item("a"), item("b"), item("c"), item("d")});
      CHECK(report->known == 4);
      CHECK(report->completed == 1);
      CHECK(report->dead == 1);
      CHECK(report->cancelled == 1);
    });
  }

  TEST_CASE("a newer generation waits for the older to finish and then takes its place") {
    on_every_store([](store& subject) -> task<> {
      co_await submit_new(subject, {item("a")});
      auto newer = item("a");
      newer.generation = 2;
      newer.data = R"({"n":9})";
      auto report = co_await subject.submit({newer});
      CHECK(report->known == 1);
      CHECK(view_of(subject, "a").generation == 1);

      CHECK(co_await record_one(subject, finish(co_await lease_one(subject), phase::completed)));
      report = co_await subject.submit({newer});
      CHECK(report->superseded == 1);
      const auto seen = view_of(subject, "a");
      CHECK(seen.generation == 2);
      CHECK(seen.version == 0);
      CHECK(seen.phase == phase::ready);
      CHECK(seen.state == "first");
      CHECK(seen.data == R"({"n":9})");
      CHECK(subject.count()->all() == 1);
      CHECK(subject.history("a")->size() == 1);

      report = co_await subject.submit({item("a")});
      CHECK_MESSAGE(report->known == 1, "an older generation supersedes nothing");
      const auto again = co_await lease_one(subject);
      CHECK(again.generation == 2);
      CHECK(co_await record_one(subject, finish(again, phase::completed)));
      CHECK(subject.history("a")->size() == 2);
    });
  }

  TEST_CASE("a machine that is due later waits") {
    on_every_store([](store& subject) -> task<> {
      auto later = item("a");
      later.due = now() + 1h;
      co_await submit_new(subject, {later});
      CHECK(view_of(subject, "a").phase == phase::waiting);
      CHECK(view_of(subject, "a").due == later.due);
      CHECK(subject.ready_lanes().empty());
      CHECK(subject.next_due() == later.due);
    });
  }

  TEST_CASE("what breaks a limit is refused with its name and nothing is done") {
    on_every_store([](store& subject) -> task<> {
      auto large = item("large");
      large.data = '"' + std::string(data_size_limit, 'x') + '"';
      auto nameless = item("");
      auto oldest = item("oldest");
      oldest.generation = 0;
      auto urgent = item("urgent");
      urgent.priority = priority_limit + 1;
      for (const auto& each : {large, nameless, oldest, urgent}) {
        const auto report = co_await subject.submit({item("fine"), each});
        REQUIRE_FALSE(report.has_value());
        CHECK(report.error().what == store_error::kind::refused);
        CHECK(report.error().message.find(each.id) != std::string::npos);
      }
      CHECK(subject.count()->all() == 0);
    });
  }

  TEST_CASE("thousands at once are one call") {
    on_every_store([](store& subject) -> task<> {
      std::vector<submission> wanted;
      for (int i = 0; i < 7'000; ++i) wanted.push_back(item("m" + std::to_string(i)));
      co_await submit_new(subject, wanted);
      CHECK(subject.count()->in(phase::ready) == 7'000);
      const auto again = co_await subject.submit(std::move(wanted));
      CHECK(again->known == 7'000);
    });
  }
}
