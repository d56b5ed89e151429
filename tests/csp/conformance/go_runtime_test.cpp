// SPDX-License-Identifier: Apache-2.0
// Goal: channels and selects behave as Go's src/runtime/chan_test.go says, where no other test of
// ours says it already. Method: each test's scene in our words, on seeds and on threads.

#include <array>
#include <cmath>
#include <vector>

#include "../subject.hpp"
#include "size.hpp"
#include "wherry/csp/select.hpp"

namespace {

using namespace wherry;
using namespace wherry::test;

channel<int> make(std::size_t size) {
  return size == 0 ? channel<int>{} : channel<int>{fixed{size}};
}

task<> put_and_note(channel<int> to, int value, bool* done) {
  CHECK(co_await to.put(value));
  *done = true;
}
task<> take_and_note(channel<int> from, int value, bool* done) {
  CHECK(co_await from.take() == value);
  *done = true;
}

/// TestChan, first part: what is empty makes takes wait, what is full puts.
task<> waits_at_its_bounds(std::size_t size) {
  const auto line = make(size);
  bool taken = false;
  bool put = false;
  co_await with_scope([&](scope& all) -> task<> {
    all.go(take_and_note(line, 1, &taken));
    co_await settle();
    CHECK_FALSE(taken);
    CHECK_FALSE(line.poll());
    CHECK(co_await line.put(1));
    co_await settle();
    CHECK(taken);
    for (std::size_t each = 0; each < size; ++each) CHECK(line.offer(static_cast<int>(each)));
    CHECK_FALSE(line.offer(0));
    all.go(put_and_note(line, 7, &put));
    co_await settle();
    CHECK_FALSE(put);
    for (std::size_t each = 0; each < size; ++each) {
      CHECK(co_await line.take() == static_cast<int>(each));
    }
    CHECK(co_await line.take() == 7);
  });
  CHECK(put);
  CHECK_FALSE(line.poll());
}

/// TestChan, the last part: four put the same numbers, four take; each number comes four times.
task<> four_times_each(std::size_t size) {
  constexpr int count = 100;
  const auto line = make(size);
  std::array<std::atomic<int>, count> seen{};
  co_await with_scope([&](scope& all) -> task<> {
    for (int each = 0; each < 4; ++each) {
      all.go(put_range(line, 0, count));
      all.go([](channel<int> from, std::array<std::atomic<int>, count>* times) -> task<> {
        for (int round = 0; round < count; ++round) {
          const auto value = co_await from.take();
          (*times)[static_cast<std::size_t>(*value)].fetch_add(1);
        }
      }(line, &seen));
    }
    co_return;
  });
  for (const auto& times : seen) CHECK(times == 4);
}

/// Over 10,000 draws a fair coin stays within this of one half: 4.89 sigma, once in a million runs.
constexpr double fair_deviation = 4.89 * 0.5 / 100.0;

/// TestSelfSelect: of one's own put and take of one channel none meets the other.
task<> exchange_with_other(channel<int> both, int self, bool buffered) {
  for (int round = 0; round < 1'000; ++round) {
    if (self == 0 || round % 2 == 0) {
      const auto won = co_await select(both.put(self), both.take());
      if (won.index() == 1 && !buffered) CHECK(std::get<1>(won) == 1 - self);
    } else {
      const auto won = co_await select(both.take(), both.put(self));
      if (won.index() == 0 && !buffered) CHECK(std::get<0>(won) == 1 - self);
    }
  }
}

}  // namespace

TEST_SUITE("csp/conformance/go_runtime") {
  TEST_CASE("of every size an empty channel makes takes wait and a full one puts") {
    for (std::size_t size = 0; size < 200; ++size) {
      CAPTURE(size);
      over_seeds(2, [=] { return waits_at_its_bounds(size); });
    }
  }

  TEST_CASE("of every size four that put and four that take exchange the same numbers") {
    for (std::size_t size = 0; size < 200; ++size) {
      CAPTURE(size);
      over_seeds(2, [=] { return four_times_each(size); });
    }
    for (const std::size_t size : {0U, 1U, 2U, 199U}) {
      CAPTURE(size);
      on_threads(5, [=] { return four_times_each(size); });
    }
  }

  TEST_CASE("a take that does not wait finds the value or the close and never nothing") {
    // TestNonblockRecvRace: the value is in before the taker starts, the close comes while it runs.
    const auto scene = []() -> task<> {
      for (int round = 0; round < 200; ++round) {
        const channel<int> one{fixed{1}};
        CHECK(one.offer(1));
        co_await with_scope([&](scope& all) -> task<> {
          all.go([](channel<int> from) -> task<> {
            CHECK((co_await select(or_default, from.take())).index() == 0);
          }(one));
          one.close();
          one.poll();
          co_return;
        });
      }
    };
    over_seeds(20, scene);
    on_threads(10, scene);
  }

  TEST_CASE("a channel that closes before another is emptied is seen by a select with or_default") {
    // TestNonblockSelectRace2: at each instant one of both is ready.
    const auto scene = []() -> task<> {
      for (int round = 0; round < 200; ++round) {
        const channel<int> full{fixed{1}};
        const channel<int> closing;
        CHECK(full.offer(1));
        co_await with_scope([&](scope& all) -> task<> {
          all.go([](channel<int> first, channel<int> second) -> task<> {
            CHECK((co_await select(or_default, first.take(), second.take())).index() != 2);
          }(full, closing));
          closing.close();
          full.poll();
          co_return;
        });
      }
    };
    over_seeds(20, scene);
    on_threads(10, scene);
  }

  TEST_CASE("two that select a put and a take of one channel meet each other a thousand times") {
    for (const std::size_t size : {0U, 10U}) {
      CAPTURE(size);
      const auto scene = [=]() -> task<> {
        const auto both = make(size);
        co_await with_scope([&](scope& all) -> task<> {
          all.go(exchange_with_other(both, 0, size > 0));
          all.go(exchange_with_other(both, 1, size > 0));
          co_return;
        });
      };
      over_seeds(10, scene);
      on_threads(3, scene);
    }
  }

  TEST_CASE("two ready cases are chosen equally often also among others that are not ready") {
    // TestSelectFairness.
    over_seeds(3, []() -> task<> {
      const channel<int> left{fixed{1}};
      const channel<int> right{fixed{1}};
      const channel<int> never;
      const channel<int> also_never;
      std::array<int, 4> chosen{};
      for (int round = 0; round < 10'000; ++round) {
        left.offer(1);
        right.offer(1);
        const auto won =
            co_await select(never.take(), left.take(), also_never.take(), right.take());
        ++chosen[won.index()];
      }
      CHECK(chosen[1] + chosen[3] == 10'000);
      CHECK(std::abs(chosen[1] / 10'000.0 - 0.5) < fair_deviation);
    });
  }

  TEST_CASE("of two values for one channel a select puts either about as often") {
    // TestPseudoRandomSend.
    for (const std::size_t size : {0U, 1U}) {
      CAPTURE(size);
      over_seeds(5, [=]() -> task<> {
        const auto line = make(size);
        std::array<int, 2> had{};
        co_await with_scope([&](scope& all) -> task<> {
          all.go([](channel<int> from, std::array<int, 2>* times) -> task<> {
            for (int round = 0; round < 1'000; ++round) {
              const auto value = co_await from.take();
              ++(*times)[static_cast<std::size_t>(*value)];
            }
          }(line, &had));
          for (int round = 0; round < 1'000; ++round) {
            co_await select(line.put(0), line.put(1));
          }
        });
        CHECK(had[0] + had[1] == 1'000);
        CHECK(had[0] > 100);
        CHECK(had[1] > 100);
      });
    }
  }

  TEST_CASE("23 workers share 271828 values and the sum is right") {
    // TestMultiConsumer.
    const auto scene = []() -> task<> {
      constexpr int workers = 23;
      constexpr int count = scaled(271'828);
      const channel<int> work{fixed{workers * 4}};
      const channel<int> results{fixed{workers * 4}};
      long expected = 0;
      long sum = 0;
      co_await with_scope([&](scope& all) -> task<> {
        for (int each = 0; each < workers; ++each) {
          all.go([](channel<int> from, channel<int> to) -> task<> {
            while (const auto value = co_await from.take()) co_await to.put(*value);
          }(work, results));
        }
        all.go([](channel<int> to, long* total) -> task<> {
          constexpr std::array values{2, 3, 5, 7, 11, 13, 17, 19, 23, 27, 31};
          for (int each = 0; each < count; ++each) {
            const int value = values[static_cast<std::size_t>(each) % values.size()];
            *total += value;
            co_await to.put(value);
          }
          to.close();
        }(work, &expected));
        for (int each = 0; each < count; ++each) sum += *co_await results.take();
      });
      CHECK(sum == expected);
      CHECK_FALSE(results.poll());
    };
    over_seeds(1, scene);
    on_threads(1, scene);
  }

  TEST_CASE("a select that named a channel twice and lost leaves the other taker its value") {
    // TestSelectDuplicateChannel.
    const auto scene = []() -> task<> {
      const channel<int> twice;
      const channel<int> other;
      const channel<int> third;
      std::atomic<int> had = 0;
      co_await with_scope([&](scope& all) -> task<> {
        all.go([](channel<int> a, channel<int> b) -> task<> {
          CHECK((co_await select(a.take(), a.take(), b.take())).index() == 2);
        }(twice, other));
        co_await other.put(1);
        all.go([](channel<int> from, channel<int> ready, std::atomic<int>* into) -> task<> {
          ready.close();
          const auto value = co_await from.take();
          *into = *value;
        }(twice, third, &had));
        co_await third.take();
        CHECK(co_await twice.put(7));
      });
      CHECK(had == 7);
    };
    over_seeds(many, scene);
    on_threads(50, scene);
  }
}
