// SPDX-License-Identifier: Apache-2.0
// Goal: what `go` and `thread` start ends with a result, an exception or a cancellation on its
// channel, and has released everything by then.

#include "wherry/csp/go.hpp"

#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <future>
#include <system_error>

#include <barrier>
#include <latch>
#include <set>
#include <stdexcept>
#include <string>
#include <thread>

#include "subject.hpp"

namespace {

using namespace wherry;
using namespace wherry::test;

task<int> answer(counted, duration how_long) {
  co_await pause(how_long);
  co_return 42;
}
task<> fail(std::string text) {
  co_await pause(1us);
  throw std::runtime_error(text);
}

/// From now on no thread can be started in this process.
bool forbid_threads() {
  if (::geteuid() == 0 && ::setuid(65'534) != 0) return false;  // no limit holds for root
  const rlimit none{1, 1};
  return ::setrlimit(RLIMIT_NPROC, &none) == 0;
}

task<> take_two_threads_of_one(int* status) {
  std::promise<void> gate;
  auto first = thread([open = gate.get_future().share()] { open.wait(); });
  if (!forbid_threads()) co_return;
  auto second = thread([] { return 7; });
  gate.set_value();
  co_await first.take();
  const auto had = co_await second.take();
  if (had && had->has_value() && **had == 7) *status = 0;
}

}  // namespace

TEST_SUITE("csp/go") {
  TEST_CASE("go runs beside its caller and brings the result over a channel") {
    everywhere([]() -> task<> {
      const auto slow = go(answer(counted{}, 30us));
      const auto fast = go(answer(counted{}, 10us));
      const auto first = co_await fast.take();
      const auto second = co_await slow.take();
      CHECK((first && first->has_value() && **first == 42));
      CHECK((second && second->has_value() && **second == 42));
      CHECK_FALSE(co_await slow.take());
    });
  }

  TEST_CASE("a result comes after all that the task held is released") {
    everywhere([]() -> task<> {
      for (int round = 0; round < 20; ++round) {
        co_await go(answer(counted{}, 0us)).take();
        CHECK(counted::alive() == 0);
        co_await thread([held = counted{}] { return held.id(); }).take();
        CHECK(counted::alive() == 0);
      }
    });
  }

  TEST_CASE("an exception crosses as a failure and can be rethrown") {
    everywhere([]() -> task<> {
      const auto ended = co_await go(fail("no route")).take();
      REQUIRE(ended);
      REQUIRE_FALSE(ended->has_value());
      CHECK_FALSE(ended->error().is_cancelled());
      CHECK(ended->error().what() == "no route");
      CHECK_THROWS_AS(ended->error().rethrow(), std::runtime_error);
      const auto odd = co_await thread([]() -> int { throw 5; }).take();
      CHECK(odd->error().what().contains("not a std::exception"));
    });
  }

  TEST_CASE("what go left running is cancelled when the run ends and says so") {
    for (int round = 0; round < 100; ++round) {
      std::optional<channel<result<void>>> left;
      {
        thread_scheduler home{{.threads = 2}};
        home.run([](std::optional<channel<result<void>>>* out) -> task<> {
          *out = go([]() -> task<> { co_await channel<int>{}.take(); }());
          co_return;
        }(&left));
        const auto ended = left->poll();
        REQUIRE(ended);
        CHECK(ended->error().is_cancelled());
        CHECK(ended->error().what() == "cancelled");
      }
      CHECK_FALSE(left->poll());
    }
  }

  TEST_CASE("nobody needs to take the result") {
    everywhere([]() -> task<> {
      go(answer(counted{}, 0us));
      go(fail("unseen"));
      thread([held = counted{}] { return counted{held.id()}; });
      co_return;
    });
  }

  TEST_CASE("a thread may block while processes go on") {
    on_threads(5, []() -> task<> {
      std::latch released{1};
      const auto blocked = thread([&released] {
        released.wait();
        return std::string("freed");
      });
      CHECK(**co_await thread([] { return 1; }).take() == 1);
      CHECK_FALSE(blocked.poll());
      released.count_down();
      CHECK(**co_await blocked.take() == "freed");
      const auto done = co_await thread([] {}).take();
      CHECK(done->has_value());
    });
  }

  TEST_CASE("no more threads block at once than the pool allows and all work is done") {
    thread_scheduler home{{.threads = 2, .blocking_threads = 3}};
    std::atomic<int> running = 0;
    std::atomic<int> most = 0;
    std::atomic<int> done = 0;
    std::latch three{3};
    home.run([](auto* now, auto* peak, auto* count, auto* together) -> task<> {
      co_await with_scope([=](scope& all) -> task<> {
        for (int each = 0; each < 50; ++each) {
          all.go([](auto* at, auto* top, auto* sum, auto* meet, int which) -> task<> {
            co_await thread([=] {
              const int beside = at->fetch_add(1) + 1;
              int seen = top->load();
              while (seen < beside && !top->compare_exchange_weak(seen, beside)) {}
              if (which < 3) meet->arrive_and_wait();  // the first three need three threads
              at->fetch_sub(1);
              sum->fetch_add(1);
            }).take();
          }(now, peak, count, together, each));
          if (each < 3) co_await pause(1us);
        }
        co_return;
      });
    }(&running, &most, &done, &three));
    CHECK(done == 50);
    CHECK(most <= 3);
  }

  TEST_CASE("work waits for a thread that there is when the system starts no other") {
    const pid_t child = ::fork();  // the limit is for good, and for a whole process
    REQUIRE(child >= 0);
    if (child == 0) {
      int status = 1;
      try {
        thread_scheduler home{{.threads = 1, .blocking_threads = 4}};
        home.run(take_two_threads_of_one(&status));
      } catch (const std::system_error&) {
        status = 2;
      }
      ::_exit(status);
    }
    int status = 0;
    REQUIRE(::waitpid(child, &status, 0) == child);
    CHECK(WIFEXITED(status));
    CHECK(WEXITSTATUS(status) == 0);
  }

  TEST_CASE("a cancelled caller goes on without the result of its thread") {
    on_threads(20, []() -> task<> {
      std::latch released{1};
      bool unwound = false;
      channel<result<void>> job = thread([&released] { released.wait(); });
      co_await with_scope([&](scope& all) -> task<> {
        all.go([](channel<result<void>> from, bool* seen) -> task<> {
          try {
            co_await from.take();
          } catch (const cancelled&) {
            *seen = true;
            throw;
          }
        }(job, &unwound));
        co_await pause(1us);
        all.cancel();
      });
      CHECK(unwound);
      released.count_down();
      co_await job.take();
    });
  }

  TEST_CASE("work that is still queued when the run ends is done before the scheduler goes") {
    for (int round = 0; round < 50; ++round) {
      std::atomic<int> done = 0;
      {
        thread_scheduler home{{.threads = 2, .blocking_threads = 2}};
        home.run([](std::atomic<int>* count) -> task<> {
          for (int each = 0; each < 10; ++each) {
            thread([count] {  // work may add work, also while the pool is being stopped
              thread([count] { count->fetch_add(1); });
              count->fetch_add(1);
            });
          }
          co_return;
        }(&done));
      }
      CHECK(done == 20);
    }
  }
}
