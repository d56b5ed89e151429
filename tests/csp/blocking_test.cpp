// SPDX-License-Identifier: Apache-2.0
// Goal: plain threads and processes exchange values over one channel. Method: real threads, counted
// values; worth most under the sanitizers, repeated.

#include "wherry/csp/blocking.hpp"

#include <thread>
#include <vector>

#include "subject.hpp"
#include "wherry/csp/go.hpp"

namespace {

using namespace wherry;
using namespace wherry::test;

}  // namespace

TEST_SUITE("csp/blocking") {
  TEST_CASE("two plain threads exchange values in order without a scheduler") {
    channel<int> line;
    std::vector<int> had;
    std::thread taker([&] {
      while (const auto value = blocking_take(line)) had.push_back(*value);
    });
    for (int value = 0; value < 20'000; ++value) CHECK(blocking_put(line, value));
    line.close();
    taker.join();
    CHECK(had.size() == 20'000);
    CHECK(std::ranges::is_sorted(had));
    CHECK_FALSE(blocking_put(line, 1));
    CHECK_FALSE(blocking_take(line));
  }

  TEST_CASE("a plain thread puts and a process takes and the other way round") {
    on_threads(3, []() -> task<> {
      channel<int> requests;
      channel<int> replies{fixed{2}};
      std::thread outside([=] {
        for (int value = 0; value < 1'000; ++value) {
          CHECK(blocking_put(requests, value));
          CHECK(blocking_take(replies) == value + 1);
        }
        requests.close();
      });
      while (const auto value = co_await requests.take()) CHECK(co_await replies.put(*value + 1));
      outside.join();
    });
  }

  TEST_CASE("a refused value stays with the plain thread") {
    channel<counted> closed;
    closed.close();
    counted mine{5};
    CHECK_FALSE(blocking_put(closed, std::move(mine)));
    CHECK(mine.id() == 5);
  }

  TEST_CASE("closing wakes plain threads") {
    for (int round = 0; round < 50; ++round) {
      channel<counted> quiet;
      std::vector<std::thread> takers;
      for (int each = 0; each < 4; ++each) {
        takers.emplace_back([&] { CHECK_FALSE(blocking_take(quiet)); });
      }
      quiet.close();
      for (auto& each : takers) each.join();
    }
  }

  TEST_CASE("many plain threads and processes share one channel and each value arrives once") {
    on_threads(2, []() -> task<> {
      channel<int> line;
      std::atomic<long> sum = 0;
      std::atomic<int> count = 0;
      std::vector<std::thread> outside;
      for (int each = 0; each < 3; ++each) {
        outside.emplace_back([=] {
          for (int value = 0; value < 500; ++value) CHECK(blocking_put(line, value));
        });
      }
      std::thread taker([&] {
        while (const auto value = blocking_take(line)) {
          sum += *value;
          ++count;
        }
      });
      co_await with_scope([&](scope& all) -> task<> {
        for (int each = 0; each < 3; ++each) all.go(add_all(line, &sum, &count));
        const auto beside = go(put_range(line, 0, 500));
        // Joining blocks, so it goes where blocking is allowed.
        co_await thread([&] {
          for (auto& each : outside) each.join();
        }).take();
        co_await put_range(line, 0, 500);
        co_await beside.take();
        line.close();
        co_await thread([&] { taker.join(); }).take();
      });
      CHECK(count == 2'500);
      CHECK(sum == 5L * 500 * 499 / 2);
    });
  }

  TEST_CASE("too many plain threads and processes on one channel are refused alike") {
    over_seeds(1, []() -> task<> {
      channel<int> crowded;
      co_await with_scope([&](scope& all) -> task<> {
        for (int each = 0; each < 1024; ++each) {
          all.go([](channel<int> from) -> task<> { co_await from.take(); }(crowded));
        }
        co_await settle();
        CHECK_THROWS_AS(blocking_take(crowded), too_many_waiters);
        crowded.close();
      });
    });
  }
}
