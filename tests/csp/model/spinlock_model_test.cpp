// SPDX-License-Identifier: Apache-2.0
// Goal: in every order of its atomic operations the spinlock lets one in at a time, shows each what
// the one before has written, and lets everyone in at last. Method: as wait_word_model_test.cpp.

#include <doctest/doctest.h>

#include <memory>

#include "model.hpp"
#include "wherry/csp/spinlock.hpp"

namespace {

using namespace wherry::model;
using lock_of_csp = wherry::detail::basic_spinlock<atomic, relax>;

/// Looks whether it is free, and takes it in another step.
class careless_lock {
 public:
  void lock() {
    while (held_.load(std::memory_order_acquire)) await_change();
    held_.store(true, std::memory_order_relaxed);
  }
  void unlock() { held_.store(false, std::memory_order_release); }

 private:
  atomic<bool> held_{false};
};

/// Gives back without saying what was done under it.
class secretive_lock {
 public:
  void lock() {
    while (held_.exchange(true, std::memory_order_acquire)) await_change();
  }
  void unlock() { held_.store(false, std::memory_order_relaxed); }

 private:
  atomic<bool> held_{false};
};

/// Several threads count under one lock; `turns` each.
template <class Lock>
verdict count(std::size_t threads, int turns, limits bounds) {
  struct shared {
    Lock lock;
    plain<int> sum;
  };
  return explore(
      [=] {
        auto all = std::make_shared<shared>();
        const auto add = [=] {
          for (int each = 0; each < turns; ++each) {
            all->lock.lock();
            all->sum.set(all->sum.get() + 1);
            all->lock.unlock();
          }
        };
        return program{.threads = std::vector<std::function<void()>>(threads, add), .after = [=] {
                         expect(all->sum.get() == static_cast<int>(threads) * turns,
                                "all were counted");
                       }};
      },
      bounds);
}

}  // namespace

TEST_SUITE("csp/model/spinlock") {
  TEST_CASE("in every order of atomics a lock lets in one at a time and everyone at last") {
    for (const bool buffers : {false, true}) {
      for (const auto& found : {count<lock_of_csp>(2, 2, {.store_buffers = buffers}),
                                count<lock_of_csp>(3, 1, {.store_buffers = buffers})}) {
        CHECK_MESSAGE(found.holds, found.violation);
        MESSAGE("orders: ", found.runs);
      }
    }
  }
  TEST_CASE("planted: a lock that looks and then writes lets in two") {
    CHECK(count<careless_lock>(2, 1, {}).violation.contains("plain value"));
  }
  TEST_CASE("planted: an unlock that releases nothing hides what was written") {
    CHECK(count<secretive_lock>(2, 1, {}).violation.contains("plain value"));
  }
}
