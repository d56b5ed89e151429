// SPDX-License-Identifier: Apache-2.0
// Goal: a transform does on its channel what its stages say, without losing, doubling or holding
// back a value, and no failure of a function goes unheard. After core.async's tests of expanding
// transducers, of Reduced and of the handler of exceptions.

#include "wherry/csp/transform.hpp"

#include <numeric>
#include <stdexcept>
#include <string>

#include "subject.hpp"
#include "wherry/csp/blocking.hpp"
#include "wherry/csp/select.hpp"

namespace {

using namespace wherry;
using namespace wherry::test;
namespace with = wherry::transforms;
using ints = std::vector<int>;

constexpr auto twice = [](int value) noexcept { return value * 2; };
constexpr auto is_even = [](int value) noexcept { return value % 2 == 0; };
constexpr auto below_4 = [](int value) noexcept { return value < 4; };
/// n, n times.
constexpr auto repeat = [](int value) noexcept {
  return ints(static_cast<std::size_t>(value), value);
};
constexpr auto odd_throws = [](int value) {
  if (value % 2 != 0) throw std::runtime_error("odd: " + std::to_string(value));
  return value;
};

/// What a chain makes of 0, 1, … count - 1.
template <class Chain>
auto of_range(int count, Chain chain) {
  const auto line = transformed<int>(fixed{64}, chain);
  for (int value = 0; value < count; ++value) line.offer(value);
  line.close();
  std::vector<transforms::output_t<int, Chain>> all;
  while (auto value = line.poll()) all.push_back(std::move(*value));
  return all;
}

task<> put_and_count(put_channel<int> to, int value, int* accepted) {
  if (co_await to.put(value)) ++*accepted;
}

}  // namespace

TEST_SUITE("csp/transforms") {
  TEST_CASE("each stage does what its name says") {
    CHECK(of_range(4, with::map(twice)) == ints{0, 2, 4, 6});
    CHECK(of_range(6, with::filter(is_even)) == ints{0, 2, 4});
    CHECK(of_range(6, with::take_n(2)) == ints{0, 1});
    CHECK(of_range(6, with::take_n(0)).empty());
    CHECK(of_range(6, with::take_while(below_4)) == ints{0, 1, 2, 3});
    CHECK(of_range(6, with::drop_n(4)) == ints{4, 5});
    CHECK(of_range(6, with::drop_while(below_4)) == ints{4, 5});
    CHECK(of_range(4, with::expand(repeat)) == ints{1, 2, 2, 3, 3, 3});
    CHECK(of_range(5, with::partition(2)) == std::vector<ints>{{0, 1}, {2, 3}, {4}});
    CHECK(of_range(4, with::scan([](int a, int b) noexcept { return a + b; }, 10)) ==
          ints{10, 11, 13, 16});
    const auto half = [](int value) noexcept { return value / 2; };
    CHECK(of_range(5, with::map(half) | with::dedupe()) == ints{0, 1, 2});
    CHECK(of_range(5, with::partition_by(half)) == std::vector<ints>{{0, 1}, {2, 3}, {4}});
  }

  TEST_CASE("stages work from left to right and may change the type") {
    const auto text = [](int value) noexcept { return std::to_string(value); };
    CHECK(of_range(5, with::filter(is_even) | with::map(twice) | with::map(text)) ==
          std::vector<std::string>{"0", "4", "8"});
    CHECK(of_range(5, with::map(twice) | with::filter(is_even)) == ints{0, 2, 4, 6, 8});
  }

  TEST_CASE("a stage that wants no more hears nothing of the flush before it") {
    CHECK(of_range(5, with::partition(2) | with::take_n(1)) == std::vector<ints>{{0, 1}});
    CHECK(of_range(3, with::take_n(3) | with::partition(2)) == std::vector<ints>{{0, 1}, {2}});
  }

  TEST_CASE("a chain is a description and begins anew on each channel") {
    const auto first = with::take_n(1);
    CHECK(of_range(3, first) == ints{0});
    CHECK(of_range(3, first) == ints{0});
  }
}

TEST_SUITE("csp/transform") {
  TEST_CASE("what is put on one side comes transformed out of the other") {
    everywhere([]() -> task<> {
      const auto line = transformed<int>(
          fixed{2}, with::map([](int value) noexcept { return std::to_string(value); }));
      const put_channel<int> in = line;
      const take_channel<std::string> out = line;
      co_await with_scope([&](scope& all) -> task<> {
        all.go([](put_channel<int> to) -> task<> {
          for (int value = 0; value < 20; ++value) CHECK(co_await to.put(value));
          to.close();
        }(in));
        for (int value = 0; value < 20; ++value) {
          CHECK(co_await out.take() == std::to_string(value));
        }
        CHECK_FALSE(co_await out.take());
      });
      CHECK_FALSE(line.offer(1));
    });
  }

  TEST_CASE("values that can only be moved pass") {
    const auto line = transformed<counted>(
        fixed{2}, with::map([](counted value) noexcept { return counted{value.id() + 1}; }));
    counted mine{1};
    CHECK(line.offer(std::move(mine)));
    CHECK_FALSE(mine.holds());
    CHECK(line.poll()->id() == 2);
  }

  TEST_CASE("one expanding put serves several takes that wait") {
    over_seeds(many, []() -> task<> {
      const auto line = transformed<int>(fixed{1}, with::expand(repeat));
      int sum = 0;
      co_await with_scope([&](scope& all) -> task<> {
        for (int taker = 0; taker < 3; ++taker) {
          all.go([](take_channel<int> from, int* total) -> task<> {
            *total += *co_await from.take();
          }(line, &sum));
        }
        co_await settle();
        CHECK(co_await line.put(3));
      });
      CHECK(sum == 9);
      CHECK_FALSE(line.poll());
    });
  }

  TEST_CASE("an expanding put may overfill the buffer and the next waits for room") {
    over_seeds(many, []() -> task<> {
      const auto line = transformed<int>(fixed{2}, with::expand(repeat));
      int accepted = 0;
      CHECK(line.offer(3));
      co_await with_scope([&](scope& all) -> task<> {
        all.go(put_and_count(line, 1, &accepted));
        for (int left = 2; left > 0; --left) {
          co_await settle();
          CHECK(accepted == 0);
          CHECK(co_await line.take() == 3);
        }
        co_await settle();
        CHECK(accepted == 1);
        CHECK(co_await line.take() == 3);
        CHECK(co_await line.take() == 1);
      });
    });
  }

  TEST_CASE("a take lets in parked puts until one fills the buffer") {
    over_seeds(many, []() -> task<> {
      const auto line = transformed<int>(fixed{1}, with::filter(is_even));
      int accepted = 0;
      CHECK(line.offer(0));
      co_await with_scope([&](scope& all) -> task<> {
        for (const int value : {1, 3, 4, 6}) {
          all.go(put_and_count(line, value, &accepted));
          co_await settle();
        }
        CHECK(accepted == 0);
        CHECK(co_await line.take() == 0);
        co_await settle();
        CHECK(accepted == 3);
        CHECK(co_await line.take() == 4);
        CHECK(co_await line.take() == 6);
      });
    });
  }

  TEST_CASE("a transform that wants no more closes the channel") {
    const auto line = transformed<int>(fixed{1}, with::take_n(1));
    CHECK(line.offer(7));
    CHECK_FALSE(line.offer(8));
    CHECK(line.poll() == 7);
    over_seeds(1, [line]() -> task<> {
      CHECK_FALSE(co_await line.put(9));
      CHECK_FALSE(co_await line.take());
    });
  }

  TEST_CASE("puts that wait when the transform ends are released with true and their values go") {
    over_seeds(many, []() -> task<> {
      const auto line = transformed<int>(fixed{1}, with::take_n(2));
      int accepted = 0;
      CHECK(line.offer(0));
      co_await with_scope([&](scope& all) -> task<> {
        for (int value = 1; value < 5; ++value) {
          all.go(put_and_count(line, value, &accepted));
          co_await settle();
        }
        CHECK(co_await line.take() == 0);
        co_await settle();
        CHECK(accepted == 4);
        CHECK(co_await line.take() == 1);
        CHECK_FALSE(co_await line.take());
      });
    });
  }

  TEST_CASE("a close flushes and a take that waits gets what was held") {
    over_seeds(many, []() -> task<> {
      const auto line = transformed<int>(fixed{1}, with::partition(3));
      co_await with_scope([&](scope& all) -> task<> {
        all.go([](take_channel<ints> from) -> task<> {
          CHECK(co_await from.take() == ints{1, 2});
          CHECK_FALSE(co_await from.take());
        }(line));
        CHECK(co_await line.put(1));
        CHECK(co_await line.put(2));
        co_await settle();
        line.close();
        line.close();
      });
    });
  }

  TEST_CASE("a close flushes after the puts that wait have been let in") {
    over_seeds(many, []() -> task<> {
      const auto line = transformed<int>(fixed{1}, with::partition(2));
      int accepted = 0;
      co_await with_scope([&](scope& all) -> task<> {
        for (int value = 0; value < 5; ++value) {
          all.go(put_and_count(line, value, &accepted));
          co_await settle();
        }
        CHECK(accepted == 2);
        line.close();
        CHECK(co_await drain<ints>(line) == std::vector<ints>{{0, 1}, {2, 3}, {4}});
      });
      CHECK(accepted == 5);
    });
  }

  TEST_CASE("a close flushes also when the puts that waited were cancelled") {
    over_seeds(many, []() -> task<> {
      const auto line = transformed<int>(fixed{1}, with::partition(2));
      int accepted = 0;
      CHECK(line.offer(0));
      CHECK(line.offer(1));
      co_await with_scope([&](scope& all) -> task<> {
        all.go(put_and_count(line, 2, &accepted));
        co_await settle();
        line.close();
        all.cancel();
      });
      CHECK(accepted == 0);
      CHECK(co_await drain<ints>(line) == std::vector<ints>{{0, 1}});
    });
  }

  TEST_CASE("buffers that drop and slide do so with what the transform makes") {
    const auto first = transformed<int>(dropping{2}, with::expand(repeat));
    const auto last = transformed<int>(sliding{2}, with::expand(repeat));
    for (const int value : {1, 3, 2, 1}) {
      CHECK(first.offer(value));
      CHECK(last.offer(value));
    }
    CHECK(first.poll() == 1);
    CHECK(first.poll() == 3);
    CHECK_FALSE(first.poll());
    CHECK(last.poll() == 2);
    CHECK(last.poll() == 1);
    CHECK_FALSE(last.poll());
  }

  TEST_CASE("the handler hears of each failure and what it gives is added in its place") {
    std::string heard;
    const auto line = transformed<int>(fixed{8}, with::map(odd_throws),
                                       [&heard](const std::exception_ptr& failed) {
                                         try {
                                           std::rethrow_exception(failed);
                                         } catch (const std::exception& error) {
                                           heard += std::string(error.what()) + "; ";
                                         }
                                         return std::optional<int>(-1);
                                       });
    for (int value = 0; value < 4; ++value) CHECK(line.offer(value));
    line.close();
    for (const int value : {0, -1, 2, -1}) CHECK(line.poll() == value);
    CHECK_FALSE(line.poll());
    CHECK(heard == "odd: 1; odd: 3; ");
  }

  TEST_CASE("drop_failures drops what failed and the channel stays open") {
    const auto line = transformed<int>(fixed{8}, with::map(odd_throws), drop_failures);
    for (int value = 0; value < 4; ++value) CHECK(line.offer(value));
    CHECK(line.poll() == 0);
    CHECK(line.poll() == 2);
    CHECK_FALSE(line.poll());
    CHECK(line.offer(4));
  }

  TEST_CASE("a flush that fails is handled and what stands behind it is flushed all the same") {
    const auto sum_throws = [](const ints& part) {
      if (part.size() == 1) throw std::runtime_error("short");
      return part[0] + part[1];
    };
    const auto line =
        transformed<int>(fixed{8}, with::partition(2) | with::map(sum_throws) | with::partition(5),
                         [](const std::exception_ptr&) { return std::optional(ints{-1}); });
    for (int value = 0; value < 3; ++value) CHECK(line.offer(value));
    line.close();
    CHECK(line.poll() == ints{-1});
    CHECK(line.poll() == ints{1});
    CHECK_FALSE(line.poll());
  }

  TEST_CASE("a select takes from one side and puts into the other") {
    everywhere([]() -> task<> {
      const auto line = transformed<int>(fixed{1}, with::map(twice));
      channel<int> never;
      auto put = co_await select(line.put(4), never.take());
      CHECK((put.index() == 0 && std::get<0>(put)));
      auto taken = co_await select(never.take(), line.take());
      CHECK((taken.index() == 1 && std::get<1>(taken) == 8));
    });
  }

  TEST_CASE("many putters and takers on several threads pass each value through once") {
    on_threads(3, []() -> task<> {
      const auto line = transformed<int>(
          fixed{4}, with::filter(is_even) |
                        with::expand([](int value) noexcept { return ints{value, value + 1}; }));
      std::atomic<long> sum = 0;
      std::atomic<int> count = 0;
      co_await with_scope([&](scope& all) -> task<> {
        for (int taker = 0; taker < 4; ++taker) {
          all.go([](take_channel<int> from, std::atomic<long>* total,
                    std::atomic<int>* times) -> task<> {
            while (const auto value = co_await from.take()) {
              total->fetch_add(*value);
              times->fetch_add(1);
            }
          }(line, &sum, &count));
        }
        co_await with_scope([&](scope& putters) -> task<> {
          for (int putter = 0; putter < 4; ++putter) {
            putters.go([](put_channel<int> to, int from) -> task<> {
              for (int value = from; value < from + 1'000; ++value) CHECK(co_await to.put(value));
            }(line, putter * 1'000));
          }
          co_return;
        });
        line.close();
      });
      CHECK(count == 4'000);
      CHECK(sum == 4'000L * 3'999 / 2);
    });
  }
}
