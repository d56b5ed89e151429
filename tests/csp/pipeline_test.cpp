// SPDX-License-Identifier: Apache-2.0
// Goal: a pipeline works on as many values at once as it says, gives results in the order of the
// values, and takes no more than it must. After core.async's pipeline_test.

#include "wherry/csp/pipeline.hpp"

#include <algorithm>
#include <latch>
#include <stdexcept>
#include <string>

#include "subject.hpp"
#include "wherry/csp/pipe.hpp"
#include "wherry/csp/reduce.hpp"
#include "wherry/csp/sequence.hpp"

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
task<int> same(int value) { co_return value; }

/// The three kinds, as pipelines of ints that change nothing.
constexpr auto compute = [](const auto& from, const auto& to, pipeline_options options) {
  pipeline(from, with::map([](int value) { return value; }), to, options);
};
constexpr auto blocking = [](const auto& from, const auto& to, pipeline_options options) {
  pipeline_blocking(from, with::map([](int value) { return value; }), to, options);
};
constexpr auto async = [](const auto& from, const auto& to, pipeline_options options) {
  pipeline_async(from, same, to, options);
};

/// Runs a scene with each kind.
template <class Scene>
void each_kind(Scene scene) {
  SUBCASE("pipeline") { scene(compute); }
  SUBCASE("pipeline_blocking") { scene(blocking); }
  SUBCASE("pipeline_async") { scene(async); }
}

}  // namespace

TEST_SUITE("csp/pipeline") {
  TEST_CASE("a pipeline gives all results in order and closes") {
    each_kind([](auto start) {
      for (const std::size_t parallel : {1U, 2U, 7U}) {
        const auto scene = [=]() -> task<> {
          channel<int> to;
          start(to_channel(range(40)), to, {.parallel = parallel});
          CHECK(co_await drain<int>(to) == range(40));
        };
        over_seeds(50, scene);
        on_threads(5, scene);
      }
    });
  }

  TEST_CASE("a pipeline leaves its end open if told so") {
    each_kind([](auto start) {
      over_seeds(50, [=]() -> task<> {
        channel<int> to{fixed{3}};
        start(to_channel(range(2)), to, {.parallel = 3, .closes = false});
        co_await settle();
        CHECK(to.offer(2));
        for (int value = 0; value < 3; ++value) CHECK(co_await to.take() == value);
      });
    });
  }

  TEST_CASE("while nobody takes its results a pipeline accepts two values more than it works on") {
    each_kind([](auto start) {
      for (const std::size_t parallel : {1U, 2U, 4U, 8U}) {
        over_seeds(20, [=]() -> task<> {
          channel<int> from;
          channel<int> to;
          start(from, to, {.parallel = parallel});
          std::size_t accepted = 0;
          co_await settle();
          while (from.offer(0)) {
            ++accepted;
            co_await settle();
          }
          CHECK(accepted == parallel + 2);
        });
      }
    });
  }

  TEST_CASE("a pipeline whose end is closed stops taking") {
    each_kind([](auto start) {
      over_seeds(50, [=]() -> task<> {
        channel<int> from;
        channel<int> to;
        start(from, to, {.parallel = 2});
        to.close();
        CHECK(co_await from.put(1));
        co_await settle();
        CHECK_FALSE(from.offer(2));
      });
    });
  }

  TEST_CASE("a cancelled pipeline unwinds and its end is closed") {
    each_kind([](auto start) {
      const auto scene = [=]() -> task<> {
        channel<int> to;
        co_await with_scope([&](scope& all) -> task<> {
          start(to_channel(range(40), {.in = &all}), to, {.parallel = 3, .in = &all});
          CHECK(co_await to.take() == 0);
          all.cancel();
        });
        CHECK_FALSE(co_await to.take());
      };
      over_seeds(50, scene);
      on_threads(10, scene);
    });
  }

  TEST_CASE("one value may give none or many results and they keep their order") {
    everywhere([]() -> task<> {
      const auto repeat = [](int value) { return ints(static_cast<std::size_t>(value), value); };
      channel<int> to;
      pipeline(to_channel(range(4)), with::expand(repeat), to, {.parallel = 2});
      CHECK(co_await drain<int>(to) == ints{1, 2, 2, 3, 3, 3});
      channel<int> async_to;
      pipeline_async(to_channel(range(4)),
                     [](int value, put_channel<int> results) -> task<> {
                       for (int times = 0; times < value; ++times) {
                         co_await pause(1us);
                         CHECK(co_await results.put(value));
                       }
                     },
                     async_to, {.parallel = 2});
      CHECK(co_await drain<int>(async_to) == ints{1, 2, 2, 3, 3, 3});
    });
  }

  TEST_CASE("a transform begins anew for each value and is flushed for each") {
    over_seeds(50, []() -> task<> {
      channel<ints> to;
      pipeline(to_channel(range(3)), with::take_n(1) | with::partition(2), to, {.parallel = 2});
      CHECK(co_await drain<ints>(to) == std::vector<ints>{{0}, {1}, {2}});
    });
  }

  TEST_CASE("results keep the order of the values though later ones are done first") {
    over_seeds(many, []() -> task<> {
      const auto later_is_faster = [](int value) -> task<int> {
        co_await pause(std::chrono::milliseconds(10 - value));
        co_return value;
      };
      const auto begun = scheduler::current().now();
      channel<int> to;
      pipeline_async(to_channel(range(10)), later_is_faster, to, {.parallel = 10});
      CHECK(co_await drain<int>(to) == range(10));
      CHECK(scheduler::current().now() - begun == 10ms);  // all at once
    });
  }

  TEST_CASE("no more values than said are worked on at once") {
    over_seeds(many, []() -> task<> {
      int running = 0;
      int most = 0;
      const auto watched = [now = &running, peak = &most](int value) {
        return [](int* at, int* top, int given) -> task<int> {
          *top = std::max(*top, ++*at);
          co_await pause(1ms);
          --*at;
          co_return given;
        }(now, peak, value);
      };
      channel<int> to;
      pipeline_async(to_channel(range(20)), watched, to, {.parallel = 4});
      CHECK(co_await drain<int>(to) == range(20));
      CHECK(most == 4);
    });
  }

  TEST_CASE("blocking work is done on several threads at once") {
    on_threads(3, []() -> task<> {
      std::latch together{3};
      channel<int> to;
      pipeline_blocking(to_channel(range(3)), with::map([met = &together](int value) {
                          met->arrive_and_wait();
                          return value;
                        }),
                        to, {.parallel = 3});
      CHECK(co_await drain<int>(to) == range(3));
    });
  }

  TEST_CASE("a handler gives a value in place of one that failed and in its order") {
    everywhere([]() -> task<> {
      const auto odd_throws = [](int value) {
        if (value % 2 != 0) throw std::runtime_error("odd");
        return value;
      };
      const auto minus_1 = [](const std::exception_ptr&) { return std::optional(-1); };
      channel<int> to;
      pipeline(to_channel(range(5)), with::map(odd_throws), to, {.parallel = 2}, minus_1);
      CHECK(co_await drain<int>(to) == ints{0, -1, 2, -1, 4});
      channel<int> blocking_to;
      pipeline_blocking(to_channel(range(5)), with::map(odd_throws), blocking_to, {.parallel = 2},
                        drop_failures);
      CHECK(co_await drain<int>(blocking_to) == ints{0, 2, 4});
    });
  }

  TEST_CASE("without a handler what throws fails the scope of the pipeline") {
    const auto three_throws = [](int value) {
      if (value == 3) throw std::runtime_error("three");
      return value;
    };
    const auto scene = [=](auto start) {
      everywhere([=]() -> task<> {
        channel<int> to;
        std::string text;
        ints had;
        try {
          co_await with_scope([&](scope& all) -> task<> {
            start(to_channel(range(9)), to, pipeline_options{.parallel = 2, .in = &all});
            had = co_await drain<int>(to);
          });
        } catch (const std::runtime_error& error) {
          text = error.what();
        }
        CHECK(text == "three");
        CHECK(had.size() <= 3);
        CHECK_FALSE(co_await to.take());
      });
    };
    SUBCASE("pipeline") {
      scene([=](auto from, auto to, auto options) {
        pipeline(from, with::map(three_throws), to, options);
      });
    }
    SUBCASE("pipeline_blocking") {
      scene([=](auto from, auto to, auto options) {
        pipeline_blocking(from, with::map(three_throws), to, options);
      });
    }
    SUBCASE("pipeline_async") {
      scene([=](auto from, auto to, auto options) {
        pipeline_async(
            from,
            [](int value) -> task<int> {
              if (value == 3) throw std::runtime_error("three");
              co_return value;
            },
            to, options);
      });
    }
  }

  TEST_CASE("values and results that can only be moved pass") {
    everywhere([]() -> task<> {
      std::vector<counted> all;
      for (int id = 0; id < 10; ++id) all.emplace_back(id);
      channel<counted> middle;
      channel<counted> end;
      const auto next = [](counted value) { return counted{value.id() + 1}; };
      pipeline_blocking(to_channel(std::move(all)), with::map(next), middle, {.parallel = 3});
      pipeline_async(middle, [](counted value) -> task<counted> { co_return value; }, end,
                     {.parallel = 3});
      for (int id = 1; id <= 10; ++id) CHECK((co_await end.take())->id() == id);
      CHECK_FALSE(co_await end.take());
      co_await pause(1us);
    });
  }
}
