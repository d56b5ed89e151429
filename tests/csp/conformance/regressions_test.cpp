// SPDX-License-Identifier: Apache-2.0
// Goal: a closed channel wakes every waiter, whatever it waits by. Of the four regressions that
// broke other libraries this one needs scenes of its own; docs/conformance.md names the others'.
// Method: a channel for as many waiters as there are, so that one more is refused exactly when all
// of them wait; only then comes the close.

#include <atomic>
#include <thread>
#include <vector>

#include "../subject.hpp"
#include "wherry/csp/blocking.hpp"
#include "wherry/csp/select.hpp"
#include "wherry/csp/transform.hpp"

namespace {

using namespace wherry;
using namespace wherry::test;

/// Returns once as many wait for a value as may.
task<> until_all_wait(channel<int> from) {
  for (;;) {
    try {
      const auto tried = co_await select(from.take(), timeout(50us).take());
      CHECK(tried.index() == 1);
    } catch (const too_many_waiters&) {
      co_return;
    }
  }
}

/// Waits as a plain thread; again, if the one who looks has its place.
template <class Wait>
void wait_in_thread(Wait wait, std::atomic<int>* ended) {
  for (;;) {
    try {
      wait();
      ended->fetch_add(1);
      return;
    } catch (const too_many_waiters&) {
      std::this_thread::yield();
    }
  }
}

task<> take_end(channel<int> from, std::atomic<int>* ended) {
  const auto had = co_await from.take();  // not in a CHECK, which would keep a refusal to itself
  CHECK_FALSE(had);
  ended->fetch_add(1);
}
task<> select_end(channel<int> quiet, channel<int> from, std::atomic<int>* ended) {
  const auto won = co_await select(quiet.take(), from.take());
  REQUIRE(won.index() == 1);
  CHECK_FALSE(std::get<1>(won));
  ended->fetch_add(1);
}
task<> select_end_first(channel<int> quiet, channel<int> from, std::atomic<int>* ended) {
  const auto won = co_await select(priority, from.take(), quiet.take(), timeout(24h).take());
  REQUIRE(won.index() == 0);
  CHECK_FALSE(std::get<0>(won));
  ended->fetch_add(1);
}

}  // namespace

TEST_SUITE("csp/conformance/regressions") {
  TEST_CASE("a close wakes every take and every select that waits") {
    everywhere([]() -> task<> {
      const channel<int> quiet;
      const channel<int> closing{waiters_limit{90}};
      std::atomic<int> ended = 0;
      const auto patient = [](auto wait, channel<int> other, channel<int> from,
                              std::atomic<int>* count) -> task<> {
        for (;;) {
          try {
            co_return co_await wait(other, from, count);
          } catch (const too_many_waiters&) {}
          co_await pause(10us);
        }
      };
      co_await with_scope([&](scope& all) -> task<> {
        const auto take = [](channel<int>, channel<int> from, std::atomic<int>* count) {
          return take_end(from, count);
        };
        for (int each = 0; each < 30; ++each) {
          all.go(patient(take, quiet, closing, &ended));
          all.go(patient(select_end, quiet, closing, &ended));
          all.go(patient(select_end_first, quiet, closing, &ended));
        }
        co_await until_all_wait(closing);
        CHECK(ended == 0);
        closing.close();
      });
      CHECK(ended == 90);
      CHECK_FALSE(quiet.offer(1));  // none is left at the other channel
      CHECK_FALSE(quiet.poll());
    });
  }

  TEST_CASE("a close wakes every plain thread that waits by a take or a select") {
    on_threads(10, []() -> task<> {
      const channel<int> quiet;
      const channel<int> closing{waiters_limit{8}};
      std::atomic<int> ended = 0;
      std::vector<std::thread> outside;
      for (int each = 0; each < 4; ++each) {
        outside.emplace_back([&] {
          wait_in_thread(
              [&] {
                const auto had = blocking_take(closing);
                CHECK_FALSE(had);
              },
              &ended);
        });
        outside.emplace_back([&] {
          wait_in_thread(
              [&] {
                const auto won = blocking_select(quiet.take(), closing.take());
                REQUIRE(won.index() == 1);
                CHECK_FALSE(std::get<1>(won));
              },
              &ended);
        });
      }
      co_await until_all_wait(closing);
      CHECK(ended == 0);
      closing.close();
      for (auto& each : outside) each.join();
      CHECK(ended == 8);
      CHECK_FALSE(quiet.offer(1));
    });
  }

  TEST_CASE("after a close a put that waits alone or in a select is woken by its take") {
    over_seeds(many, []() -> task<> {
      const channel<int> full;
      const channel<int> quiet;
      int accepted = 0;
      co_await with_scope([&](scope& all) -> task<> {
        all.go([](channel<int> to, int* count) -> task<> {
          *count += (co_await to.put(1)) ? 1 : 0;
        }(full, &accepted));
        all.go([](channel<int> to, channel<int> other, int* count) -> task<> {
          const auto won = co_await select(other.take(), to.put(1));
          *count += won.index() == 1 && std::get<1>(won) ? 1 : 0;
        }(full, quiet, &accepted));
        co_await settle();
        full.close();
        co_await settle();
        CHECK(accepted == 0);
        CHECK(co_await full.take() == 1);
        CHECK(co_await full.take() == 1);
        CHECK_FALSE(co_await full.take());
      });
      CHECK(accepted == 2);
    });
  }

  TEST_CASE("puts that nobody can take any more are woken when the transform ends") {
    over_seeds(many, []() -> task<> {
      const auto first_only = transformed<int>(fixed{1}, transforms::take_n(2));
      int released = 0;
      co_await with_scope([&](scope& all) -> task<> {
        CHECK(co_await first_only.put(1));
        for (int each = 0; each < 10; ++each) {
          all.go([](put_channel<int> to, int* count) -> task<> {
            *count += (co_await to.put(2)) ? 1 : 0;
          }(first_only, &released));
        }
        co_await settle();
        CHECK(released == 0);
        CHECK(co_await first_only.take() == 1);  // lets one in, and that is the last
        co_await settle();
        CHECK(released == 10);
      });
      CHECK(co_await first_only.take() == 2);
      CHECK_FALSE(co_await first_only.take());
    });
  }
}
