// SPDX-License-Identifier: Apache-2.0
// Goal: selects on several threads neither deadlock nor lose nor double a value. Scenes after the
// behaviour of Go's TestSelectStress, TestNonblockSelectRace and chan/doubleselect.go.
// Method: many processes on few threads, each value counted; worth most under ThreadSanitizer.

#include <array>
#include <vector>

#include "subject.hpp"
#include "wherry/csp/select.hpp"

namespace {

using namespace wherry;
using namespace wherry::test;

using four = std::array<channel<int>, 4>;
constexpr int rounds = 2'000;

task<> put_alone(channel<int> to) {
  for (int round = 0; round < rounds; ++round) CHECK(co_await to.put(round));
}
task<> take_alone(channel<int> from) {
  for (int round = 0; round < rounds; ++round) CHECK(co_await from.take());
}

/// Puts `rounds` times to each channel, through selects; a channel that is done drops out.
task<> put_selecting(four to) {
  std::array<int, 4> done{};
  const channel<int> never;
  for (int round = 0; round < 4 * rounds; ++round) {
    const auto at = [&](std::size_t which) { return done[which] < rounds ? to[which] : never; };
    const four open{at(0), at(1), at(2), at(3)};
    const auto won = co_await select(open[0].put(round), open[1].put(round), open[2].put(round),
                                     open[3].put(round));
    ++done[won.index()];
  }
  CHECK(done == std::array<int, 4>{rounds, rounds, rounds, rounds});
}

task<> take_selecting(four from) {
  std::array<int, 4> done{};
  const channel<int> never;
  for (int round = 0; round < 4 * rounds; ++round) {
    const auto at = [&](std::size_t which) { return done[which] < rounds ? from[which] : never; };
    const four open{at(0), at(1), at(2), at(3)};
    const auto won =
        co_await select(open[0].take(), open[1].take(), open[2].take(), open[3].take());
    ++done[won.index()];
  }
  CHECK(done == std::array<int, 4>{rounds, rounds, rounds, rounds});
}

task<> stress(four channels) {
  co_await with_scope([&](scope& all) -> task<> {
    for (const auto& each : channels) {
      all.go(put_alone(each));
      all.go(take_alone(each));
    }
    all.go(put_selecting(channels));
    all.go(take_selecting(channels));
    co_return;
  });
}

using ends = std::array<channel<counted>, 2>;

task<> put_counted(ends to, int first, int count) {
  for (int id = first; id < first + count; ++id) {
    counted value{id};
    const auto won = co_await select(to[0].put(std::move(value)), to[1].put(std::move(value)));
    CHECK(won.index() < 2);
    CHECK_FALSE(value.holds());
  }
}

/// Takes through selects with a deadline that often comes at the same time.
task<> take_counted(ends from, std::vector<std::atomic<int>>* seen, std::atomic<int>* left) {
  while (left->load() > 0) {
    auto won = co_await select(from[0].take(), from[1].take(), timeout(20us).take());
    if (won.index() == 2) continue;
    const auto value = won.index() == 0 ? std::get<0>(std::move(won)) : std::get<1>(std::move(won));
    REQUIRE(value);
    (*seen)[static_cast<std::size_t>(value->id())].fetch_add(1);
    left->fetch_sub(1);
  }
}

task<> each_once() {
  constexpr int putters = 4;
  constexpr int each = 300;
  const ends both{};
  std::vector<std::atomic<int>> seen(putters * each);
  std::atomic<int> left = putters * each;
  co_await with_scope([&](scope& all) -> task<> {
    for (int which = 0; which < putters; ++which) all.go(put_counted(both, which * each, each));
    for (int which = 0; which < 3; ++which) all.go(take_counted(both, &seen, &left));
    co_return;
  });
  for (const auto& times : seen) CHECK(times == 1);
}

}  // namespace

TEST_SUITE("csp/select") {
  TEST_CASE("selects and single operations over four channels never deadlock") {
    over_seeds(3, [] { return stress({}); });
    on_threads(2, [] { return stress({}); });
    on_threads(2, [] {
      return stress(
          {channel<int>{fixed{1}}, channel<int>{}, channel<int>{fixed{8}}, channel<int>{}});
    });
  }

  TEST_CASE("through selects with deadlines each value arrives exactly once") {
    over_seeds(20, each_once);
    on_threads(4, each_once);
  }

  TEST_CASE("one of two puts is always seen by a select with or_default") {
    // Go's TestNonblockSelectRace: a and b are filled in turn, then a is emptied; a select that
    // looks at both must find one of them.
    const auto scene = []() -> task<> {
      channel<int> a{fixed{1}};
      channel<int> b{fixed{1}};
      channel<int> done{fixed{1}};
      for (int round = 0; round < 500; ++round) {
        co_await with_scope([&](scope& all) -> task<> {
          CHECK(a.offer(1));
          all.go([](channel<int> first, channel<int> second, channel<int> over) -> task<> {
            const auto won = co_await select(or_default, first.take(), second.take());
            CHECK(won.index() != 2);
            over.offer(1);
          }(a, b, done));
          CHECK(b.offer(1));
          a.poll();
          co_return;
        });
        CHECK(done.poll());
        b.poll();
        a.poll();
      }
    };
    over_seeds(5, scene);
    on_threads(2, scene);
  }

  TEST_CASE("selects race with close and every one of them ends") {
    const auto scene = []() -> task<> {
      channel<int> a;
      channel<int> b;
      std::atomic<int> ended = 0;
      co_await with_scope([&](scope& all) -> task<> {
        for (int each = 0; each < 8; ++each) {
          all.go([](channel<int> first, channel<int> second, std::atomic<int>* count) -> task<> {
            for (;;) {
              const auto won = co_await select(first.take(), second.take());
              if (!(won.index() == 0 ? std::get<0>(won) : std::get<1>(won))) break;
            }
            count->fetch_add(1);
          }(a, b, &ended));
        }
        all.go([](channel<int> first, channel<int> second) -> task<> {
          for (int round = 0; round < 50; ++round) co_await select(first.put(1), second.put(2));
          first.close();
          second.close();
        }(a, b));
        co_return;
      });
      CHECK(ended == 8);
    };
    over_seeds(many, scene);
    on_threads(100, scene);
  }

  TEST_CASE("selects race with cancellation and no value is lost") {
    const auto scene = []() -> task<> {
      const ends both{};
      std::atomic<int> put = 0;
      std::atomic<int> taken = 0;
      co_await with_scope([&](scope& all) -> task<> {
        for (int each = 0; each < 4; ++each) {
          all.go([](ends to, std::atomic<int>* count) -> task<> {
            for (;;) {
              co_await select(to[0].put(counted{1}), to[1].put(counted{2}));
              count->fetch_add(1);
            }
          }(both, &put));
          all.go([](ends from, std::atomic<int>* count) -> task<> {
            for (;;) {
              co_await select(from[0].take(), from[1].take());
              count->fetch_add(1);
            }
          }(both, &taken));
        }
        co_await pause(50us);
        all.cancel();
      });
      CHECK(put == taken);
    };
    on_threads(50, scene);
  }
}
