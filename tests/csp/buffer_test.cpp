// SPDX-License-Identifier: Apache-2.0
// Goal: each buffer keeps what it says, and a promise is one value for all. After core.async's
// buffers_test and its tests of promise-chan.

#include "wherry/csp/buffer.hpp"

#include <string>

#include "subject.hpp"
#include "wherry/csp/select.hpp"

namespace {

using namespace wherry;
using namespace wherry::test;

task<> expect(take_channel<int> from, std::optional<int> value, int* met) {
  CHECK(co_await from.take() == value);
  ++*met;
}

}  // namespace

TEST_SUITE("csp/buffer") {
  TEST_CASE("a dropping buffer keeps the first values and every put is accepted") {
    over_seeds(many, []() -> task<> {
      channel<int> first{dropping{2}};
      for (int value = 0; value < 5; ++value) CHECK(co_await first.put(value));
      CHECK(first.offer(9));
      first.close();
      CHECK_FALSE(co_await first.put(9));
      CHECK(co_await drain<int>(first) == std::vector{0, 1});
    });
  }

  TEST_CASE("a sliding buffer keeps the last values and every put is accepted") {
    over_seeds(many, []() -> task<> {
      channel<int> last{sliding{2}};
      for (int value = 0; value < 5; ++value) CHECK(co_await last.put(value));
      CHECK(last.offer(5));
      last.close();
      CHECK_FALSE(last.offer(9));
      CHECK(co_await drain<int>(last) == std::vector{4, 5});
    });
  }

  TEST_CASE("a value that is dropped is destroyed at once") {
    for (const any_buffer buffer : {any_buffer(dropping{2}), any_buffer(sliding{2})}) {
      {
        channel<counted> two{buffer};
        for (int id = 0; id < 5; ++id) CHECK(two.offer(counted{id}));
        CHECK(counted::alive() == 2);
      }
      CHECK(counted::alive() == 0);
    }
  }

  TEST_CASE("takes that wait are served by puts that never wait") {
    for (const any_buffer buffer : {any_buffer(dropping{1}), any_buffer(sliding{1})}) {
      over_seeds(many, [buffer]() -> task<> {
        channel<int> line{buffer};
        int met = 0;
        co_await with_scope([&](scope& all) -> task<> {
          for (int value = 0; value < 3; ++value) {
            all.go(expect(line, value, &met));
            co_await settle();
          }
          for (int value = 0; value < 3; ++value) CHECK(line.offer(value));
        });
        CHECK(met == 3);
      });
    }
  }

  TEST_CASE("a promise gives its first value to all that wait and to all that come") {
    everywhere([]() -> task<> {
      channel<int> answer{promise{}};
      std::atomic<int> met = 0;
      const auto expect_42 = [](channel<int> from, std::atomic<int>* count) -> task<> {
        CHECK(co_await from.take() == 42);
        count->fetch_add(1);
      };
      co_await with_scope([&](scope& all) -> task<> {
        for (int taker = 0; taker < 10; ++taker) all.go(expect_42(answer, &met));
        CHECK(co_await answer.put(42));
        CHECK(co_await answer.put(43));
        CHECK(answer.offer(44));
        for (int taker = 0; taker < 10; ++taker) all.go(expect_42(answer, &met));
        co_await pause(1us);
        answer.close();
        CHECK_FALSE(answer.offer(45));
        CHECK(co_await answer.take() == 42);
        CHECK(answer.poll() == 42);
      });
      CHECK(met == 20);
    });
  }

  TEST_CASE("values that only seem to copy pass a channel") {
    channel<std::vector<counted>> line{fixed{1}};
    std::vector<counted> pair(2);
    CHECK(line.offer(std::move(pair)));
    CHECK(line.poll()->size() == 2);
  }

  TEST_CASE("a promise that is closed without a value is empty for all") {
    over_seeds(many, []() -> task<> {
      channel<int> answer{promise{}};
      int met = 0;
      co_await with_scope([&](scope& all) -> task<> {
        for (int taker = 0; taker < 3; ++taker) all.go(expect(answer, std::nullopt, &met));
        co_await settle();
        answer.close();
      });
      CHECK(met == 3);
      CHECK_FALSE(co_await answer.take());
      CHECK_FALSE(co_await answer.put(1));
    });
  }

  TEST_CASE("a promise is ready in a select as often as it is asked") {
    over_seeds(many, []() -> task<> {
      channel<std::string> answer{promise{}};
      channel<int> never;
      CHECK(answer.offer("yes"));
      for (int round = 0; round < 3; ++round) {
        const auto won = co_await select(never.take(), answer.take());
        CHECK((won.index() == 1 && std::get<1>(won) == "yes"));
      }
    });
  }

  TEST_CASE("a waiters_limit of its own decides how many may wait") {
    over_seeds(many, []() -> task<> {
      for (const channel<int>& line : {channel<int>{waiters_limit{3}}, channel<int>{fixed{1}, {3}},
                                       channel<int>{promise{}, {3}}}) {
        int met = 0;
        co_await with_scope([&](scope& all) -> task<> {
          for (int taker = 0; taker < 3; ++taker) all.go(expect(line, std::nullopt, &met));
          co_await settle();
          std::string text;
          try {
            co_await line.take();
          } catch (const too_many_waiters& error) {
            text = error.what();
          }
          CHECK(text.contains("3 processes wait"));
          line.close();
        });
        CHECK(met == 3);
      }
    });
  }

  TEST_CASE("more than 1024 may wait where the limit says so") {
    over_seeds(2, []() -> task<> {
      channel<int> line{waiters_limit{3'000}};
      int met = 0;
      co_await with_scope([&](scope& all) -> task<> {
        for (int taker = 0; taker < 3'000; ++taker) all.go(expect(line, std::nullopt, &met));
        co_await settle();
        line.close();
      });
      CHECK(met == 3'000);
    });
  }
}
