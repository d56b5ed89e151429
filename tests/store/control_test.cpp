// SPDX-License-Identifier: Apache-2.0
// Goal: people can cancel and redrive, one or all that match, and a step under way cannot undo it.
#include "subject.hpp"

using namespace wherry;
using namespace wherry::test;
using namespace std::chrono_literals;

namespace {

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
      CHECK((co_await lease_all(subject, "lane")).size() == 2'500);
    });
  }
}
