// SPDX-License-Identifier: Apache-2.0
// Goal: one side of a channel does what the channel does, and can do no more.

#include "wherry/csp/direction.hpp"

#include <string>
#include <thread>

#include "subject.hpp"
#include "wherry/csp/blocking.hpp"

namespace {

using namespace wherry;
using namespace wherry::test;

template <class Channel>
concept closable = requires(const Channel& one) { one.close(); };

static_assert(putting<channel<int>> && taking<channel<int>>);
static_assert(putting<put_channel<int>> && !taking<put_channel<int>>);
static_assert(taking<take_channel<int>> && !putting<take_channel<int>>);
static_assert(closable<put_channel<int>> && !closable<take_channel<int>>);
static_assert(!taking<int> && !putting<int>);
static_assert(std::same_as<take_value_t<channel<std::string>>, std::string>);

}  // namespace

TEST_SUITE("csp/direction") {
  TEST_CASE("the sides of a channel are the channel") {
    over_seeds(many, []() -> task<> {
      channel<int> both{fixed{1}};
      const put_channel<int> in = both;
      const take_channel<int> out = both;
      CHECK(in.offer(1));
      CHECK_FALSE(in.offer(2));
      CHECK(out.poll() == 1);
      CHECK_FALSE(out.poll());
      CHECK(co_await in.put(3));
      CHECK(co_await both.take() == 3);
      in.close();
      CHECK_FALSE(co_await in.put(4));
      CHECK_FALSE(co_await out.take());
      CHECK(in == put_channel(both));
      CHECK_FALSE(out == take_channel(channel<int>{}));
    });
  }

  TEST_CASE("a side keeps the channel and a refused value stays with the caller") {
    over_seeds(many, []() -> task<> {
      const auto in = put_channel(channel<counted>{fixed{1}});
      counted first{1};
      counted second{2};
      CHECK(co_await in.put(std::move(first)));
      in.close();
      CHECK_FALSE(co_await in.put(std::move(second)));
      CHECK_FALSE(first.holds());
      CHECK(second.id() == 2);
    });
  }

  TEST_CASE("sides meet in selects") {
    everywhere([]() -> task<> {
      channel<counted> line;
      channel<int> never;
      co_await with_scope([&](scope& all) -> task<> {
        all.go([](put_channel<counted> to, take_channel<int> other) -> task<> {
          const auto won = co_await select(to.put(counted{1}), other.take());
          CHECK(won.index() == 0);
        }(line, never));
        const auto won =
            co_await select(take_channel(line).take(), put_channel(channel<int>{}).put(1));
        CHECK((won.index() == 0 && std::get<0>(won)->id() == 1));
      });
    });
  }

  TEST_CASE("plain threads use sides and selects") {
    channel<int> line;
    channel<int> never;
    std::thread putter([to = put_channel(line), stop = take_channel(never)] {
      for (int value = 0; value < 1'000; ++value) {
        const auto won = blocking_select(stop.take(), to.put(value));
        CHECK((won.index() == 1 && std::get<1>(won)));
      }
      CHECK(blocking_put(to, 1'000));
      to.close();
    });
    for (int value = 0; value <= 1'000; ++value) {
      CHECK(blocking_take(take_channel(line)) == value);
    }
    const auto ended = blocking_select(line.take(), never.take());
    CHECK((ended.index() == 0 && !std::get<0>(ended)));
    putter.join();
  }

  TEST_CASE("of two blocking selects exactly one has the value") {
    for (int round = 0; round < 100; ++round) {
      channel<counted> left;
      channel<counted> right;
      std::atomic<int> had = 0;
      const auto take_either = [&] {
        auto won = blocking_select(left.take(), right.take());
        const auto& value = won.index() == 0 ? std::get<0>(won) : std::get<1>(won);
        if (value) had += value->id();
      };
      std::thread one(take_either);
      std::thread two(take_either);
      CHECK(blocking_put(left, counted{1}));
      CHECK(blocking_put(right, counted{2}));
      one.join();
      two.join();
      CHECK(had == 3);
    }
  }
}
