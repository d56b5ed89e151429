// SPDX-License-Identifier: Apache-2.0
// Goal: people can cancel, redrive and prioritize, one or all that match, and a step under way
// cannot undo it.
#include "subject.hpp"
#include "wherry/csp/scope.hpp"

using namespace wherry;
using namespace wherry::test;
using namespace std::chrono_literals;

namespace {

task<std::size_t> prioritize(store& in, machine_filter filter, std::int32_t priority) {
  const auto changed = co_await in.apply(
      {.verb = control_verb::prioritize, .filter = std::move(filter), .priority = priority});
  REQUIRE_MESSAGE(changed.has_value(), changed.error().message);
  co_return *changed;
}

machine_filter only(std::string id) {
  machine_filter filter;
  filter.id = std::move(id);
  return filter;
}

}  // namespace

TEST_SUITE("store.hpp: control") {
  TEST_CASE("a cancelled machine runs no more") {
    on_every_store([](store& subject) -> task<> {
      auto later = item("b");
      later.due = now() + 1h;
      co_await submit_new(subject, {item("a"), later});
      CHECK(co_await subject.control(control_verb::cancel, {}) == 2u);
      CHECK(view_of(subject, "a").phase == phase::cancelled);
      CHECK(view_of(subject, "b").phase == phase::cancelled);
      CHECK(view_of(subject, "a").version == 1);
      CHECK((co_await lease_some(subject, "lane", 9)).empty());
      CHECK_FALSE(subject.next_due().has_value());
      CHECK(subject.ready_lanes().empty());
      CHECK(co_await subject.control(control_verb::cancel, {}) == 0u);
    });
  }

  TEST_CASE("a cancelled machine is signalled for it may have been the last") {
    on_every_store([](store& subject) -> task<> {
      auto later = item("a");
      later.due = now() + 1h;
      co_await submit_new(subject, {later});
      auto signal = subject.ready_signal();
      while (signal.poll()) continue;
      CHECK(co_await subject.control(control_verb::cancel, {}) == 1u);
      CHECK(signal.poll().has_value());
    });
  }

  TEST_CASE("a step under way cannot commit once its machine is cancelled") {
    on_every_store([](store& subject) -> task<> {
      co_await submit_new(subject, {item("a")});
      const auto running = co_await lease_one(subject);
      CHECK(co_await subject.control(control_verb::cancel, only("a")) == 1u);
      CHECK_FALSE(co_await record_one(subject, advance(running, "second")));
      CHECK(co_await subject.control(control_verb::redrive, only("a")) == 1u);
      const auto again = co_await lease_one(subject);
      CHECK_FALSE(co_await record_one(subject, advance(running, "second")));
      CHECK(co_await record_one(subject, advance(again, "third")));
      subject.release({running});
      CHECK(view_of(subject, "a").state == "third");
    });
  }

  TEST_CASE("redriving runs a dead letter again from its state with a first attempt") {
    on_every_store([](store& subject) -> task<> {
      co_await submit_new(subject, {item("a"), item("b"), item("c")});
      const auto leased = co_await lease_some(subject, "lane", 2);
      auto dead = finish(leased[0], phase::dead);
      dead.next_attempt = 12;
      CHECK(co_await record_one(subject, dead));
      CHECK(co_await record_one(subject, finish(leased[1], phase::completed)));
      co_await timeout(2ms).take();  // so that the redriven one is due later than the untouched
      CHECK(co_await subject.control(control_verb::redrive, {}) == 1u);
      const auto seen = view_of(subject, "a");
      CHECK(seen.phase == phase::ready);
      CHECK(seen.state == "first");
      CHECK(seen.attempt == 1);
      CHECK(seen.version == 2);
      CHECK(seen.error.empty());
      CHECK(view_of(subject, "b").phase == phase::completed);
      CHECK(ids(co_await lease_some(subject, "lane", 9)) == strings{"c", "a"});
    });
  }

  TEST_CASE("a command reaches all that match its filter and no other") {
    on_every_store([](store& subject) -> task<> {
      co_await submit_new(subject, {item("a/1"), item("a/2"), item("a0"), item("b/1")});
      CHECK(co_await record_one(subject, advance(co_await lease_one(subject), "second")));
      machine_filter filter;
      filter.id_prefix = "a/";
      filter.state = "first";
      CHECK(co_await subject.control(control_verb::cancel, filter) == 1u);
      CHECK(view_of(subject, "a/1").phase == phase::ready);
      CHECK(view_of(subject, "a/2").phase == phase::cancelled);
      CHECK(view_of(subject, "a0").phase == phase::ready);
      filter.state.clear();
      filter.phase = phase::ready;
      CHECK(co_await subject.control(control_verb::redrive, filter) == 0u);
      CHECK(co_await subject.control(control_verb::cancel, filter) == 1u);
      CHECK(subject.count()->in(phase::cancelled) == 2);
    });
  }

  TEST_CASE("a command may be for one lane and so may a query") {
    on_every_store([](store& subject) -> task<> {
      auto other = item("b");
      other.lane = "other";
      auto nameless = item("c");
      nameless.lane = "";
      co_await submit_new(subject, {item("a"), other, nameless});
      CHECK(ids(*subject.query({.lane = "other"}, 9, "")) == strings{"b"});
      CHECK(ids(*subject.query({.lane = ""}, 9, "")) == strings{"c"});
      CHECK(co_await subject.control(control_verb::cancel, {.lane = "other"}) == 1u);
      CHECK(co_await subject.control(control_verb::cancel, {.lane = ""}) == 1u);
      CHECK(view_of(subject, "a").phase == phase::ready);
      CHECK(co_await subject.control(control_verb::redrive, {.lane = "lane"}) == 0u);
      CHECK(co_await subject.control(control_verb::redrive, {.lane = "other"}) == 1u);
      CHECK(view_of(subject, "c").phase == phase::cancelled);
    });
  }

  TEST_CASE("another priority changes who is leased first and nothing else") {
    on_every_store([](store& subject) -> task<> {
      auto later = item("w");
      later.due = now() + 1h;
      co_await submit_new(subject, {item("a"), item("b"), item("c/1"), item("c/2"), later});
      CHECK(co_await prioritize(subject, {.id_prefix = "c/"}, 7) == 2u);
      CHECK(co_await prioritize(subject, {.id = "c/2"}, 8) == 1u);
      CHECK(co_await prioritize(subject, {.id = "a"}, -1) == 1u);
      CHECK(co_await prioritize(subject, {.phase = phase::waiting}, 3) == 1u);
      CHECK(co_await prioritize(subject, {.id = "w"}, 3) == 0u);  // it has that one already
      CHECK(view_of(subject, "c/2").priority == 8);
      CHECK(view_of(subject, "c/2").version == 0);
      CHECK(subject.history("c/2")->empty());
      CHECK(subject.count()->in(phase::waiting) == 1);
      CHECK(co_await promote_all(subject, now() + 2h) == 1u);
      const auto leased = co_await lease_some(subject, "lane", 9);
      CHECK(ids(leased) == strings{"c/2", "c/1", "w", "b", "a"});
      CHECK(leased.front().priority == 8);
    });
  }

  TEST_CASE("a step under way goes on when its priority changes and the next one has it") {
    on_every_store([](store& subject) -> task<> {
      co_await submit_new(subject, {item("a"), item("b")});
      const auto running = co_await lease_some(subject, "lane", 1);
      CHECK(co_await prioritize(subject, {.id = "a"}, -5) == 1u);
      CHECK(subject.ready_lanes() == strings{"lane"});
      CHECK(co_await record_one(subject, advance(running.front(), "second")));
      CHECK(view_of(subject, "a").priority == -5);
      const auto next = co_await lease_some(subject, "lane", 9);
      CHECK(ids(next) == strings{"b", "a"});
      CHECK(next.back().priority == -5);
      CHECK(next.back().state == "second");
      CHECK(co_await prioritize(subject, {.id = "a"}, 9) == 1u);
      subject.release(next);
      CHECK(ids(co_await lease_some(subject, "lane", 9)) == strings{"a", "b"});
    });
  }

  TEST_CASE("a priority that changes while its step is recorded is kept by both") {
    on_every_store([](store& subject) -> task<> {
      for (int round = 0; round < 30; ++round) {
        const auto lane = "lane " + std::to_string(round);
        std::vector<submission> wanted;
        for (int i = 0; i < 4; ++i) {
          wanted.push_back(item(lane + "/" + std::to_string(i)));
          wanted.back().lane = lane;
        }
        co_await submit_new(subject, std::move(wanted));
        const auto running = co_await lease_some(subject, lane, 2);
        co_await with_scope([&](scope& all) -> task<> {
          all.go([](store& in, std::string at) -> task<> {
            CHECK(co_await prioritize(in, {.id = at + "/1"}, 5) == 1u);
            CHECK(co_await prioritize(in, {.id = at + "/0"}, -5) == 1u);
          }(subject, lane));
          all.go([](store& in, std::vector<leased_machine> done) -> task<> {
            for (const auto& each : done) CHECK(co_await record_one(in, advance(each, "second")));
          }(subject, running));
          co_return;
        });
        CHECK(ids(co_await lease_all(subject, lane)) ==
              strings{lane + "/1", lane + "/2", lane + "/3", lane + "/0"});
      }
    });
  }

  TEST_CASE("what has ended keeps its priority and one beyond the limits is refused") {
    on_every_store([](store& subject) -> task<> {
      co_await submit_new(subject, {item("a")});
      CHECK(co_await subject.control(control_verb::cancel, {}) == 1u);
      CHECK(co_await prioritize(subject, {}, 5) == 0u);
      CHECK(view_of(subject, "a").priority == 0);
      const auto wild = co_await subject.apply(
          {.verb = control_verb::prioritize, .filter = {}, .priority = priority_limit + 1});
      REQUIRE_FALSE(wild.has_value());
      CHECK(wild.error().what == store_error::kind::refused);
      CHECK(wild.error().message.find("priority 1000001") != std::string::npos);
    });
  }

  TEST_CASE("a command on thousands reaches each once") {
    on_every_store([](store& subject) -> task<> {
      std::vector<submission> wanted;
      for (int i = 0; i < 2'500; ++i) wanted.push_back(item("m" + std::to_string(i)));
      co_await submit_new(subject, std::move(wanted));
      CHECK(co_await subject.control(control_verb::cancel, {}) == 2'500u);
      CHECK(subject.count()->in(phase::cancelled) == 2'500);
      CHECK(co_await subject.control(control_verb::redrive, {}) == 2'500u);
      CHECK(subject.count()->in(phase::ready) == 2'500);
      CHECK(view_of(subject, "m77").version == 2);
      CHECK(co_await prioritize(subject, {}, 1) == 2'500u);
      CHECK((co_await lease_all(subject, "lane")).size() == 2'500);
    });
  }
}
