// SPDX-License-Identifier: Apache-2.0
// Goal: channels and selects behave as crossbeam-channel's tests say (select.rs, select_macro.rs,
// array.rs, list.rs, zero.rs, after.rs, never.rs), where no other test of ours says it already.
// Method: each test's scene in our words, on seeds and on threads.

#include <any>
#include <array>
#include <memory>
#include <vector>

#include "../subject.hpp"
#include "size.hpp"
#include "wherry/csp/select.hpp"

namespace {

using namespace wherry;
using namespace wherry::test;

template <class T>
channel<T> make(std::size_t size) {
  return size == 0 ? channel<T>{} : channel<T>{fixed{size}};
}

/// matching: each both offers its own number and takes another's.
task<> find_partner(channel<int> all, int self, std::atomic<int>* met) {
  const auto won = co_await select(all.take(), all.put(self));
  if (won.index() == 1) co_return;
  const auto& partner = std::get<0>(won);
  REQUIRE(partner);
  CHECK(*partner != self);
  met->fetch_add(1);
}

/// linearizable: each puts one value and then takes one; so never do all find nothing.
template <class Attempt>
task<> always_find_one(channel<int> shared, Attempt attempt) {
  for (int round = 0; round < scaled(2'000); ++round) {
    CHECK(co_await shared.put(1));
    co_await attempt(shared);
  }
}
task<> find_by_poll(channel<int> shared) {
  CHECK(shared.poll());
  co_return;
}
task<> find_by_select(channel<int> shared) {
  const channel<int> never;
  CHECK((co_await select(or_default, never.take(), shared.take())).index() == 1);
}
/// The limit is long past when the select looks: yet what is there comes first.
task<> find_before_limit(channel<int> shared) {
  CHECK((co_await select(priority, shared.take(), timeout(0ms).take())).index() == 0);
}

/// fairness_duplicates: five cases that are the same one.
template <class Make>
task<> about_equal(Make operation) {
  std::array<int, 5> chosen{};
  for (int round = 0; round < 10'000; ++round) {
    const auto won =
        co_await select(operation(), operation(), operation(), operation(), operation());
    ++chosen[won.index()];
  }
  for (const int times : chosen) CHECK(times > 10'000 / 5 / 2);
}

}  // namespace

TEST_SUITE("csp/conformance/crossbeam") {
  TEST_CASE("of three cases that are always ready each is chosen about as often") {
    // fairness1: a full channel, a closed one, and a timeout that is over.
    over_seeds(3, []() -> task<> {
      const channel<int> full{fixed{10'000}};
      for (int each = 0; each < 10'000; ++each) full.offer(each);
      const channel<int> closed;
      closed.close();
      const auto over = timeout(0ms);
      std::array<int, 3> chosen{};
      for (int round = 0; round < 10'000; ++round) {
        ++chosen[(co_await select(full.take(), closed.take(), over.take())).index()];
      }
      for (const int times : chosen) CHECK(times > 10'000 / 3 / 2);
    });
  }

  TEST_CASE("three that put at three kinds of channels are all taken from") {
    // fairness2, and its bound: whoever puts does so again as soon as it runs, so that a buffer is
    // ready more often than a process.
    const auto scene = []() -> task<> {
      constexpr int count = 10'000;
      const std::array<channel<int>, 3> lines{channel<int>{fixed{64}}, channel<int>{fixed{1}},
                                              channel<int>{}};
      std::array<int, 3> chosen{};
      co_await with_scope([&](scope& all) -> task<> {
        for (const auto& line : lines) {
          all.go([](channel<int> to) -> task<> {
            while (co_await to.put(1)) {}
          }(line));
        }
        for (int round = 0; round < count; ++round) {
          const auto won = co_await select(lines[0].take(), lines[1].take(), lines[2].take());
          ++chosen[won.index()];
        }
        all.cancel();
      });
      for (const int times : chosen) CHECK(times > count / 3 / 50);
    };
    over_seeds(3, scene);
  }

  TEST_CASE("the same case five times is chosen at each place about as often") {
    over_seeds(2, []() -> task<> {
      const channel<int> full{fixed{10'000}};
      for (int each = 0; each < 10'000; ++each) full.offer(each);
      co_await about_equal([=] { return full.take(); });
      CHECK_FALSE(full.poll());
      co_await about_equal([=] { return full.put(1); });
      CHECK_FALSE(full.offer(1));
      full.close();
      co_await about_equal([=] { return full.put(1); });
    });
  }

  TEST_CASE("while each puts before it takes nobody ever finds nothing") {
    // linearizable, linearizable_try, linearizable_timeout.
    const auto scene = []() -> task<> {
      const channel<int> shared{fixed{64}};
      co_await with_scope([&](scope& all) -> task<> {
        for (int each = 0; each < 2; ++each) {
          all.go(always_find_one(shared, find_by_poll));
          all.go(always_find_one(shared, find_by_select));
          all.go(always_find_one(shared, find_before_limit));
        }
        co_return;
      });
      CHECK_FALSE(shared.poll());
    };
    over_seeds(2, scene);
    on_threads(2, scene);
  }

  TEST_CASE("an even number that both put and take pair up and nobody meets itself") {
    everywhere([]() -> task<> {
      const channel<int> all_meet;
      std::atomic<int> met = 0;
      co_await with_scope([&](scope& all) -> task<> {
        for (int self = 0; self < 44; ++self) all.go(find_partner(all_meet, self, &met));
        co_return;
      });
      CHECK(met == 22);
      CHECK_FALSE(all_meet.poll());
      CHECK_FALSE(all_meet.offer(1));
    });
  }

  TEST_CASE("of an odd number that both put and take one is left for who comes last") {
    everywhere([]() -> task<> {
      const channel<int> all_meet;
      std::atomic<int> met = 0;
      co_await with_scope([&](scope& all) -> task<> {
        for (int self = 0; self < 55; ++self) all.go(find_partner(all_meet, self, &met));
        CHECK(co_await all_meet.put(-1));
      });
      CHECK(met == 28);
      CHECK_FALSE(all_meet.poll());
      CHECK_FALSE(all_meet.offer(1));
    });
  }

  TEST_CASE("a value that was there before the close comes out of a select and then the end") {
    // preflight1, 2 and 3.
    over_seeds(many, []() -> task<> {
      const channel<int> never;
      const channel<int> one{fixed{1}};
      one.offer(7);
      CHECK(std::get<0>(co_await select(one.take())) == 7);
      one.offer(8);
      one.close();
      const auto had = co_await select(priority, one.take(), never.take());
      CHECK(std::get<0>(had) == 8);
      const auto end = co_await select(priority, one.take(), never.take());
      CHECK_FALSE(std::get<0>(end));
    });
  }

  TEST_CASE("an operation or a select that is made and never awaited does nothing") {
    // forget_select, uncompleted_select_zero: there a select leaves a debt; here it is lazy.
    over_seeds(many, []() -> task<> {
      const channel<counted> meeting;
      const channel<counted> one{fixed{1}};
      counted mine{1};
      {
        [[maybe_unused]] const auto put = one.put(std::move(mine));
        [[maybe_unused]] const auto take = meeting.take();
        [[maybe_unused]] const auto either = select(one.put(std::move(mine)), meeting.take());
      }
      CHECK(mine.id() == 1);
      CHECK_FALSE(one.poll());
      CHECK_FALSE(meeting.offer(counted{2}));
      co_return;
    });
  }

  TEST_CASE("the value of a put may come from a take") {
    // recv_in_send.
    everywhere([]() -> task<> {
      const channel<int> first;
      const channel<int> second;
      co_await with_scope([&](scope& all) -> task<> {
        all.go([](channel<int> to, channel<int> from) -> task<> {
          CHECK(co_await to.put(7));
          CHECK(co_await from.take() == 8);
        }(first, second));
        co_await select(second.put(*co_await first.take() + 1), timeout(24h).take());
      });
    });
  }

  TEST_CASE("each channel brings the next one a thousand times") {
    // channel_through_channel.
    const auto scene = []() -> task<> {
      for (const std::size_t size : {0U, 1U, 2U}) {
        constexpr int count = 1'000;
        const auto begin = make<std::any>(size);
        int had = 0;
        co_await with_scope([&](scope& all) -> task<> {
          all.go([](channel<std::any> to, std::size_t next_size) -> task<> {
            for (int each = 0; each < count; ++each) {
              const auto next = make<std::any>(next_size);
              const auto won = co_await select(to.put(std::any(next)), timeout(24h).take());
              CHECK(won.index() == 0);
              to = next;
            }
            to.close();
          }(begin, size));
          auto from = begin;
          while (const auto next = co_await from.take()) {
            from = std::any_cast<channel<std::any>>(*next);
            ++had;
          }
        });
        CHECK(had == count);
      }
    };
    over_seeds(5, scene);
    on_threads(2, scene);
  }

  TEST_CASE("whatever was put and taken before what is left goes with the channel") {
    // drops. The scene's end checks that no value is left.
    const auto scene = []() -> task<> {
      for (int round = 0; round < 20; ++round) {
        const auto steps = static_cast<int>(detail::draw() % 500);
        const auto left = static_cast<int>(detail::draw() % 50);
        const channel<counted> line{fixed{50}};
        co_await with_scope([&](scope& all) -> task<> {
          all.go([](channel<counted> to, int count) -> task<> {
            for (int id = 0; id < count; ++id) CHECK(co_await to.put(counted{id}));
          }(line, steps));
          for (int id = 0; id < steps; ++id) CHECK((co_await line.take())->id() == id);
          for (int id = 0; id < left; ++id) CHECK(line.offer(counted{id}));
        });
        CHECK(counted::alive() >= left);
      }
    };
    over_seeds(20, scene);
    on_threads(3, scene);
  }

  TEST_CASE("ten thousand channels exchange one value each between two that start together") {
    // stress_oneshot.
    const auto scene = []() -> task<> {
      for (int round = 0; round < scaled(10'000); ++round) {
        const channel<int> once{fixed{1}};
        co_await with_scope([&](scope& all) -> task<> {
          all.go([](channel<int> from) -> task<> { CHECK(co_await from.take() == 7); }(once));
          all.go([](channel<int> to) -> task<> { CHECK(co_await to.put(7)); }(once));
          co_return;
        });
      }
    };
    over_seeds(1, scene);
    on_threads(1, scene);
  }

  TEST_CASE("two that poll and offer and one that selects between them all end") {
    // loop_try: nobody who only tries may be overlooked for ever by one who selects.
    const auto scene = []() -> task<> {
      const channel<int> first;
      const channel<int> second;
      const channel<std::monostate> end;
      const auto ended = [](const channel<std::monostate>& closed) {
        return select(or_default, closed.take());
      };
      std::atomic<int> met = 0;
      co_await with_scope([&](scope& all) -> task<> {
        all.go([](auto over, auto stop, channel<int> to, std::atomic<int>* count) -> task<> {
          while ((co_await over(stop)).index() == 1) {
            if (to.offer(1)) co_return void(count->fetch_add(1));
            co_await pause(1us);
          }
        }(ended, end, first, &met));
        all.go([](auto over, auto stop, channel<int> from, std::atomic<int>* count) -> task<> {
          while ((co_await over(stop)).index() == 1) {
            if (from.poll() == 2) co_return void(count->fetch_add(1));
            co_await pause(1us);
          }
        }(ended, end, second, &met));
        co_await pause(20us);
        const auto won = co_await select(first.take(), second.put(2));
        CHECK(won.index() < 2);
        end.close();
      });
      CHECK(met == 1);
    };
    over_seeds(many, scene);
    on_threads(20, scene);
  }

  TEST_CASE("the end of a timeout is seen by all who wait for it and as often as they ask") {
    // after.rs, where one of them gets a message.
    everywhere([]() -> task<> {
      const auto limit = timeout(20us);
      std::atomic<int> seen = 0;
      co_await with_scope([&](scope& all) -> task<> {
        for (int each = 0; each < 10; ++each) {
          all.go([](take_channel<std::monostate> over, std::atomic<int>* count) -> task<> {
            const channel<int> never;
            CHECK((co_await select(never.take(), over.take())).index() == 1);
            CHECK_FALSE(co_await over.take());
            CHECK_FALSE(over.poll());
            count->fetch_add(1);
          }(limit, &seen));
        }
        co_return;
      });
      CHECK(seen == 10);
    });
  }
}
