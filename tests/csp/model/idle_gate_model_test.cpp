// SPDX-License-Identifier: Apache-2.0
// Goal: in every order of its atomic operations no worker sleeps at the idle gate while there is
// work that nobody else was woken for. Method: workers that take from a counter of work or sleep,
// others that add to it; a wake-up that is lost is a thread that waits for ever. With store
// buffers, since only there the fences matter. As wait_word_model_test.cpp.

#include <doctest/doctest.h>

#include <memory>

#include "csp/idle_gate.hpp"
#include "model.hpp"

namespace {

using namespace wherry::model;

constexpr auto never = [] { return wherry::steady_time::max(); };

/// The gate without what makes it right.
struct sync_without_fence : scheduled_sync {
  static void fence() {}
};

struct worked {
  atomic<int> work{0};
  atomic<int> done{0};

  bool take() {
    int there = work.load(std::memory_order_acquire);
    while (there > 0) {
      if (work.compare_exchange_weak(there, there - 1, std::memory_order_acq_rel,
                                     std::memory_order_acquire)) {
        return true;
      }
    }
    return false;
  }
};

template <class Sync>
struct shared : worked {
  wherry::basic_idle_gate<Sync> gate;

  /// Works until `all` is done, by whomever.
  void serve(int all) {
    while (!gate.is_stopped()) {
      if (!take()) {
        gate.sleep([&] { return work.load(std::memory_order_acquire) > 0; }, never);
      } else if (done.fetch_add(1, std::memory_order_acq_rel) + 1 == all) {
        gate.stop();
      }
    }
  }
  /// Only one thread adds: a store, as to a ring, that may be seen late.
  void add(int all) {
    work.store(all, std::memory_order_release);
    gate.wake_one();
  }
};

/// One worker, one who adds one piece of work.
template <class Sync>
verdict one_for_one(limits bounds) {
  return explore(
      [] {
        auto all = std::make_shared<shared<Sync>>();
        return program{.threads = {[=] { all->serve(1); }, [=] { all->add(1); }}};
      },
      bounds);
}

verdict two_who_add(limits bounds) {
  return explore(
      [] {
        auto all = std::make_shared<shared<scheduled_sync>>();
        const auto add = [=] {
          all->work.fetch_add(1, std::memory_order_release);
          all->gate.wake_one();
        };
        return program{.threads = {[=] { all->serve(2); }, add, add}};
      },
      bounds);
}

verdict two_workers(limits bounds) {
  return explore(
      [] {
        auto all = std::make_shared<shared<scheduled_sync>>();
        return program{
            .threads = {[=] { all->serve(1); }, [=] { all->serve(1); }, [=] { all->add(1); }}};
      },
      bounds);
}

}  // namespace

TEST_SUITE("csp/model/idle_gate") {
  TEST_CASE("in every order of atomics a worker that falls asleep is woken for its work") {
    for (const bool buffers : {false, true}) {
      const auto found = one_for_one<scheduled_sync>({.store_buffers = buffers});
      CHECK_MESSAGE(found.holds, found.violation);
      MESSAGE("orders: ", found.runs);
    }
  }
  TEST_CASE("in every order of atomics two who add work at once wake the one who sleeps") {
    const auto found = two_who_add({});
    CHECK_MESSAGE(found.holds, found.violation);
    MESSAGE("orders: ", found.runs);
  }
  TEST_CASE("in every order of atomics of two workers one does the work and both hear the end") {
    const auto found = two_workers({});
    CHECK_MESSAGE(found.holds, found.violation);
    MESSAGE("orders: ", found.runs);
  }
  TEST_CASE("in every order of atomics a timer that is added is slept for") {
    // What add_timer does: the due time is published, then the gate told. A worker that waits for
    // ever has not seen it.
    struct timed : shared<scheduled_sync> {
      atomic<bool> due{false};
    };
    const auto found = explore(
        [] {
          auto all = std::make_shared<timed>();
          return program{.threads = {[=] {
                                       while (!all->due.load(std::memory_order_acquire)) {
                                         all->gate.sleep(
                                             [] { return false; },
                                             [&] {
                                               return all->due.load(std::memory_order_acquire)
                                                          ? wherry::steady_time{}
                                                          : wherry::steady_time::max();
                                             });
                                       }
                                     },
                                     [=] {
                                       all->due.store(true, std::memory_order_release);
                                       all->gate.wake_one();
                                     }}};
        },
        {.store_buffers = true});
    CHECK_MESSAGE(found.holds, found.violation);
  }

  TEST_CASE("planted: without its fences a gate loses a wake-up") {
    CHECK(one_for_one<sync_without_fence>({}).holds);  // where stores are seen at once, it would do
    const auto found = one_for_one<sync_without_fence>({.store_buffers = true});
    CHECK(found.violation.starts_with("nothing can go on: thread 0 waits; \n"));
  }
  TEST_CASE("planted: who looks for sleepers before the work is published loses a wake-up") {
    const auto found = explore([] {
      auto all = std::make_shared<shared<scheduled_sync>>();
      return program{.threads = {[=] { all->serve(1); },
                                 [=] {
                                   all->gate.wake_one();
                                   all->work.store(1, std::memory_order_release);
                                 }}};
    });
    CHECK(found.violation.starts_with("nothing can go on: thread 0 waits; \n"));
  }
  TEST_CASE("planted: a worker that counts itself after its last look sleeps through its work") {
    struct hasty : worked {
      mutex held;
      condition told;
      atomic<int> sleepers{0}, wakes{0};
    };
    const auto found = explore([] {
      auto all = std::make_shared<hasty>();
      return program{.threads = {[=] {
                                   while (!all->take()) {
                                     const auto before = all->wakes.load();
                                     if (all->work.load() > 0) continue;
                                     all->sleepers.fetch_add(1);
                                     std::unique_lock guard(all->held);
                                     all->told.wait(guard,
                                                    [&] { return all->wakes.load() != before; });
                                   }
                                 },
                                 [=] {
                                   all->work.store(1);
                                   if (all->sleepers.load() == 0) return;
                                   all->held.lock();
                                   all->wakes.fetch_add(1);
                                   all->held.unlock();
                                   all->told.notify_one();
                                 }}};
    });
    CHECK(found.violation.starts_with("nothing can go on: thread 0 waits; \n"));
  }
}
