// SPDX-License-Identifier: Apache-2.0
// Goal: channels and selects behave as the programs of Go's test/chan, test/closedchan.go, test/ken
// and test/typeparam/chans.go say, where no other test of ours says it already.
// Method: each program's scene in our words; docs/conformance.md is the map.

#include <array>
#include <string>
#include <variant>
#include <vector>

#include "../subject.hpp"
#include "size.hpp"
#include "wherry/csp/blocking.hpp"
#include "wherry/csp/merge.hpp"
#include "wherry/csp/select.hpp"

namespace {

using namespace wherry;
using namespace wherry::test;

// perm.go: what a side can do, asked of the compiler.
template <class Channel>
concept can_put = requires(const Channel& to) { to.put(1), to.offer(1); };
template <class Channel>
concept can_take = requires(const Channel& from) { from.take(), from.poll(); };
template <class Channel>
concept can_close = requires(const Channel& any) { any.close(); };
template <class... Cases>
concept can_select = requires(Cases... cases) { select(std::move(cases)...); };

// doubleselect.go
task<> put_by_select(std::array<channel<int>, 4> to, int count) {
  for (int value = 0; value < count; ++value) {
    const auto won =
        co_await select(to[0].put(value), to[1].put(value), to[2].put(value), to[3].put(value));
    CHECK(won.index() < 4);
  }
  for (const auto& each : to) each.close();
}

// sieve1.go
task<> count_up(channel<int> to) {
  for (int number = 2;; ++number) co_await to.put(number);
}
task<> strain(channel<int> from, channel<int> to, int prime) {
  for (;;) {
    const auto number = co_await from.take();
    if (*number % prime != 0) co_await to.put(*number);
  }
}

// ken/chan1.go: two channels; each number is put once, alone or by a select, and counted once.
struct numbers {
  static constexpr int count = 1'000;
  std::array<channel<int>, 2> lines;
  std::atomic<int> next = 0;
  std::array<std::atomic<int>, count> seen{};
};
task<> put_numbers(numbers* all, bool by_select) {
  for (;;) {
    const int mine = all->next.fetch_add(1);
    if (mine >= numbers::count) co_return;
    if (by_select) {
      co_await select(all->lines[0].put(mine), all->lines[1].put(mine));
    } else {
      co_await all->lines[static_cast<std::size_t>(mine % 2)].put(mine);
    }
  }
}
task<> count_numbers(numbers* all) {
  for (;;) {
    const auto won = co_await select(all->lines[0].take(), all->lines[1].take());
    const auto& had = won.index() == 0 ? std::get<0>(won) : std::get<1>(won);
    if (!had) co_return;
    all->seen[static_cast<std::size_t>(*had)].fetch_add(1);
  }
}

/// What a channel does that no one is at: nothing, in any way that does not wait.
template <class T>
task<> nothing_happens(channel<T> empty) {
  CHECK_FALSE(empty.poll());
  CHECK((co_await select(or_default, empty.take())).index() == 1);
}
template <class T>
task<> take_one(channel<T> from, T value) {
  CHECK(co_await from.take() == value);
}
template <class T>
task<> put_one(channel<T> to, T value) {
  CHECK(co_await to.put(value));
}

template <class T>
task<> never_blocks(std::size_t size, T value) {
  const channel<T> line = size == 0 ? channel<T>{} : channel<T>{fixed{size}};
  co_await nothing_happens(line);
  for (std::size_t each = 0; each < size; ++each) {
    if (each % 2 == 0)
      CHECK(line.offer(value));
    else
      CHECK((co_await select(or_default, line.put(value))).index() == 0);
  }
  CHECK_FALSE(line.offer(value));
  CHECK((co_await select(or_default, line.put(value))).index() == 1);
  for (std::size_t each = 0; each < size; ++each) CHECK(line.poll() == value);
  co_await nothing_happens(line);
  co_await with_scope([&](scope& all) -> task<> {
    for (const bool by_select : {false, true}) {
      all.go(take_one(line, value));
      co_await settle();
      if (by_select)
        CHECK((co_await select(or_default, line.put(value))).index() == 0);
      else
        CHECK(line.offer(value));
      co_await settle();
      all.go(put_one(line, value));
      co_await settle();
      if (by_select) {
        const auto won = co_await select(or_default, line.take());
        REQUIRE(won.index() == 0);
        CHECK(std::get<0>(won) == value);
      } else {
        CHECK(line.poll() == value);
      }
    }
  });
  co_await nothing_happens(line);
}

}  // namespace

TEST_SUITE("csp/conformance/go_chan") {
  TEST_CASE("a select that puts one value into four channels puts it into one") {
    const auto scene = []() -> task<> {
      constexpr int count = scaled(10'000);
      const std::array<channel<int>, 4> lines{};
      std::vector<int> times(count);
      co_await with_scope([&](scope& all) -> task<> {
        all.go(put_by_select(lines, count));
        const auto had = merge({}, lines[0], lines[1], lines[2], lines[3]);
        while (const auto value = co_await had.take()) ++times[static_cast<std::size_t>(*value)];
      });
      CHECK(times == std::vector<int>(count, 1));
    };
    over_seeds(2, scene);
    on_threads(1, scene);
  }

  TEST_CASE("a value goes through ten thousand processes in a row and all are gone afterwards") {
    const auto scene = []() -> task<> {
      constexpr int stages = scaled(10'000);
      const channel<int> last;
      channel<int> right = last;
      co_await with_scope([&](scope& all) -> task<> {
        for (int stage = 0; stage < stages; ++stage) {
          const channel<int> left;
          all.go([](channel<int> from, channel<int> to) -> task<> {
            const auto value = co_await from.take();
            CHECK(co_await to.put(*value + 1));
          }(left, right));
          right = left;
        }
        CHECK(co_await right.put(1));
        CHECK(co_await last.take() == stages + 1);
      });
    };
    over_seeds(2, scene);
    on_threads(1, scene);
  }

  TEST_CASE("what does not wait tells truly whether it took place whatever the type and the size") {
    over_seeds(20, []() -> task<> {
      for (const std::size_t size : {0U, 1U, 10U}) {
        CAPTURE(size);
        co_await never_blocks<std::monostate>(size, {});
        co_await never_blocks<int>(size, 7);
        co_await never_blocks<std::string>(size, "a text that does not fit into the string itself");
      }
    });
  }

  TEST_CASE("one side of a channel cannot do what the other side does and a select has a case") {
    CHECK(can_put<channel<int>>);
    CHECK(can_take<channel<int>>);
    CHECK(can_put<put_channel<int>>);
    CHECK(can_close<put_channel<int>>);
    CHECK(can_take<take_channel<int>>);
    CHECK_FALSE(can_take<put_channel<int>>);
    CHECK_FALSE(can_put<take_channel<int>>);
    CHECK_FALSE(can_close<take_channel<int>>);
    CHECK_FALSE(std::constructible_from<channel<int>, put_channel<int>>);
    CHECK_FALSE(std::constructible_from<channel<int>, take_channel<int>>);
    CHECK_FALSE(std::constructible_from<put_channel<int>, take_channel<int>>);
    CHECK_FALSE(std::constructible_from<take_channel<int>, put_channel<int>>);
    CHECK(can_select<decltype(channel<int>{}.take())>);
    CHECK_FALSE(can_select<>);
  }

  TEST_CASE("the value of each put of a select is made once whichever case wins") {
    over_seeds(many, []() -> task<> {
      int made = 0;
      const auto make = [&] { return ++made; };
      const channel<int> one{fixed{1}};
      const channel<int> never;
      for (int round = 0; round < 5; ++round) {
        const auto won = co_await select(one.put(make()), never.put(make()));
        CHECK(won.index() == 0);
        CHECK(one.poll());
      }
      CHECK(made == 10);
    });
  }

  TEST_CASE("a channel that nobody else uses is never ready") {
    over_seeds(20, []() -> task<> {
      const channel<int> alone;
      const channel<int> also;
      const auto begin = scheduler::current().now();
      const auto won = co_await select(alone.take(), also.put(1), timeout(24h).take());
      CHECK(won.index() == 2);
      CHECK(scheduler::current().now() - begin == 24h);
      CHECK((co_await select(or_default, alone.take(), also.put(1))).index() == 2);
    });
  }

  TEST_CASE("a select that lost leaves the others that wait in their order wherever it stood") {
    over_seeds(20, []() -> task<> {
      for (std::size_t place = 0; place < 3; ++place) {
        CAPTURE(place);
        const channel<int> crowded;
        const channel<int> other;
        std::vector<int> taken;
        std::vector<int> put;
        co_await with_scope([&](scope& all) -> task<> {
          for (std::size_t each = 0; each < 3; ++each) {
            if (each == place) {
              all.go([](channel<int> a, channel<int> b) -> task<> {
                CHECK((co_await select(a.take(), b.take())).index() == 1);
              }(crowded, other));
            } else {
              all.go([](channel<int> from, std::vector<int>* had) -> task<> {
                const auto value = co_await from.take();
                had->push_back(*value);
              }(crowded, &taken));
            }
            co_await settle();
          }
          CHECK(other.offer(9));
          CHECK(crowded.offer(1));
          CHECK(crowded.offer(2));
          CHECK_FALSE(crowded.offer(3));
          for (std::size_t each = 0; each < 3; ++each) {
            if (each == place) {
              all.go([](channel<int> a, channel<int> b) -> task<> {
                CHECK((co_await select(a.put(0), b.put(9))).index() == 1);
              }(crowded, other));
            } else {
              all.go(put_one(crowded, static_cast<int>(each) + 1));
              put.push_back(static_cast<int>(each) + 1);
            }
            co_await settle();
          }
          CHECK(other.poll() == 9);
          CHECK(crowded.poll() == put[0]);
          CHECK(crowded.poll() == put[1]);
          CHECK_FALSE(crowded.poll());
        });
        CHECK(taken.size() == 2);
        CHECK(taken[0] + taken[1] == 3);
      }
    });
  }

  TEST_CASE("an operation whose answer nobody looks at takes place all the same") {
    over_seeds(many, []() -> task<> {
      const channel<int> two{fixed{2}};
      co_await two.put(1);
      co_await select(two.put(2));
      CHECK_FALSE(two.offer(3));
      co_await two.take();
      co_await select(or_default, two.take());
      CHECK_FALSE(two.poll());
    });
  }

  TEST_CASE("a row of filters that grows as it runs gives the prime numbers") {
    const auto scene = [](any_buffer buffer) -> task<> {
      std::vector<int> primes;
      co_await with_scope([&](scope& all) -> task<> {
        channel<int> rest{buffer};
        all.go(count_up(rest));
        while (primes.size() < 100) {
          const auto prime = co_await rest.take();
          primes.push_back(*prime);
          const channel<int> strained{buffer};
          all.go(strain(rest, strained, *prime));
          rest = strained;
        }
        all.cancel();
      });
      CHECK(primes[1] == 3);
      CHECK(primes[24] == 97);
      CHECK(primes[99] == 541);
    };
    for (const any_buffer buffer : {any_buffer{}, any_buffer(fixed{1}), any_buffer(fixed{16})}) {
      over_seeds(2, [&] { return scene(buffer); });
      on_threads(1, [&] { return scene(buffer); });
    }
  }

  TEST_CASE("values without a size are counted like others") {
    struct nothing {};
    over_seeds(many, []() -> task<> {
      const channel<nothing> three{fixed{3}};
      for (int each = 0; each < 3; ++each) CHECK(three.offer(nothing{}));
      CHECK_FALSE(three.offer(nothing{}));
      three.close();
      int had = 0;
      while (co_await three.take()) ++had;
      CHECK(had == 3);
    });
  }

  TEST_CASE("a closed channel answers at once in every way in which it can be asked") {
    over_seeds(20, []() -> task<> {
      const channel<int> quiet;
      for (const channel<int>& line : {channel<int>{}, channel<int>{fixed{2}}}) {
        const bool buffered = line.offer(5);
        line.close();
        line.close();  // as often as one likes
        CHECK_FALSE(co_await line.put(1));
        CHECK_FALSE(line.offer(1));
        CHECK_FALSE(blocking_put(line, 1));
        CHECK_FALSE(std::get<0>(co_await select(line.put(1), quiet.take())));
        CHECK_FALSE(std::get<0>(co_await select(priority, line.put(1), quiet.take())));
        const auto refused = co_await select(or_default, line.put(1));
        REQUIRE(refused.index() == 0);
        CHECK_FALSE(std::get<0>(refused));
        if (buffered) CHECK(co_await line.take() == 5);
        for (int round = 0; round < 2; ++round) {
          CHECK_FALSE(co_await line.take());
          CHECK_FALSE(line.poll());
          CHECK_FALSE(blocking_take(line));
          CHECK_FALSE(std::get<0>(co_await select(line.take(), quiet.take())));
          CHECK_FALSE(std::get<0>(co_await select(priority, line.take(), quiet.take())));
          const auto end = co_await select(or_default, line.take());
          REQUIRE(end.index() == 0);
          CHECK_FALSE(std::get<0>(end));
        }
      }
    });
  }

  TEST_CASE("many that put and take alone and by selects see each of a thousand numbers once") {
    const auto scene = []() -> task<> {
      numbers all;
      co_await with_scope([&](scope& takers) -> task<> {
        for (int each = 0; each < 4; ++each) takers.go(count_numbers(&all));
        co_await with_scope([&](scope& putters) -> task<> {
          for (int each = 0; each < 4; ++each) putters.go(put_numbers(&all, each % 2 == 0));
          co_return;
        });
        for (const auto& line : all.lines) line.close();
      });
      for (const auto& times : all.seen) CHECK(times == 1);
    };
    over_seeds(10, scene);
    on_threads(5, scene);
  }

  TEST_CASE("a channel of one value is a lock") {
    everywhere([]() -> task<> {
      const channel<std::monostate> lock{fixed{1}};
      int total = 0;  // guarded by the lock alone
      co_await with_scope([&](scope& all) -> task<> {
        for (int each = 0; each < 10; ++each) {
          all.go([](channel<std::monostate> held, int* sum) -> task<> {
            for (int round = 0; round < 20; ++round) {
              co_await held.put({});
              ++*sum;
              CHECK_FALSE(held.offer({}));
              co_await held.take();
            }
          }(lock, &total));
        }
        co_return;
      });
      CHECK(total == 200);
    });
  }
}
