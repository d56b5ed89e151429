// SPDX-License-Identifier: Apache-2.0
// Goal: a store keeps what a lane must not forget, with the outcomes of its steps, and a paused
// lane leases nothing.
#include <algorithm>

#include "subject.hpp"

using namespace wherry;
using namespace wherry::test;
using namespace std::chrono_literals;

namespace {

submission item_in(std::string lane, std::string id) {
  auto wanted = item(std::move(id));
  wanted.lane = std::move(lane);
  return wanted;
}

lane_memory memory_until(system_time keep_until, std::int32_t failures = 2) {
  return {.quotas = R"({"windows":[]})",
          .failures = failures,
          .open_until = keep_until - 1min,
          .keep_until = keep_until};
}

/// What is kept of that lane; all as new if nothing is.
lane_state kept_of(store& from, const std::string& lane) {
  for (auto& each : from.lane_states()) {
    if (each.lane == lane) return each;
  }
  return {};
}

}  // namespace

TEST_SUITE("store.hpp: lanes") {
  TEST_CASE("a paused lane is not ready and leases nothing until it is resumed") {
    on_every_store([](store& subject) -> task<> {
      co_await submit_new(subject, {item_in("left", "l"), item_in("right", "r")});
      CHECK(co_await subject.control(control_verb::pause, {.lane = "left"}) == 1u);
      CHECK(co_await subject.control(control_verb::pause, {.lane = "left"}) == 0u);
      CHECK(subject.ready_lanes() == strings{"right"});
      CHECK((co_await lease_some(subject, "left", 9)).empty());
      CHECK((co_await lease_some(subject, "right", 9)).size() == 1);
      CHECK(kept_of(subject, "left").paused);
      CHECK_FALSE(kept_of(subject, "right").paused);
      CHECK_MESSAGE(subject.count()->in(phase::ready) == 2, "its machines are ready all the same");
      auto signal = subject.ready_signal();
      while (signal.poll()) continue;
      CHECK(co_await subject.control(control_verb::resume, {.lane = "left"}) == 1u);
      CHECK_MESSAGE(signal.poll().has_value(), "ready work has appeared");
      CHECK(co_await subject.control(control_verb::resume, {.lane = "left"}) == 0u);
      CHECK(subject.ready_lanes() == strings{"left"});
      CHECK((co_await lease_some(subject, "left", 9)).size() == 1);
      CHECK(subject.lane_states().empty());
    });
  }

  TEST_CASE("a lane may be paused before it has a machine") {
    on_every_store([](store& subject) -> task<> {
      CHECK(co_await subject.control(control_verb::pause, {.lane = "lane"}) == 1u);
      co_await submit_new(subject, {item("a")});
      CHECK(subject.ready_lanes().empty());
      CHECK((co_await lease_some(subject, "lane", 9)).empty());
      CHECK(co_await subject.control(control_verb::resume, {.lane = "lane"}) == 1u);
      CHECK((co_await lease_some(subject, "lane", 9)).size() == 1);
    });
  }

  TEST_CASE("a step that was under way when its lane was paused is recorded") {
    on_every_store([](store& subject) -> task<> {
      co_await submit_new(subject, {item("a"), item("b")});
      const auto running = co_await lease_some(subject, "lane", 2);
      CHECK(co_await subject.control(control_verb::pause, {.lane = "lane"}) == 1u);
      CHECK(co_await record_one(subject, advance(running[0], "second")));
      subject.release({running[1]});
      CHECK(subject.ready_lanes().empty());
      CHECK((co_await lease_some(subject, "lane", 9)).empty());
      CHECK(co_await subject.control(control_verb::resume, {.lane = "lane"}) == 1u);
      CHECK((co_await lease_some(subject, "lane", 9)).size() == 2);
    });
  }

  TEST_CASE("a pause stays when the last machine of its lane has ended") {
    on_every_store([](store& subject) -> task<> {
      co_await submit_new(subject, {item("a")});
      const auto running = co_await lease_one(subject);
      CHECK(co_await subject.control(control_verb::pause, {.lane = "lane"}) == 1u);
      CHECK(co_await record_one(subject, finish(running, phase::completed)));
      co_await submit_new(subject, {item("b")});
      CHECK((co_await lease_some(subject, "lane", 9)).empty());
    });
  }

  TEST_CASE("a pause names one lane and nothing else") {
    on_every_store([](store& subject) -> task<> {
      co_await submit_new(subject, {item("a")});
      for (const auto verb : {control_verb::pause, control_verb::resume}) {
        for (const machine_filter& wrong :
             {machine_filter{}, machine_filter{.id = "a"},
              machine_filter{.state = "first", .lane = "lane"},
              machine_filter{.phase = phase::ready, .lane = "lane"}}) {
          const auto done = co_await subject.control(verb, wrong);
          REQUIRE_FALSE(done.has_value());
          CHECK(done.error().what == store_error::kind::refused);
          CHECK(done.error().message.find("name one lane") != std::string::npos);
        }
      }
      CHECK(subject.ready_lanes() == strings{"lane"});
    });
  }

  TEST_CASE("what a lane must not forget is kept with an outcome in place of what was before") {
    on_every_store([](store& subject) -> task<> {
      co_await submit_new(subject, {item("a")});
      auto first = advance(co_await lease_one(subject), "second");
      const auto one = memory_until(now() + 1h), two = memory_until(now() + 2h, 0);
      first.lane_memory = one;
      CHECK(co_await record_one(subject, first));
      CHECK(kept_of(subject, "lane").memory == one);
      auto second = advance(co_await lease_one(subject), "third");
      second.lane_memory = two;
      CHECK(co_await record_one(subject, second));
      CHECK(kept_of(subject, "lane").memory == two);
      CHECK(co_await record_one(subject, finish(co_await lease_one(subject), phase::completed)));
      CHECK_MESSAGE(kept_of(subject, "lane").memory == two, "an outcome that says nothing of it");
      CHECK(subject.count()->in(phase::completed) == 1);
    });
  }

  TEST_CASE("it is of the lane that the step ran in and kept also if the outcome is refused") {
    on_every_store([](store& subject) -> task<> {
      co_await submit_new(subject, {item_in("here", "a")});
      const auto leased = co_await lease_some(subject, "here", 1);
      auto moved = advance(leased.front(), "second");
      moved.lane = "there";
      moved.lane_memory = memory_until(now() + 1h);
      CHECK(co_await record_one(subject, moved));
      CHECK(kept_of(subject, "here").memory == *moved.lane_memory);
      CHECK(kept_of(subject, "there").lane.empty());
      moved.lane_memory = memory_until(now() + 2h, 9);
      CHECK_FALSE(co_await record_one(subject, moved));
      CHECK(kept_of(subject, "here").memory == *moved.lane_memory);
      CHECK(view_of(subject, "a").version == 1);
    });
  }

  TEST_CASE("an outcome may say what other lanes must not forget") {
    on_every_store([](store& subject) -> task<> {
      co_await submit_new(subject, {item("a")});
      auto outcome = advance(co_await lease_one(subject), "second");
      const auto one = memory_until(now() + 1h), two = memory_until(now() + 2h, 0);
      outcome.lane_memory = one;
      outcome.other_memories = {{"app", two}, {"endpoint", one}};
      CHECK(co_await record_one(subject, outcome));
      CHECK(kept_of(subject, "lane").memory == one);
      CHECK(kept_of(subject, "app").memory == two);
      CHECK(kept_of(subject, "endpoint").memory == one);
    });
  }

  TEST_CASE("park and pause and memory of a lane stand beside each other") {
    on_every_store([](store& subject) -> task<> {
      co_await submit_new(subject, {item("a")});
      const auto until = now() + 1h;
      auto outcome = retry(co_await lease_one(subject), until);
      outcome.lane_parked_until = until;
      outcome.lane_memory = memory_until(until + 1h);
      CHECK(co_await record_one(subject, outcome));
      CHECK(co_await subject.control(control_verb::pause, {.lane = "lane"}) == 1u);
      const auto kept = subject.lane_states();
      REQUIRE(kept.size() == 1);
      CHECK(kept[0].parked_until == until);
      CHECK(kept[0].paused);
      CHECK(kept[0].memory == *outcome.lane_memory);
    });
  }

  TEST_CASE("what need not be kept any longer is not told") {
    on_every_store([](store& subject) -> task<> {
      co_await submit_new(subject, {item("a"), item("b")});
      auto outcome = advance(co_await lease_one(subject), "second");
      outcome.lane_memory = memory_until(now());
      CHECK(co_await record_one(subject, outcome));
      co_await timeout(2ms).take();
      CHECK(subject.lane_states().empty());
    });
  }
}
