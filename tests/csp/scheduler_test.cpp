// SPDX-License-Identifier: Apache-2.0
// Goal: one seed is one run, time is virtual or real, errors come out of `run`, and threads share
// the work without losing a wake-up.

#include "wherry/csp/scheduler.hpp"

#include <set>
#include <stdexcept>
#include <string>
#include <thread>

#include "every_choice.hpp"
#include "subject.hpp"
#include "wherry/csp/go.hpp"
#include "wherry/csp/select.hpp"

namespace {

using namespace wherry;
using namespace wherry::test;

task<> babble(channel<int> in, channel<int> out, int name, std::string* trace) {
  for (int round = 0; round < 10; ++round) {
    const auto won = co_await select(in.take(), out.put(name), timeout(1ms).take());
    *trace += std::to_string(name) + ":" + std::to_string(won.index()) + " ";
    if (round % 3 == name % 3) co_await pause(std::chrono::milliseconds(detail::draw() % 5));
    if (round % 4 == 0) {
      co_await thread([=] { *trace += "t"; }).take();
    }
  }
}

/// Everything that happens in a run that uses all that is drawn.
std::string trace_of(std::uint64_t seed) {
  std::string trace;
  virtual_scheduler home{seed};
  home.run([](std::string* out) -> task<> {
    channel<int> a;
    channel<int> b{fixed{2}};
    co_await with_scope([=](scope& all) -> task<> {
      for (int name = 0; name < 5; ++name) {
        all.go(babble(name % 2 == 0 ? a : b, name % 2 == 0 ? b : a, name, out));
      }
      co_return;
    });
    *out += std::to_string(scheduler::current().now().time_since_epoch().count());
  }(&trace));
  return trace;
}

task<int> give(int number) { co_return number; }
task<> throw_text(std::string text) {
  co_await pause(1us);
  throw std::runtime_error(text);
}

}  // namespace

TEST_SUITE("csp/scheduler") {
  TEST_CASE("the same seed is the same run and other seeds are other runs") {
    std::set<std::string> runs;
    for (std::uint64_t seed = 0; seed < 50; ++seed) {
      const auto first = trace_of(seed);
      CHECK(first == trace_of(seed));
      runs.insert(first);
    }
    CHECK(runs.size() == 50);
  }

  TEST_CASE("who runs next may be chosen: all choices are all orders") {
    std::set<std::string> seen;
    every_choice orders;
    while (orders.next()) {
      virtual_scheduler home([&](std::size_t count) { return orders.choose(count); });
      std::string order;
      home.run([](std::string* out) -> task<> {
        co_await with_scope([&](scope& all) -> task<> {
          for (const char name : {'a', 'b', 'c'}) {
            all.go([](std::string* to, char mine) -> task<> {
              *to += mine;
              co_return;
            }(out, name));
          }
          co_return;
        });
      }(&order));
      seen.insert(order);
    }
    CHECK(seen == std::set<std::string>{"abc", "acb", "bac", "bca", "cab", "cba"});
    CHECK(orders.runs() == 6);
  }

  TEST_CASE("neighbouring seeds make different first choices") {
    std::set<std::string> orders;
    for (std::uint64_t seed = 0; seed < 200; ++seed) {
      std::string order;
      virtual_scheduler home{seed};
      home.run([](std::string* out) -> task<> {
        co_await with_scope([=](scope& all) -> task<> {
          for (const char name : {'a', 'b', 'c', 'd'}) {
            all.go([](std::string* to, char mine) -> task<> {
              *to += mine;
              co_return;
            }(out, name));
          }
          co_return;
        });
      }(&order));
      orders.insert(order);
    }
    CHECK(orders.size() == 24);  // all orders of four
  }

  TEST_CASE("run gives the result and rethrows what main threw") {
    virtual_scheduler home;
    CHECK(home.run(give(3)) == 3);
    CHECK_THROWS_AS(home.run(throw_text("broken")), std::runtime_error);
    CHECK(home.run(give(4)) == 4);  // and is ready for another run
    thread_scheduler threads{{.threads = 2}};
    CHECK(threads.run(give(3)) == 3);
    CHECK_THROWS_AS(threads.run(throw_text("broken")), std::runtime_error);
    CHECK(threads.run(give(4)) == 4);
  }

  TEST_CASE("a run that can never go on is reported and unwinds all that was stuck") {
    for (std::uint64_t seed = 1; seed <= 50; ++seed) {
      std::string text;
      virtual_scheduler home{seed};
      try {
        home.run([]() -> task<> {
          channel<counted> nobody;
          go([](channel<counted> to) -> task<> {
            co_await to.put(counted{1});
          }(channel<counted>{}));
          co_await with_scope([=](scope& all) -> task<> {
            all.go([](channel<counted> from) -> task<> { co_await from.take(); }(nobody));
            co_await nobody.take();
          });
        }());
      } catch (const std::logic_error& error) {
        text = error.what();
      }
      CHECK(text.contains("deadlock"));
      CHECK(counted::alive() == 0);
      CHECK(home.run(give(4)) == 4);
    }
  }

  TEST_CASE("virtual time passes only when nothing can run") {
    over_seeds(many, []() -> task<> {
      const auto begin = scheduler::current().now();
      channel<int> line;
      co_await with_scope([&](scope& all) -> task<> {
        all.go([](channel<int> to) -> task<> {
          co_await put_range(to, 0, 100);
          to.close();
        }(line));
        while (co_await line.take()) CHECK(scheduler::current().now() == begin);
      });
    });
  }

  TEST_CASE("a run inside a run has its own time and leaves the outer one as it was") {
    everywhere([]() -> task<> {
      auto& outer = scheduler::current();
      channel<int> line{fixed{1}};
      {
        virtual_scheduler inner{7};
        inner.run([](channel<int> to) -> task<> {
          co_await pause(24h);
          CHECK(co_await to.put(1));
        }(line));
        CHECK(inner.now() == steady_time{24h});
      }
      CHECK(&scheduler::current() == &outer);
      CHECK(co_await line.take() == 1);
      co_await pause(1us);
    });
  }

  TEST_CASE("processes that one worker starts run on several") {
    thread_scheduler home{{.threads = 4}};
    std::mutex guard;
    std::set<std::thread::id> seen;
    home.run([](std::mutex* lock, std::set<std::thread::id>* ids) -> task<> {
      // Ends when a second thread has run one of them, and no sooner: a wake-up that is lost, or
      // work that nobody steals, hangs here.
      std::atomic<bool> enough = false;
      while (!enough) {
        co_await with_scope([&](scope& all) -> task<> {
          for (int each = 0; each < 1'000; ++each) {
            all.go([](std::mutex* held, std::set<std::thread::id>* out,
                      std::atomic<bool>* done) -> task<> {
              const std::lock_guard inside(*held);
              out->insert(std::this_thread::get_id());
              if (out->size() > 1) done->store(true);
              co_return;
            }(lock, ids, &enough));
          }
          co_return;
        });
      }
    }(&guard, &seen));
    CHECK(seen.size() > 1);
  }

  TEST_CASE("wake-ups from outside are not lost when workers fall asleep") {
    thread_scheduler home{{.threads = 2}};
    channel<int> line;
    std::atomic<long> sum = 0;
    std::atomic<int> count = 0;
    std::thread outside([&] {  // offers, so that the taker parks and its worker sleeps between two
      for (int value = 0; value < 5'000;) {
        if (line.offer(value)) ++value;
        std::this_thread::yield();
      }
      line.close();
    });
    home.run(add_all(line, &sum, &count));
    outside.join();
    CHECK(count == 5'000);
  }

  TEST_CASE("a pair in conversation starves neither another process nor a timer") {
    on_threads(1, []() -> task<> {
      channel<int> ping;
      channel<int> pong;
      co_await with_scope([&](scope& all) -> task<> {
        all.go([](channel<int> in, channel<int> out) -> task<> {
          while (const auto value = co_await in.take()) co_await out.put(*value);
        }(ping, pong));
        all.go([](channel<int> out, channel<int> in) -> task<> {
          for (;;) {
            co_await out.put(1);
            co_await in.take();
          }
        }(ping, pong));
        co_await pause(1ms);
        channel<int> other{fixed{1}};
        all.go([](channel<int> to) -> task<> { co_await to.put(1); }(other));
        co_await other.take();
        all.cancel();
      });
    });
  }

  TEST_CASE("a process that its timer wakes again and again does not starve those that can run") {
    on_threads(1, []() -> task<> {
      channel<std::monostate> ended{fixed{3}};
      const auto end = [](channel<std::monostate> to) -> task<> {
        co_await to.put(std::monostate{});
      };
      co_await with_scope([&](scope& all) -> task<> {
        for (int each = 0; each < 3; ++each) all.go(end(ended));
        int had = 0;
        for (int turn = 0; had < 3 && turn < 100'000; ++turn) {  // due before it is looked at
          co_await pause(1ns);
          if (ended.poll()) ++had;
        }
        CHECK(had == 3);
      });
    });
  }

  TEST_CASE("more processes than a ring holds all run") {
    on_threads(2, []() -> task<> {
      std::atomic<int> ended = 0;
      co_await with_scope([&](scope& all) -> task<> {
        for (int each = 0; each < 20'000; ++each) {
          all.go([](std::atomic<int>* count) -> task<> {
            count->fetch_add(1);
            co_return;
          }(&ended));
        }
        co_return;
      });
      CHECK(ended == 20'000);
    });
  }

  TEST_CASE("two schedulers exchange values over one channel") {
    channel<int> line;
    std::atomic<long> sum = 0;
    std::atomic<int> count = 0;
    thread_scheduler left{{.threads = 2}};
    std::thread other([&] {
      thread_scheduler right{{.threads = 2}};
      right.run(add_all(line, &sum, &count));
    });
    left.run(put_range(line, 0, 5'000));
    line.close();
    other.join();
    CHECK(count == 5'000);
  }

  TEST_CASE("a scheduler comes and goes without a run") {
    for (int round = 0; round < 50; ++round) thread_scheduler{{.threads = 3}};
  }
}
