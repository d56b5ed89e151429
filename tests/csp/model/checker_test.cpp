// SPDX-License-Identifier: Apache-2.0
// Goal: the checker finds what it is there to find, and passes what is right. Method: programs
// whose set of outcomes is known, right ones beside ones with a planted fault.

#include <doctest/doctest.h>

#include <memory>
#include <set>
#include <string>
#include <utility>

#include "model.hpp"

namespace {

using namespace wherry::model;

/// Two threads that each store to one place and then look at the other's: Dekker's beginning.
struct two_places {
  atomic<int> x, y;
  int first = 0, second = 0;
};

/// What both have seen, over all orders.
std::set<std::string> seen_by_both(limits bounds, std::memory_order order, bool fenced) {
  std::set<std::string> outcomes;
  const auto found = explore(
      [&] {
        auto all = std::make_shared<two_places>();
        const auto look = [=](atomic<int>& mine, const atomic<int>& other, int& into) {
          mine.store(1, order);
          if (fenced) fence();
          into = other.load(order == std::memory_order_release ? std::memory_order_acquire : order);
        };
        return program{.threads = {[=] { look(all->x, all->y, all->first); },
                                   [=] { look(all->y, all->x, all->second); }},
                       .after = [=, &outcomes] {
                         outcomes.insert(std::to_string(all->first) + std::to_string(all->second));
                       }};
      },
      bounds);
  CHECK_MESSAGE(found.holds, found.violation);
  return outcomes;
}

using outcomes = std::set<std::string>;

/// A message behind a flag.
verdict pass_message(std::memory_order told, std::memory_order heard) {
  struct shared {
    plain<int> message;
    atomic<bool> ready;
  };
  return explore([=] {
    auto all = std::make_shared<shared>();
    return program{.threads = {[=] {
                                 all->message.set(7);
                                 all->ready.store(true, told);
                               },
                               [=] {
                                 while (!all->ready.load(heard)) await_change();
                                 expect(all->message.get() == 7, "the message came");
                               }}};
  });
}

/// A worker that sleeps unless there is work, and one who adds work and wakes it.
verdict wake_up(bool looks_under_the_lock) {
  struct shared {
    mutex held;
    condition told;
    atomic<int> work{0};
  };
  return explore([=] {
    auto all = std::make_shared<shared>();
    return program{.threads = {[=] {
                                 if (!looks_under_the_lock && all->work.load() != 0) return;
                                 std::unique_lock guard(all->held);
                                 bool once = looks_under_the_lock && all->work.load() != 0;
                                 all->told.wait(guard, [&] { return std::exchange(once, true); });
                               },
                               [=] {
                                 all->held.lock();
                                 all->work.store(1);
                                 all->held.unlock();
                                 all->told.notify_one();
                               }}};
  });
}

}  // namespace

TEST_SUITE("csp/model/checker") {
  TEST_CASE("all orders of two threads are tried and orders that are alike are tried once") {
    const auto sequential = seen_by_both({}, std::memory_order_seq_cst, false);
    CHECK(sequential == outcomes{"01", "10", "11"});
    const auto apart = explore([] {
      auto all = std::make_shared<two_places>();
      return program{.threads = {[=] { all->x.fetch_add(1), all->x.fetch_add(1); },
                                 [=] { all->y.fetch_add(1), all->y.fetch_add(1); }}};
    });
    CHECK(apart.holds);
    CHECK(apart.runs <= 5);  // of six orders of places that nobody shares, one ends; others are cut
  }

  TEST_CASE("with store buffers a store is seen late unless a fence or its order forbids it") {
    const limits buffers{.store_buffers = true};
    CHECK(seen_by_both({}, std::memory_order_release, false) == outcomes{"01", "10", "11"});
    CHECK(seen_by_both(buffers, std::memory_order_release, false) ==
          outcomes{"00", "01", "10", "11"});
    CHECK(seen_by_both(buffers, std::memory_order_release, true) == outcomes{"01", "10", "11"});
    CHECK(seen_by_both(buffers, std::memory_order_seq_cst, false) == outcomes{"01", "10", "11"});
  }

  TEST_CASE("an increment of two operations loses one and an increment of one does not") {
    const auto count = [](bool in_one) {
      return explore([=] {
        auto sum = std::make_shared<atomic<int>>(0);
        const auto add = [=] { in_one ? void(sum->fetch_add(1)) : sum->store(sum->load() + 1); };
        return program{.threads = {add, add, add},
                       .after = [=] { expect(sum->load() == 3, "all were counted"); }};
      });
    };
    CHECK(count(true).holds);
    const auto lost = count(false);
    CHECK_FALSE(lost.holds);
    CHECK(lost.violation.starts_with("all were counted\n"));
    CHECK(lost.violation.contains("load of #1 (0)"));
  }

  TEST_CASE("a value behind a flag needs a release and an acquire") {
    constexpr auto relaxed = std::memory_order_relaxed;
    CHECK(pass_message(std::memory_order_release, std::memory_order_acquire).holds);
    CHECK(pass_message(std::memory_order_seq_cst, std::memory_order_seq_cst).holds);
    for (const auto& found : {pass_message(relaxed, std::memory_order_acquire),
                              pass_message(std::memory_order_release, relaxed)}) {
      CHECK_FALSE(found.holds);
      CHECK(found.violation.starts_with("a plain value is read while thread 0 may write it"));
    }
  }

  TEST_CASE("a lost wake-up is found as a thread that waits for ever") {
    CHECK(wake_up(true).holds);
    const auto lost = wake_up(false);
    CHECK_FALSE(lost.holds);
    CHECK(lost.violation.starts_with("nothing can go on: thread 0 waits; "));
  }

  TEST_CASE("a deadlock of two locks is found") {
    struct two_locks {
      mutex a, b;
    };
    const auto crossed = [](bool same_order) {
      return explore([=] {
        auto all = std::make_shared<two_locks>();
        const auto hold = [](mutex& first, mutex& second) {
          first.lock();
          second.lock();
          second.unlock();
          first.unlock();
        };
        return program{
            .threads = {[=] { hold(all->a, all->b); },
                        [=] { same_order ? hold(all->a, all->b) : hold(all->b, all->a); }}};
      });
    };
    CHECK(crossed(true).holds);
    CHECK(
        crossed(false).violation.starts_with("nothing can go on: thread 0 waits; thread 1 waits"));
  }

  TEST_CASE("a compare_exchange_weak fails for no reason as often as it may") {
    const auto change = [](int failures) {
      return explore(
          [] {
            auto word = std::make_shared<atomic<int>>(0);
            return program{.threads = {[=] {
                             int had = 0;
                             expect(word->compare_exchange_weak(had, 1, std::memory_order_acq_rel,
                                                                std::memory_order_relaxed),
                                    "it was not tried again");
                           }}};
          },
          {.failures_for_no_reason = failures});
    };
    CHECK(change(0).holds);
    CHECK_FALSE(change(1).holds);
  }

  TEST_CASE("a program with more orders than the limit does not hold") {
    const auto found = explore(
        [] {
          auto word = std::make_shared<atomic<int>>(0);
          const auto add = [=] {
            for (int each = 0; each < 5; ++each) word->fetch_add(1);
          };
          return program{.threads = {add, add, add}};
        },
        {.runs = 1'000});
    CHECK_FALSE(found.holds);
    CHECK(found.violation.contains("too large"));
  }
}
