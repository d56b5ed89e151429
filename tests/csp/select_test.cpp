// SPDX-License-Identifier: Apache-2.0
// Goal: of the cases of a select exactly one commits, and the others leave nothing behind and lose
// nothing. Method: small scenes whose outcome is known, over many seeds; counted values.

#include "wherry/csp/select.hpp"

#include <array>
#include <cmath>
#include <variant>
#include <vector>

#include "subject.hpp"

namespace {

using namespace wherry;
using namespace wherry::test;

task<> put_one(channel<int> to, int value) { CHECK(co_await to.put(value)); }
task<> put_counted(channel<counted> to, int id) { CHECK(co_await to.put(counted{id})); }
task<> expect(channel<int> from, int value) { CHECK(co_await from.take() == value); }

/// Over 10,000 draws a fair coin stays within this of one half: 4.89 sigma, once in a million runs.
constexpr double fair_deviation = 4.89 * 0.5 / 100.0;

/// How often each of two ready takes is chosen.
template <class... Order>
task<> count_choices(std::array<int, 2>* chosen, Order... order) {
  channel<int> left{fixed{1}};
  channel<int> right{fixed{1}};
  for (int round = 0; round < 10'000; ++round) {
    left.offer(1);
    right.offer(1);
    const auto won = co_await select(order..., left.take(), right.take());
    ++(*chosen)[won.index()];
  }
}

}  // namespace

TEST_SUITE("csp/select") {
  TEST_CASE("a ready take is chosen and the other channel keeps its value") {
    over_seeds(many, []() -> task<> {
      channel<counted> left{fixed{1}};
      channel<counted> right{fixed{1}};
      CHECK(left.offer(counted{1}));
      CHECK(right.offer(counted{2}));
      auto won = co_await select(left.take(), right.take());
      const int had = won.index() == 0 ? std::get<0>(won)->id() : std::get<1>(won)->id();
      const auto other = won.index() == 0 ? right.poll() : left.poll();
      REQUIRE(other);
      CHECK(had + other->id() == 3);
      CHECK_FALSE(left.poll());
      CHECK_FALSE(right.poll());
    });
  }

  TEST_CASE("a parked select takes from whichever channel is put to first and the loser waits on") {
    everywhere([]() -> task<> {
      channel<counted> left;
      channel<counted> right;
      int sum = 0;
      co_await with_scope([&](scope& all) -> task<> {
        all.go(put_counted(left, 1));
        all.go(put_counted(right, 2));
        for (int round = 0; round < 2; ++round) {
          auto won = co_await select(left.take(), right.take());
          sum += won.index() == 0 ? std::get<0>(won)->id() : std::get<1>(won)->id();
        }
      });
      CHECK(sum == 3);
    });
  }

  TEST_CASE("a put that loses keeps its value with the caller") {
    everywhere([]() -> task<> {
      channel<counted> nobody_takes;
      channel<int> stop;
      counted mine{7};
      co_await with_scope([&](scope& all) -> task<> {
        all.go(put_one(stop, 1));
        const auto won = co_await select(nobody_takes.put(std::move(mine)), stop.take());
        CHECK(won.index() == 1);
      });
      CHECK(mine.id() == 7);
      CHECK_FALSE(nobody_takes.poll());
    });
  }

  TEST_CASE("a put that wins moves its value and tells that it was accepted") {
    everywhere([]() -> task<> {
      channel<counted> taken;
      channel<int> stop;
      counted mine{7};
      co_await with_scope([&](scope& all) -> task<> {
        all.go([](channel<counted> from) -> task<> {
          const auto value = co_await from.take();
          CHECK((value && value->id() == 7));
        }(taken));
        const auto won = co_await select(taken.put(std::move(mine)), stop.take());
        CHECK(won.index() == 0);
        CHECK(std::get<0>(won));
      });
      CHECK_FALSE(mine.holds());
    });
  }

  TEST_CASE("exactly one of two puts commits") {
    everywhere([]() -> task<> {
      channel<counted> left;
      channel<counted> right;
      counted first{1};
      counted second{2};
      co_await with_scope([&](scope& all) -> task<> {
        all.go([](channel<counted> a, channel<counted> b) -> task<> {
          const auto won = co_await select(a.take(), b.take());
          CHECK((won.index() == 0 ? std::get<0>(won) : std::get<1>(won)).has_value());
        }(left, right));
        co_await select(left.put(std::move(first)), right.put(std::move(second)));
      });
      CHECK(first.holds() != second.holds());
      CHECK_FALSE(left.poll());
      CHECK_FALSE(right.poll());
    });
  }

  TEST_CASE("a select with a timeout never drops a message") {
    over_seeds(many, []() -> task<> {
      channel<counted> messages;
      int had = 0;
      co_await with_scope([&](scope& all) -> task<> {
        all.go([](channel<counted> to) -> task<> {
          for (int id = 0; id < 50; ++id) {
            co_await pause(1ms);
            CHECK(co_await to.put(counted{id}));
          }
          to.close();
        }(messages));
        for (;;) {  // deadline and message are due at the same instant again and again
          auto won = co_await select(messages.take(), timeout(1ms).take());
          if (won.index() == 1) continue;
          if (!std::get<0>(won)) break;
          CHECK(std::get<0>(won)->id() == had);
          ++had;
        }
      });
      CHECK(had == 50);
    });
  }

  TEST_CASE("a closed channel is ready whether to take or to put") {
    over_seeds(many, []() -> task<> {
      channel<int> closed;
      closed.close();
      channel<int> silent;
      const auto taken = co_await select(closed.take(), silent.take());
      CHECK(taken.index() == 0);
      CHECK_FALSE(std::get<0>(taken).has_value());
      const auto put = co_await select(closed.put(1), silent.take());
      CHECK(put.index() == 0);
      CHECK_FALSE(std::get<0>(put));
    });
  }

  TEST_CASE("closing wakes a parked select and lets out the value of a parked put") {
    everywhere([]() -> task<> {
      channel<int> first;
      channel<int> second;
      co_await with_scope([&](scope& all) -> task<> {
        all.go([](channel<int> closing) -> task<> {
          co_await settle();
          closing.close();
        }(first));
        const auto won = co_await select(first.take(), second.take());
        CHECK(won.index() == 0);
        CHECK_FALSE(std::get<0>(won).has_value());
      });
      channel<int> full;
      co_await with_scope([&](scope& all) -> task<> {
        all.go([](channel<int> to, channel<int> never) -> task<> {
          const auto won = co_await select(to.put(5), never.take());
          CHECK(won.index() == 0);
          CHECK(std::get<0>(won));
        }(full, second));
        co_await settle();
        full.close();
        const auto value = co_await full.take();
        // On threads the close may have come first: then the put was refused.
        CHECK((value == 5 || !value));
      });
    });
  }

  TEST_CASE("cases that are ready are chosen equally often") {
    over_seeds(5, []() -> task<> {
      std::array<int, 2> chosen{};
      co_await count_choices(&chosen);
      CHECK(std::abs(chosen[0] / 10'000.0 - 0.5) < fair_deviation);
    });
  }

  TEST_CASE("with priority the first case that is ready wins") {
    over_seeds(5, []() -> task<> {
      std::array<int, 2> chosen{};
      co_await count_choices(&chosen, priority);
      CHECK(chosen == std::array<int, 2>{10'000, 0});
      channel<int> silent;
      channel<int> ready{fixed{1}};
      ready.offer(1);
      CHECK((co_await select(priority, silent.take(), ready.take())).index() == 1);
    });
  }

  TEST_CASE("or_default is taken when nothing is ready and never when something is") {
    over_seeds(many, []() -> task<> {
      channel<int> empty;
      channel<int> full{fixed{1}};
      CHECK((co_await select(or_default, empty.take(), empty.put(1))).index() == 2);
      CHECK_FALSE(empty.poll());
      full.offer(3);
      const auto won = co_await select(or_default, empty.take(), full.take());
      REQUIRE(won.index() == 1);
      CHECK(std::get<1>(won) == 3);
      empty.close();
      CHECK((co_await select(or_default, empty.take(), full.take())).index() == 0);
    });
  }

  TEST_CASE("the same channel twice in one select commits once") {
    everywhere([]() -> task<> {
      channel<int> same;
      co_await with_scope([&](scope& all) -> task<> {
        all.go(put_range(same, 0, 20));
        for (int wanted = 0; wanted < 20; ++wanted) {
          const auto won = co_await select(same.take(), same.take());
          CHECK((won.index() == 0 ? std::get<0>(won) : std::get<1>(won)) == wanted);
        }
      });
      CHECK_FALSE(same.poll());
    });
  }

  TEST_CASE("a select does not meet itself") {
    over_seeds(many, []() -> task<> {
      channel<int> same;
      const auto won = co_await select(same.put(1), same.take(), timeout(1ms).take());
      CHECK(won.index() == 2);
      CHECK_FALSE(same.poll());
      CHECK_FALSE(same.offer(1));
    });
  }

  TEST_CASE("two selects that both put and take meet each other") {
    everywhere([]() -> task<> {
      channel<int> same;
      std::atomic<int> put = 0;
      std::atomic<int> taken = 0;
      const auto either = [](channel<int> ch, std::atomic<int>* a, std::atomic<int>* b) -> task<> {
        const auto won = co_await select(ch.put(1), ch.take());
        (won.index() == 0 ? a : b)->fetch_add(1);
      };
      co_await with_scope([&](scope& all) -> task<> {
        for (int each = 0; each < 10; ++each) all.go(either(same, &put, &taken));
        co_return;
      });
      CHECK(put == 5);
      CHECK(taken == 5);
    });
  }

  TEST_CASE("a cancelled select unwinds with its value and leaves no waiter behind") {
    over_seeds(many, []() -> task<> {
      channel<counted> out;
      channel<int> in;
      counted mine{4};
      co_await with_scope([&](scope& all) -> task<> {
        all.go([](channel<counted> to, channel<int> from, counted* value) -> task<> {
          co_await select(to.put(std::move(*value)), from.take());
          FAIL_CHECK("went on after it was cancelled");
        }(out, in, &mine));
        co_await settle();
        all.cancel();
      });
      CHECK(mine.id() == 4);
      CHECK_FALSE(in.offer(1));
      CHECK_FALSE(out.poll());
    });
  }

  TEST_CASE("a thousand lost selects leave room for the next waiter") {
    over_seeds(3, []() -> task<> {
      channel<int> quiet;
      channel<int> busy{fixed{1}};
      co_await with_scope([&](scope& all) -> task<> {
        for (int round = 0; round < 3'000; ++round) {
          all.go(put_one(busy, round));
          const auto won = co_await select(quiet.take(), busy.take());
          CHECK(won.index() == 1);
        }
        all.go(expect(quiet, 9));
        CHECK(co_await quiet.put(9));
      });
    });
  }

  TEST_CASE(
      "a select is refused when a channel has its 1024 waiters and all its channels stay usable") {
    over_seeds(3, []() -> task<> {
      channel<int> crowded;
      channel<int> other;
      channel<int> quiet;
      int refused = 0;
      co_await with_scope([&](scope& all) -> task<> {
        for (int each = 0; each < 1023; ++each) {
          all.go([](channel<int> from) -> task<> { co_await from.take(); }(crowded));
        }
        co_await settle();
        all.go([](channel<int> a, channel<int> b) -> task<> {
          CHECK((co_await select(a.take(), b.take())).index() == 0);  // the 1024th: still room
        }(crowded, quiet));
        co_await settle();
        try {
          co_await select(other.take(), crowded.take());
        } catch (const too_many_waiters& error) {
          ++refused;
          CHECK(std::string(error.what()).contains("1024"));
        }
        CHECK_FALSE(other.offer(1));  // a waiter left here would have it
        for (int each = 0; each < 1024; ++each) CHECK(crowded.offer(each));
      });
      CHECK(refused == 1);
    });
  }

  TEST_CASE("waiters that lost elsewhere do not count against the 1024") {
    over_seeds(3, []() -> task<> {
      channel<int> crowded;
      channel<int> go_ahead;
      co_await with_scope([&](scope& all) -> task<> {
        for (int each = 0; each < 1024; ++each) {
          all.go([](channel<int> a, channel<int> b) -> task<> {
            CHECK((co_await select(a.take(), b.take())).index() == 1);
          }(crowded, go_ahead));
        }
        co_await settle();
        go_ahead.close();  // all have lost at `crowded`, and none has run since
        CHECK((co_await select(crowded.take(), timeout(1ms).take())).index() == 1);
      });
    });
  }
}
