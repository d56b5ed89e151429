// SPDX-License-Identifier: Apache-2.0
// Goal: in every order of its atomic operations each coroutine in a run ring is taken once, by whom
// it may be, with all that was written before it was pushed. Method: rings of two and four places,
// so that they wrap; a worker that pushes and takes, and thieves. As wait_word_model_test.cpp.

#include <doctest/doctest.h>

#include <array>
#include <coroutine>
#include <memory>

#include "csp/run_ring.hpp"
#include "model.hpp"

namespace {

using namespace wherry::model;
using coroutine = std::coroutine_handle<>;

constexpr std::size_t items = 4;

/// What is pushed: only its address matters to the ring.
struct frame {
  plain<int> written{0};
  plain<int> taken{0};
};

template <class Ring>
struct shared {
  Ring ring;
  std::array<frame, items> frames;
  bool push(std::size_t which) {
    frames[which].written.set(1);
    return ring.push(coroutine::from_address(&frames[which]));
  }
  void take(coroutine had) {
    auto& of = *static_cast<frame*>(had.address());
    expect(of.written.get() == 1, "all that was written before the push is seen");
    of.taken.set(of.taken.get() + 1);  // and by nobody else
  }
  bool pop() {
    const auto had = ring.pop();
    if (had) take(had);
    return static_cast<bool>(had);
  }
  template <std::size_t Most>
  void steal() {
    std::array<coroutine, Most> into;
    const auto count = ring.grab(into);
    std::size_t before = 0;
    for (std::size_t each = 0; each < count; ++each) {
      take(into[each]);
      const auto which =
          static_cast<std::size_t>(static_cast<frame*>(into[each].address()) - frames.data());
      expect(each == 0 || which == before + 1, "what is grabbed is in order");
      before = which;
    }
  }
  /// What is left, and that each was there once.
  void settle() {
    while (pop()) {}
    for (const auto& each : frames) {
      expect(each.taken.get() == each.written.get(), "each was taken once");
    }
  }
};

/// The head is read, and written in another step.
template <template <class> class Atomic, std::uint32_t Size>
class careless_ring {
 public:
  bool push(coroutine ready) {
    const auto tail = tail_.load(std::memory_order_relaxed);
    slots_[tail % Size].store(ready.address(), std::memory_order_relaxed);
    tail_.store(tail + 1, std::memory_order_release);
    return true;
  }
  coroutine pop() {
    const auto head = head_.load(std::memory_order_acquire);
    if (tail_.load(std::memory_order_acquire) == head) return nullptr;
    void* const first = slots_[head % Size].load(std::memory_order_relaxed);
    head_.store(head + 1, std::memory_order_release);
    return coroutine::from_address(first);
  }
  template <std::size_t Most>
  std::size_t grab(std::array<coroutine, Most>& into) {
    into[0] = pop();
    return into[0] ? 1 : 0;
  }

 private:
  std::array<Atomic<void*>, Size> slots_{};
  Atomic<std::uint32_t> head_{0}, tail_{0};
};

/// A worker pushes three and takes one; one steals half, if asked for another one.
template <class Ring>
verdict worker_and_thieves(std::size_t thieves, limits bounds) {
  return explore(
      [=] {
        auto all = std::make_shared<shared<Ring>>();
        program subject{.threads = {}, .after = [=] { all->settle(); }};
        subject.threads.push_back([=] {
          for (std::size_t each = 0; each < 3; ++each) expect(all->push(each), "there is room");
          all->pop();
        });
        subject.threads.push_back([=] { all->template steal<2>(); });
        if (thieves == 2) subject.threads.push_back([=] { all->pop(); });
        return subject;
      },
      bounds);
}

/// A ring of two that is full: the worker takes two out and puts two in, over the places that a
/// thief may just be reading.
template <class Ring>
verdict wrap_around(limits bounds) {
  return explore(
      [] {
        auto all = std::make_shared<shared<Ring>>();
        expect(all->push(0) && all->push(1), "there is room for two");
        return program{.threads = {[=] {
                                     all->pop();
                                     all->push(2);
                                     all->pop();
                                     all->push(3);
                                   },
                                   [=] { all->template steal<2>(); }},
                       .after = [=] { all->settle(); }};
      },
      bounds);
}

}  // namespace

TEST_SUITE("csp/model/run_ring") {
  TEST_CASE("in every order of atomics what a worker pushes is taken once by it or by thieves") {
    const auto found =
        worker_and_thieves<wherry::basic_run_ring<atomic, 4>>(2, {.failures_for_no_reason = 1});
    CHECK_MESSAGE(found.holds, found.violation);
    MESSAGE("orders: ", found.runs);
    const auto buffered =
        worker_and_thieves<wherry::basic_run_ring<atomic, 4>>(1, {.store_buffers = true});
    CHECK_MESSAGE(buffered.holds, buffered.violation);
    MESSAGE("orders with store buffers: ", buffered.runs);
  }
  TEST_CASE(
      "in every order of atomics a ring that wraps gives out no place that was written anew") {
    const auto found = wrap_around<wherry::basic_run_ring<atomic, 2>>(
        {.store_buffers = true, .failures_for_no_reason = 1});
    CHECK_MESSAGE(found.holds, found.violation);
    MESSAGE("orders: ", found.runs);
  }
  TEST_CASE("planted: a take in two steps hands out one coroutine twice") {
    CHECK_FALSE(worker_and_thieves<careless_ring<atomic, 4>>(2, {}).holds);
  }
}
