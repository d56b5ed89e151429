// SPDX-License-Identifier: Apache-2.0
// Goal: single channels and selects behave as core.async's own tests say (async_test.clj,
// ioc_macros_test.clj, tests.cljs), where no other test of ours says it already.
// Method: scenes of their suites in our words, over many seeds; docs/conformance.md is the map.

#include <array>
#include <stdexcept>
#include <string>
#include <variant>

#include "../subject.hpp"
#include "wherry/csp/go.hpp"
#include "wherry/csp/select.hpp"

namespace {

using namespace wherry;
using namespace wherry::test;

task<> put_and_count(channel<int> to, int value, int* accepted) {
  *accepted += (co_await to.put(value)) ? 1 : 0;
}
task<> take_and_note(channel<int> from, std::optional<int>* into) { *into = co_await from.take(); }

// One exchange, each side alone or through a select with a channel at which nothing happens.
task<> give(channel<int> to, channel<int> quiet, bool by_select) {
  if (!by_select) {
    CHECK(co_await to.put(7));
    co_return;
  }
  const auto won = co_await select(quiet.take(), to.put(7));
  REQUIRE(won.index() == 1);
  CHECK(std::get<1>(won));
}
task<> get(channel<int> from, channel<int> quiet, bool by_select) {
  if (!by_select) {
    CHECK(co_await from.take() == 7);
    co_return;
  }
  const auto won = co_await select(from.take(), quiet.take());
  REQUIRE(won.index() == 0);
  CHECK(std::get<0>(won) == 7);
}

task<int> fail_now() {
  throw std::runtime_error("this failure is expected");
  co_return 0;
}
task<int> fail_after_select() {
  channel<int> ready{fixed{1}};
  ready.offer(1);
  co_await select(ready.take(), timeout(1h).take());
  throw std::runtime_error("this failure is expected");
}

}  // namespace

TEST_SUITE("csp/conformance/core_async") {
  TEST_CASE("of two takes that wait one value ends one and the other waits on") {
    over_seeds(many, []() -> task<> {
      const channel<int> one{fixed{1}};
      std::array<std::optional<int>, 2> had{};
      co_await with_scope([&](scope& all) -> task<> {
        all.go(take_and_note(one, &had[0]));
        all.go(take_and_note(one, &had[1]));
        co_await settle();
        CHECK(co_await one.put(42));
        co_await settle();
        CHECK(had[0].has_value() != had[1].has_value());
        CHECK(had[0].value_or(0) + had[1].value_or(0) == 42);
        one.close();
      });
    });
  }

  TEST_CASE("a put that waits moves into the room that a take makes and its process goes on") {
    over_seeds(many, []() -> task<> {
      const channel<int> one{fixed{1}};
      int accepted = 0;
      co_await with_scope([&](scope& all) -> task<> {
        CHECK(co_await one.put(1));
        all.go(put_and_count(one, 2, &accepted));
        co_await settle();
        CHECK(accepted == 0);
        CHECK(co_await one.take() == 1);
        co_await settle();
        CHECK(accepted == 1);  // its value is in the buffer; nobody has taken it
        CHECK_FALSE(one.offer(3));
        CHECK(one.poll() == 2);
      });
    });
  }

  TEST_CASE("a select meets a put and a take and another select whoever comes first") {
    for (const bool putter_selects : {false, true}) {
      for (const bool taker_selects : {false, true}) {
        for (const bool putter_first : {false, true}) {
          CAPTURE(putter_selects);
          CAPTURE(taker_selects);
          CAPTURE(putter_first);
          over_seeds(20, [=]() -> task<> {
            const channel<int> meeting;
            const channel<int> quiet;
            co_await with_scope([&](scope& all) -> task<> {
              if (putter_first)
                all.go(give(meeting, quiet, putter_selects));
              else
                all.go(get(meeting, quiet, taker_selects));
              co_await settle();
              if (putter_first)
                all.go(get(meeting, quiet, taker_selects));
              else
                all.go(give(meeting, quiet, putter_selects));
            });
            CHECK_FALSE(meeting.poll());
            CHECK_FALSE(quiet.poll());
            CHECK_FALSE(quiet.offer(1));
          });
        }
      }
    }
  }

  TEST_CASE("an offer meets a select that waits to take and a poll one that waits to put") {
    over_seeds(many, []() -> task<> {
      const channel<int> meeting;
      const channel<int> quiet;
      co_await with_scope([&](scope& all) -> task<> {
        all.go(get(meeting, quiet, true));
        co_await settle();
        CHECK(meeting.offer(7));
        CHECK_FALSE(meeting.offer(7));
        all.go(give(meeting, quiet, true));
        co_await settle();
        CHECK(meeting.poll() == 7);
        CHECK_FALSE(meeting.poll());
      });
    });
  }

  TEST_CASE("ten thousand selects that put into a closed channel leave no take at the other") {
    over_seeds(3, []() -> task<> {
      const channel<int> closed;
      closed.close();
      const channel<int> other;
      for (int round = 0; round < 10'000; ++round) {
        const auto won = co_await select(closed.put(1), other.take());
        REQUIRE(won.index() == 0);
        CHECK_FALSE(std::get<0>(won));
      }
      CHECK_FALSE(other.offer(1));
    });
  }

  TEST_CASE("a thousand selects that did not wait leave all 1024 places free") {
    over_seeds(3, []() -> task<> {
      const channel<int> puts;
      const channel<int> takes;
      for (int round = 0; round < 1'024; ++round) {
        CHECK((co_await select(or_default, puts.put(round))).index() == 1);
        CHECK((co_await select(or_default, takes.take())).index() == 1);
      }
      int accepted = 0;
      std::vector<std::optional<int>> had(1'024);
      co_await with_scope([&](scope& all) -> task<> {
        for (auto& each : had) {
          all.go(put_and_count(puts, 1, &accepted));
          all.go(take_and_note(takes, &each));
        }
        co_await settle();
        for (int each = 0; each < 1'024; ++each) {
          CHECK(puts.poll());
          CHECK(takes.offer(each));
        }
      });
      CHECK(accepted == 1'024);
      for (const auto& each : had) CHECK(each.has_value());
    });
  }

  TEST_CASE("a select of one case is that operation") {
    over_seeds(many, []() -> task<> {
      const channel<int> one{fixed{1}};
      CHECK(std::get<0>(co_await select(one.put(42))));
      CHECK(std::get<0>(co_await select(one.take())) == 42);
      const channel<int> empty{fixed{1}};
      CHECK((co_await select(or_default, empty.take())).index() == 1);
    });
  }

  TEST_CASE(
      "each of ten ready cases is chosen sooner or later and the first always with priority") {
    over_seeds(3, []() -> task<> {
      std::array<channel<int>, 10> c{};
      const auto fill = [&] {
        for (auto& each : c) {
          each = channel<int>{fixed{1}};
          each.offer(1);
        }
      };
      std::array<int, 10> chosen{};
      for (int round = 0; round < 1'000; ++round) {
        fill();
        const auto won =
            co_await select(c[0].take(), c[1].take(), c[2].take(), c[3].take(), c[4].take(),
                            c[5].take(), c[6].take(), c[7].take(), c[8].take(), c[9].take());
        ++chosen[won.index()];
        fill();
        CHECK((co_await select(priority, c[0].take(), c[1].take(), c[2].take(), c[3].take(),
                               c[4].take(), c[5].take(), c[6].take(), c[7].take(), c[8].take(),
                               c[9].take()))
                  .index() == 0);
      }
      for (const int times : chosen) CHECK(times > 0);
    });
  }

  TEST_CASE("the channel of a process that fails gives the failure and then closes") {
    over_seeds(many, []() -> task<> {
      for (const bool waits_first : {false, true}) {
        const auto outcome = go(waits_first ? fail_after_select() : fail_now());
        const auto won = co_await select(outcome.take(), timeout(500ms).take());
        REQUIRE(won.index() == 0);
        const auto& had = std::get<0>(won);
        REQUIRE(had);
        REQUIRE_FALSE(had->has_value());
        CHECK(had->error().what() == "this failure is expected");
        CHECK_FALSE(co_await outcome.take());
      }
    });
  }

  TEST_CASE("two timeouts are two channels however near") {
    // core.async may give both callers the same one; closing it or not is then a matter of others.
    over_seeds(1, []() -> task<> {
      const auto first = timeout(10ms);
      const auto second = timeout(10ms);
      CHECK_FALSE(first == second);
      CHECK_FALSE(co_await first.take());
      CHECK_FALSE(co_await second.take());
    });
  }

  TEST_CASE("a value that stands for nothing is a value like others") {
    // There is no nil that cannot be put: the optional says whether there was a value.
    over_seeds(many, []() -> task<> {
      const channel<std::optional<int>> maybe{fixed{2}};
      CHECK(co_await maybe.put(std::nullopt));
      CHECK((co_await select(maybe.put(std::nullopt))).index() == 0);
      maybe.close();
      for (int each = 0; each < 2; ++each) {
        const auto had = co_await maybe.take();
        REQUIRE(had);
        CHECK_FALSE(had->has_value());
      }
      CHECK_FALSE(co_await maybe.take());
    });
  }
}
