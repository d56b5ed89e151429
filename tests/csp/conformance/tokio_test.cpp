// SPDX-License-Identifier: Apache-2.0
// Goal: what tokio's mpsc tests (loom_mpsc.rs, sync_mpsc.rs) and the channel tests of Temporal's Go
// SDK (internal_coroutines_test.go) say of closing, dropping, reserving and deadlines, where no
// other test of ours says it already; and where we differ, that we do.

#include <vector>

#include "../subject.hpp"
#include "wherry/csp/select.hpp"

namespace {

using namespace wherry;
using namespace wherry::test;

steady_time now() { return scheduler::current().now(); }

}  // namespace

TEST_SUITE("csp/conformance/tokio") {
  TEST_CASE("who puts and closes is heard to the end whenever the taker comes") {
    // loom: closing_tx, closing_unbounded_tx, try_recv.
    for (const bool polls : {false, true}) {
      CAPTURE(polls);
      everywhere([polls]() -> task<> {
        const channel<int> line{fixed{16}};
        co_await with_scope([&](scope& all) -> task<> {
          all.go([](channel<int> to) -> task<> {
            CHECK(co_await to.put(1));
            to.close();
          }(line));
          std::optional<int> had;
          while (polls && !had) {
            had = line.poll();
            if (!had) co_await pause(1us);
          }
          if (!polls) had = co_await line.take();
          CHECK(had == 1);
          CHECK_FALSE(co_await line.take());
        });
      });
    }
  }

  TEST_CASE("a channel whose other handles are gone stays open until somebody closes it") {
    // dropping_tx and the like: there the last sender's end is the channel's. Here a handle is
    // not an end; a scope, or close, is.
    over_seeds(many, []() -> task<> {
      const channel<int> line{fixed{1}};
      {
        const auto copy = line;
        const put_channel<int> side(copy);
        CHECK(side.offer(1));
      }
      CHECK(line.poll() == 1);
      CHECK((co_await select(line.take(), timeout(1h).take())).index() == 1);
      CHECK(line.offer(2));
      line.close();
      CHECK(co_await line.take() == 2);
      CHECK_FALSE(co_await line.take());
    });
  }

  TEST_CASE("a close by the taker lets out what is inside and refuses the rest to its owner") {
    // recv_close_gets_none, tx_close_gets_none, close_with_reserved: rx.close().
    everywhere([]() -> task<> {
      const channel<counted> line{fixed{2}};
      std::atomic<int> accepted = 0;
      std::atomic<int> refused = 0;
      int had = 0;
      co_await with_scope([&](scope& all) -> task<> {
        all.go([](channel<counted> to, std::atomic<int>* in, std::atomic<int>* out) -> task<> {
          for (int id = 0; id < 20; ++id) {
            counted mine{id};
            if (co_await to.put(std::move(mine))) {
              in->fetch_add(1);
            } else {
              CHECK(mine.id() == id);
              out->fetch_add(1);
            }
          }
        }(line, &accepted, &refused));
        CHECK((co_await line.take())->id() == had++);
        line.close();
        while (const auto value = co_await line.take()) CHECK(value->id() == had++);
      });
      CHECK(accepted == had);
      CHECK(accepted + refused == 20);
    });
  }

  TEST_CASE("a put that is given up at its deadline has its value for the next try") {
    // reserve and permits: there room is reserved first, so that a send loses nothing when it is
    // dropped. Here a put moves only when it commits.
    over_seeds(many, []() -> task<> {
      const channel<counted> one{fixed{1}};
      CHECK(one.offer(counted{0}));
      counted mine{1};
      for (int round = 0; round < 3; ++round) {
        const auto won = co_await select(one.put(std::move(mine)), timeout(1ms).take());
        CHECK(won.index() == 1);
        CHECK(mine.id() == 1);
      }
      CHECK(one.poll()->id() == 0);
      CHECK((co_await select(one.put(std::move(mine)), timeout(1ms).take())).index() == 0);
      CHECK(one.poll()->id() == 1);
    });
  }
}

TEST_SUITE("csp/conformance/temporal") {
  TEST_CASE("a take with a deadline has at once what is there and else waits to the deadline") {
    over_seeds(many, []() -> task<> {
      for (const channel<int>& line : {channel<int>{}, channel<int>{fixed{1}}}) {
        const auto begin = now();
        CHECK((co_await select(line.take(), timeout(1min).take())).index() == 1);
        CHECK(now() - begin == 1min);
        co_await with_scope([&](scope& all) -> task<> {
          all.go([](channel<int> to) -> task<> { CHECK(co_await to.put(10)); }(line));
          const auto won = co_await select(line.take(), timeout(1min).take());
          REQUIRE(won.index() == 0);
          CHECK(std::get<0>(won) == 10);
          CHECK(now() - begin == 1min);
        });
      }
    });
  }

  TEST_CASE("a select with a default has what is there one after the other and then the default") {
    over_seeds(many, []() -> task<> {
      const channel<int> first{fixed{1}};
      const channel<int> second{fixed{1}};
      const auto look = [&] { return select(or_default, first.take(), second.take()); };
      CHECK((co_await look()).index() == 2);
      co_await first.put(1);
      CHECK((co_await look()).index() == 0);
      co_await second.put(2);
      CHECK((co_await look()).index() == 1);
      CHECK((co_await look()).index() == 2);
    });
  }

  TEST_CASE("what a select with a default took is given on before the next is asked for") {
    // TestSelectBlockingDefault: a select of theirs lost a signal when its default then waited.
    over_seeds(many, []() -> task<> {
      const channel<int> signals{fixed{1}};
      const channel<int> other{fixed{1}};
      std::vector<int> had;
      co_await with_scope([&](scope& all) -> task<> {
        all.go(put_range(signals, 0, 20));
        all.go(put_range(other, 100, 20));
        while (had.size() < 40) {
          const auto won = co_await select(or_default, signals.take(), other.take());
          if (won.index() == 0) had.push_back(*std::get<0>(won));
          if (won.index() == 1) had.push_back(*std::get<1>(won));
          if (won.index() == 2) had.push_back(*co_await signals.take());
          co_await pause(1ms);
        }
      });
      std::ranges::sort(had);
      for (int each = 0; each < 20; ++each) {
        CHECK(had[static_cast<std::size_t>(each)] == each);
        CHECK(had[static_cast<std::size_t>(each) + 20] == each + 100);
      }
    });
  }

  TEST_CASE("a select that puts goes on with each of two takers in turn") {
    over_seeds(many, []() -> task<> {
      const channel<int> first;
      const channel<int> second;
      std::vector<int> had;
      co_await with_scope([&](scope& all) -> task<> {
        for (const auto& line : {first, second}) {
          all.go([](channel<int> from, std::vector<int>* into) -> task<> {
            const auto value = co_await from.take();
            into->push_back(*value);
          }(line, &had));
        }
        CHECK((co_await select(first.put(1), second.put(2))).index() < 2);
        CHECK((co_await select(first.put(1), second.put(2))).index() < 2);
      });
      CHECK(had.size() == 2);
      CHECK(had[0] + had[1] == 3);
    });
  }
}
