// SPDX-License-Identifier: Apache-2.0
// Goal: pipe, merge, split, map, reduce and the sequences carry every value, close what they should
// and nothing else, and end with the scope that owns them. After core.async's ops-tests.

#include "wherry/csp/combine.hpp"

#include <algorithm>
#include <numeric>
#include <ranges>
#include <set>
#include <stdexcept>
#include <string>

#include "subject.hpp"
#include "wherry/csp/map.hpp"
#include "wherry/csp/merge.hpp"
#include "wherry/csp/pipe.hpp"
#include "wherry/csp/reduce.hpp"
#include "wherry/csp/sequence.hpp"
#include "wherry/csp/split.hpp"
#include "wherry/csp/transform.hpp"

namespace {

using namespace wherry;
using namespace wherry::test;
using ints = std::vector<int>;

ints range(int first, int count) {
  ints all(static_cast<std::size_t>(count));
  std::iota(all.begin(), all.end(), first);
  return all;
}
constexpr auto add = [](auto a, auto b) { return a + b; };
bool is_even(int value) { return value % 2 == 0; }

}  // namespace

TEST_SUITE("csp/combine") {
  TEST_CASE("a cancelled scope unwinds what a combinator started in it and its output is closed") {
    everywhere([]() -> task<> {
      channel<counted> from;
      channel<counted> to{fixed{1}};
      co_await with_scope([&](scope& all) -> task<> {
        pipe(from, to, {.in = &all});
        CHECK(co_await from.put(counted{1}));
        CHECK(co_await from.put(counted{2}));  // in hand: `to` is full
        all.cancel();
      });
      CHECK_FALSE(to.offer(counted{3}));
      CHECK(to.poll()->id() == 1);  // what was inside still comes out
      CHECK_FALSE(from.offer(counted{4}));
    });
  }

  TEST_CASE("a function that throws fails the scope that was named") {
    everywhere([]() -> task<> {
      std::string text;
      std::optional<take_channel<int>> out;
      try {
        co_await with_scope([&](scope& all) -> task<> {
          out = map(
              output_options{.in = &all},
              [](int value) -> int { throw std::runtime_error(std::to_string(value)); },
              to_channel(ints{5}, {.in = &all}));
          co_return;
        });
      } catch (const std::runtime_error& error) {
        text = error.what();
      }
      CHECK(text == "5");
      CHECK_FALSE(co_await out->take());
    });
  }

  TEST_CASE("a function that throws in no named scope ends the run which rethrows") {
    const auto scene = []() -> task<> {
      const auto total =
          reduce([](int, int) -> int { throw std::runtime_error("no"); }, 0, to_channel(ints{1}));
      CHECK_FALSE(co_await total.take());
      co_await channel<int>{}.take();
      FAIL_CHECK("went on");
    };
    virtual_scheduler one;
    CHECK_THROWS_WITH(one.run(scene()), "no");
    thread_scheduler several{{.threads = 2}};
    CHECK_THROWS_WITH(several.run(scene()), "no");
    several.run(pause(1us));  // and can run again
  }
}

TEST_SUITE("csp/pipe") {
  TEST_CASE("a pipe carries all values in order and then closes its end") {
    everywhere([]() -> task<> {
      channel<long> to;
      pipe(to_channel(range(0, 50)), to);
      CHECK(std::ranges::equal(co_await drain<long>(to), range(0, 50)));
    });
  }

  TEST_CASE("a pipe leaves its end open if told so") {
    over_seeds(many, []() -> task<> {
      channel<int> to;
      pipe(to_channel(ints{1}), to, {.closes = false});
      CHECK(co_await to.take() == 1);
      pipe(to_channel(ints{2}), to);
      CHECK(co_await to.take() == 2);
      CHECK_FALSE(co_await to.take());
    });
  }

  TEST_CASE("a pipe whose end is closed stops at the first value that is refused") {
    over_seeds(many, []() -> task<> {
      channel<int> from;
      channel<int> to;
      pipe(from, to);
      to.close();
      CHECK(co_await from.put(1));
      co_await settle();
      CHECK_FALSE(from.offer(2));
    });
  }

  TEST_CASE("a pipe joins channels with transforms") {
    over_seeds(many, []() -> task<> {
      const auto parts = transformed<int>(fixed{1}, transforms::partition(2));
      channel<ints> to;
      pipe(to_channel(range(0, 5)), parts);
      pipe(parts, to);
      CHECK(co_await drain<ints>(to) == std::vector<ints>{{0, 1}, {2, 3}, {4}});
    });
  }
}

TEST_SUITE("csp/merge") {
  TEST_CASE("a merge gives all values of all and closes after the last") {
    everywhere([]() -> task<> {
      const auto all =
          merge(to_channel(range(0, 10)), to_channel(range(10, 10)), to_channel(range(20, 10)));
      auto had = co_await drain(all);
      std::ranges::sort(had);
      CHECK(had == range(0, 30));
    });
  }

  TEST_CASE("a merge keeps the order of each channel") {
    over_seeds(many, []() -> task<> {
      const auto all =
          merge({.buffer = fixed{3}}, to_channel(range(0, 10)), to_channel(range(10, 10)));
      ints low;
      ints high;
      for (const int value : co_await drain(all)) (value < 10 ? low : high).push_back(value);
      CHECK(low == range(0, 10));
      CHECK(high == range(10, 10));
    });
  }

  TEST_CASE("a merge of no channels is closed") {
    over_seeds(1,
               []() -> task<> { CHECK_FALSE(co_await merge(std::vector<channel<int>>{}).take()); });
  }

  TEST_CASE("two thousand channels merge") {
    over_seeds(2, []() -> task<> {
      std::vector<take_channel<int>> inputs;
      for (int value = 0; value < 2'048; ++value) inputs.push_back(to_channel(ints{value}));
      const auto all = merge(inputs);
      co_await settle();  // all wait to put
      auto had = co_await drain(all);
      std::ranges::sort(had);
      CHECK(had == range(0, 2'048));
    });
  }
}

TEST_SUITE("csp/split") {
  TEST_CASE("a split gives each value to the side of its predicate and closes both") {
    everywhere([]() -> task<> {
      const auto [even, odd] = split(is_even, to_channel(range(0, 10)), {.buffer = fixed{5}});
      CHECK(co_await drain(even) == ints{0, 2, 4, 6, 8});
      CHECK(co_await drain(odd) == ints{1, 3, 5, 7, 9});
    });
  }

  TEST_CASE("without a buffer a side that nobody takes from stops the other") {
    over_seeds(many, []() -> task<> {
      const auto sides = split(is_even, to_channel(ints{0, 1, 2}));
      CHECK(co_await sides.holds.take() == 0);
      co_await settle();
      CHECK_FALSE(sides.holds.poll());
      CHECK(co_await sides.rest.take() == 1);
      CHECK(co_await sides.holds.take() == 2);
    });
  }
}

TEST_SUITE("csp/map") {
  TEST_CASE("a map gives the function of one value of each and ends with the shortest") {
    everywhere([]() -> task<> {
      const auto sums = map(add, to_channel(range(0, 4)), to_channel(std::vector<long>{4, 5, 6}));
      CHECK(co_await drain(sums) == std::vector<long>{4, 6, 8});
    });
  }

  TEST_CASE("a map waits for all of its channels at once in whatever order they come") {
    over_seeds(many, []() -> task<> {
      channel<int> left;
      channel<int> right;
      const auto sums = map(add, left, right);
      CHECK(co_await right.put(1));
      CHECK(co_await left.put(2));
      CHECK(co_await sums.take() == 3);
    });
  }

  TEST_CASE("a map that ended takes nothing more from any channel") {
    over_seeds(many, []() -> task<> {
      channel<int> left;
      channel<counted> right;
      const auto pairs = map([](int, counted value) { return value; }, left, right);
      co_await settle();  // both takes wait
      left.close();
      CHECK_FALSE(co_await pairs.take());
      co_await settle();
      CHECK_FALSE(right.offer(counted{1}));
    });
  }

  TEST_CASE("a map of one closed channel is closed") {
    over_seeds(many, []() -> task<> {
      CHECK_FALSE(co_await map([](int value) { return value; }, to_channel(ints{})).take());
    });
  }
}

TEST_SUITE("csp/reduce") {
  TEST_CASE("reduce gives the total once and then closes") {
    everywhere([]() -> task<> {
      const auto total = reduce(add, 100L, to_channel(range(0, 10)));
      CHECK(co_await total.take() == 145);
      CHECK_FALSE(co_await total.take());
      CHECK(co_await reduce(add, 7, to_channel(ints{})).take() == 7);
    });
  }

  TEST_CASE("reduce stops taking when the function has enough") {
    over_seeds(many, []() -> task<> {
      const auto numbers = to_channel(range(0, 10));
      const auto until_5 = [](int total, int value) {
        return reduced<int>{total + value, total + value > 5};
      };
      CHECK(co_await reduce(until_5, 0, numbers).take() == 6);
      CHECK(co_await numbers.take() == 4);
    });
  }

  TEST_CASE("transduce reduces what a transform makes and its flush") {
    over_seeds(many, []() -> task<> {
      const auto sizes = [](std::string all, const ints& part) {
        return all + std::to_string(part.size());
      };
      CHECK(co_await transduce(transforms::partition(2), sizes, std::string(),
                               to_channel(range(0, 5)))
                .take() == "221");
      CHECK(co_await transduce(transforms::take_n(2), add, 0, to_channel(range(1, 5))).take() == 3);
    });
  }

  TEST_CASE("into collects in a container") {
    over_seeds(many, []() -> task<> {
      CHECK(co_await into(ints{9}, to_channel(ints{1, 2})).take() == ints{9, 1, 2});
      CHECK(co_await into(std::set<int>{}, to_channel(ints{2, 1, 2})).take() == std::set{1, 2});
    });
  }

  TEST_CASE("a cancelled reduce closes its channel without a value") {
    over_seeds(many, []() -> task<> {
      std::optional<take_channel<int>> total;
      co_await with_scope([&](scope& all) -> task<> {
        total = reduce(add, 0, channel<int>{}, {.in = &all});
        co_await settle();
        all.cancel();
      });
      CHECK_FALSE(co_await total->take());
    });
  }
}

TEST_SUITE("csp/sequence") {
  TEST_CASE("onto puts a range and closes and tells when it is done") {
    everywhere([]() -> task<> {
      channel<int> to;
      const auto done = onto(to, range(0, 5));
      CHECK_FALSE(done.poll());
      CHECK(co_await drain<int>(to) == range(0, 5));
      CHECK_FALSE(co_await done.take());
      channel<int> open{fixed{2}};
      co_await onto(open, ints{1}, {.closes = false}).take();
      CHECK(open.offer(2));
    });
  }

  TEST_CASE("onto ends when its channel is closed meanwhile") {
    over_seeds(many, []() -> task<> {
      channel<int> to{fixed{1}};
      const auto done = onto(to, std::views::iota(0));
      co_await to.take();
      to.close();
      co_await to.take();
      co_await to.take();
      CHECK_FALSE(co_await done.take());
    });
  }

  TEST_CASE("a range is moved in and its values are moved on but a view's stay") {
    over_seeds(1, []() -> task<> {
      std::vector<counted> owned;
      for (int id = 0; id < 3; ++id) owned.emplace_back(id);
      const auto out = to_channel(std::move(owned));
      for (int id = 0; id < 3; ++id) CHECK((co_await out.take())->id() == id);
      std::vector<std::string> kept{"a", "b"};
      CHECK((co_await drain(to_channel(std::views::all(kept)))).size() == 2);
      CHECK(kept == std::vector<std::string>{"a", "b"});
    });
  }

  TEST_CASE("to_channel runs ahead by its buffer") {
    over_seeds(1, []() -> task<> {
      const auto all = to_channel(range(0, 150));
      co_await settle();
      for (int value = 0; value < 100; ++value) CHECK(all.poll() == value);
      CHECK(co_await drain(all) == range(100, 50));
      CHECK_FALSE(co_await to_channel(ints{}).take());
    });
  }

  TEST_CASE("take_n gives the first values and takes no more than those") {
    everywhere([]() -> task<> {
      const auto numbers = to_channel(range(0, 5));
      CHECK(co_await drain(take_n(2, numbers)) == ints{0, 1});
      CHECK(co_await drain(take_n(0, numbers)) == ints{});
      CHECK(co_await drain(numbers) == ints{2, 3, 4});
    });
  }

  TEST_CASE("take_n ends early with its source") {
    over_seeds(many, []() -> task<> {
      CHECK(co_await drain(take_n(9, to_channel(ints{1, 2}))) == ints{1, 2});
    });
  }
}
