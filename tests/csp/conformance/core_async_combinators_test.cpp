// SPDX-License-Identifier: Apache-2.0
// Goal: combinators behave as core.async's ops-tests, pipeline_test and lab_test say, where no
// other test of ours says it already. Method: their scenes in our words, over seeds.

#include <algorithm>
#include <string>
#include <vector>

#include "../subject.hpp"
#include "wherry/csp/map.hpp"
#include "wherry/csp/merge.hpp"
#include "wherry/csp/mix.hpp"
#include "wherry/csp/mult.hpp"
#include "wherry/csp/pipe.hpp"
#include "wherry/csp/pipeline.hpp"
#include "wherry/csp/pub.hpp"
#include "wherry/csp/reduce.hpp"
#include "wherry/csp/sequence.hpp"
#include "wherry/csp/split.hpp"

namespace {

using namespace wherry;
using namespace wherry::test;
namespace with = wherry::transforms;
using ints = std::vector<int>;

ints range(int count) {
  ints all;
  for (int value = 0; value < count; ++value) all.push_back(value);
  return all;
}

template <class... Arguments>
concept can_map = requires(Arguments... arguments) { wherry::map(arguments...); };

task<int> same(int value) { co_return value; }
task<> count_to(int limit, put_channel<int> to) {
  for (int value = 0; value < limit; ++value) CHECK(co_await to.put(value));
}

}  // namespace

TEST_SUITE("csp/conformance/core_async_combinators") {
  TEST_CASE("pipelines of all kinds and many sizes give what went in") {
    // pipeline_test's sizes; and that the results of many workers keep their order.
    struct size {
      std::size_t parallel;
      int values;
    };
    for (const auto& each : {size{1, 0}, size{1, 10}, size{10, 10}, size{20, 10}, size{5, 1'000}}) {
      CAPTURE(each.parallel);
      CAPTURE(each.values);
      const auto scene = [=]() -> task<> {
        const auto expected = range(each.values);
        const pipeline_options options{.parallel = each.parallel};
        const auto keep = with::map([](int value) { return value; });
        const channel<int> computed;
        pipeline(to_channel(expected), keep, computed, options);
        CHECK(co_await drain<int>(computed) == expected);
        const channel<int> blocked;
        pipeline_blocking(to_channel(expected), keep, blocked, options);
        CHECK(co_await drain<int>(blocked) == expected);
        const channel<int> awaited;
        pipeline_async(to_channel(expected), same, awaited, options);
        CHECK(co_await drain<int>(awaited) == expected);
      };
      over_seeds(5, scene);
      on_threads(1, scene);
    }
  }

  TEST_CASE("a pipeline of tasks that put many results each gives them all in order") {
    // async-pipelines-af-multiplier.
    over_seeds(50, []() -> task<> {
      ints expected;
      for (int limit = 1; limit <= 10; ++limit) {
        for (int value = 0; value < limit; ++value) expected.push_back(value);
      }
      for (const std::size_t parallel : {1U, 2U, 10U}) {
        const channel<int> to;
        pipeline_async(to_channel(ints{1, 2, 3, 4, 5, 6, 7, 8, 9, 10}), count_to, to,
                       {.parallel = parallel});
        CHECK(co_await drain<int>(to) == expected);
      }
    });
  }

  TEST_CASE("a map has a channel to map") {
    // ASYNC-238: there a map of none closes; here it is no program.
    const auto add = [](auto... values) { return (0 + ... + values); };
    CHECK(can_map<decltype(add), channel<int>>);
    CHECK(can_map<decltype(add), channel<int>, take_channel<int>>);
    CHECK_FALSE(can_map<decltype(add)>);
  }

  TEST_CASE("four channels map and merge and a mult and a mix of them give each value") {
    everywhere([]() -> task<> {
      const auto four = [] { return to_channel(range(4)); };
      const auto sums = map([](int a, int b, int c, int d) { return a + b + c + d; }, four(),
                            four(), four(), four());
      CHECK(co_await drain<int>(sums) == ints{0, 4, 8, 12});
      auto all = co_await drain<int>(merge(four(), four(), four(), four()));
      std::ranges::sort(all);
      CHECK(all == ints{0, 0, 0, 0, 1, 1, 1, 1, 2, 2, 2, 2, 3, 3, 3, 3});
      const channel<int> source;
      const channel<int> a{fixed{4}};
      const channel<int> b{fixed{4}};
      const mult both{source};
      both.tap(a);
      both.tap(b);
      pipe(four(), source);
      CHECK(*co_await into(ints{}, a).take() == range(4));
      CHECK(*co_await into(ints{}, b).take() == range(4));
    });
  }

  TEST_CASE("each subscriber of each topic gets its values and no other") {
    over_seeds(many, []() -> task<> {
      const channel<int> source;
      const pub numbers{source, [](int value) { return value % 2 == 0; }};
      const std::vector<channel<int>> lines{channel<int>{fixed{5}}, channel<int>{fixed{5}},
                                            channel<int>{fixed{5}}, channel<int>{fixed{5}}};
      for (std::size_t each = 0; each < 4; ++each) numbers.sub(each < 2, lines[each]);
      pipe(to_channel(range(6)), source);
      for (std::size_t each = 0; each < 4; ++each) {
        CHECK(co_await drain<int>(lines[each]) == (each < 2 ? ints{0, 2, 4} : ints{1, 3, 5}));
      }
    });
  }

  TEST_CASE("a merged channel is as good in a select as each of its sources") {
    // lab_test's multiplex.
    everywhere([]() -> task<> {
      const channel<int> even;
      const channel<int> odd;
      const auto either = merge(even, odd);
      ints had;
      co_await with_scope([&](scope& all) -> task<> {
        all.go([](channel<int> to) -> task<> {
          for (int value = 0; value < 10; value += 2) CHECK(co_await to.put(value));
          to.close();
        }(even));
        all.go([](channel<int> to) -> task<> {
          for (int value = 1; value < 10; value += 2) CHECK(co_await to.put(value));
          to.close();
        }(odd));
        for (;;) {
          const auto won = co_await select(either.take(), timeout(24h).take());
          if (!std::get<0>(won)) break;
          had.push_back(*std::get<0>(won));
        }
      });
      std::ranges::sort(had);
      CHECK(had == range(10));
    });
  }

  TEST_CASE("one put into many closed and open channels ends when the open ones have it") {
    // lab_test's broadcast, which waits for every reader.
    over_seeds(many, []() -> task<> {
      const channel<int> source;
      const channel<int> open;
      const channel<int> closed;
      closed.close();
      const mult all_of{source};
      all_of.tap(open);
      all_of.tap(closed);
      CHECK(co_await source.put(1));
      co_await settle();
      CHECK_FALSE(source.offer(2));
      CHECK(co_await open.take() == 1);
      co_await settle();
      CHECK(source.offer(2));
    });
  }

  TEST_CASE("a promise is no buffer for a transform or a combinator") {
    // There a promise-chan may have a transform; here whoever fulfils it makes the value first.
    CHECK(std::constructible_from<any_buffer, fixed>);
    CHECK_FALSE(std::constructible_from<any_buffer, promise>);
  }
}
