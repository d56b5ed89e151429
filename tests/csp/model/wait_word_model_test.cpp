// SPDX-License-Identifier: Apache-2.0
// Goal: in every order of its atomic operations the word of a process ends each wait once, and ends
// it if anybody was to. Method: all orders of small programs, weak exchanges that fail for no
// reason and store buffers included; the same programs with a planted fault.

#include <doctest/doctest.h>

#include <memory>

#include "model.hpp"
#include "wherry/csp/wait_word.hpp"

namespace {

using namespace wherry::model;
using word = wherry::detail::basic_wait_word<atomic>;

constexpr limits every_way{.store_buffers = true, .failures_for_no_reason = 1};

/// As the real one, but it looks and then writes.
class careless_word : public word {
 public:
  bool claim() {
    if (!parked_.load(std::memory_order_acquire)) return false;
    parked_.store(false, std::memory_order_release);
    return true;
  }
  bool cancel() { return claim(); }
  bool park() {
    parked_.store(true, std::memory_order_release);
    return true;
  }

 private:
  atomic<bool> parked_{false};
};

/// As the real one, but it marks and then claims: between the two the process may wait anew.
class two_step_word : public word {
 public:
  bool cancel() {
    marked_.store(true, std::memory_order_seq_cst);
    return claim();
  }

 private:
  atomic<bool> marked_{false};
};

/// As the real one, but it looks for a cancellation before it parks, in two steps.
class early_look_word {
 public:
  bool park() {
    if (cancelled_.load(std::memory_order_seq_cst)) return false;
    parked_.store(true, std::memory_order_seq_cst);
    return true;
  }
  bool claim() {
    bool parked = true;
    return parked_.compare_exchange_strong(parked, false, std::memory_order_seq_cst,
                                           std::memory_order_seq_cst);
  }
  bool cancel() {
    cancelled_.store(true, std::memory_order_seq_cst);
    return claim();
  }

 private:
  atomic<bool> parked_{false}, cancelled_{false};
};

template <class Word>
struct waiting {
  Word of;
  plain<int> resume{0};  // what the process leaves for whoever ends its wait
  plain<int> slot{0};    // what they leave for the process
  atomic<int> ended{0};  // how often it was woken
  bool won[3] = {};

  void wake(int by) {
    expect(resume.get() == 1, "what resumes it was there");
    slot.set(by);
    ended.fetch_add(1, std::memory_order_acq_rel);
  }
  void wait(int already = 0) {
    while (ended.load(std::memory_order_acquire) == already) await_change();
  }
};

/// A process parks; one offers to end its wait; another cancels it. Nobody else ever wakes it.
template <class Word>
verdict park_beside_cancel(limits bounds) {
  return explore(
      [] {
        auto all = std::make_shared<waiting<Word>>();
        return program{
            .threads = {[=] {
                          all->resume.set(1);
                          if (!all->of.park()) return;
                          all->wait();
                          expect(all->slot.get() > 0, "who woke it had filled its slot");
                        },
                        [=] {
                          if (all->of.claim()) all->wake(1);
                        },
                        [=] {
                          if (all->of.cancel()) all->wake(2);
                        }},
            .after = [=] { expect(all->ended.load() <= 1, "it was woken once at most"); }};
      },
      bounds);
}

/// Three end one wait.
template <class Word>
verdict three_claims(limits bounds) {
  return explore(
      [] {
        auto all = std::make_shared<waiting<Word>>();
        all->resume.set(1);
        expect(all->of.park(), "nobody has cancelled it");
        return program{.threads = {[=] { all->won[0] = all->of.claim(); },
                                   [=] { all->won[1] = all->of.claim(); },
                                   [=] { all->won[2] = all->of.cancel(); }},
                       .after = [=] {
                         expect(all->won[0] + all->won[1] + all->won[2] == 1, "exactly one did");
                       }};
      },
      bounds);
}

/// The process was served, shields itself and parks again, while a cancellation is on its way: it
/// may end the first wait, never the shielded one, which the second claim ends.
template <class Word>
verdict late_cancel(limits bounds) {
  return explore(
      [] {
        auto all = std::make_shared<waiting<Word>>();
        all->resume.set(1);
        expect(all->of.park(), "nobody has cancelled it");
        return program{.threads = {[=] {
                                     all->won[0] = all->of.claim();  // and goes on as the process
                                     if (!all->won[0]) return;
                                     all->of.shield();
                                     expect(all->of.park(), "what is shielded parks");
                                   },
                                   [=] { all->won[1] = all->of.cancel(); }},
                       .after = [=] {
                         expect(all->won[0] != all->won[1], "one of both ended the first wait");
                         if (!all->won[0]) return;
                         expect(all->of.claim(), "the shielded wait goes on");
                         all->of.unshield();
                       }};
      },
      bounds);
}

}  // namespace

TEST_SUITE("csp/model/wait_word") {
  TEST_CASE("in every order of atomics a process that parks beside a cancellation goes on") {
    const auto found = park_beside_cancel<word>(every_way);
    CHECK_MESSAGE(found.holds, found.violation);
    MESSAGE("orders: ", found.runs);
  }
  TEST_CASE("in every order of atomics exactly one of three ends a wait") {
    const auto found = three_claims<word>(every_way);
    CHECK_MESSAGE(found.holds, found.violation);
    MESSAGE("orders: ", found.runs);
  }
  TEST_CASE("in every order of atomics a cancellation that is late leaves a shielded wait alone") {
    const auto found = late_cancel<word>(every_way);
    CHECK_MESSAGE(found.holds, found.violation);
    MESSAGE("orders: ", found.runs);
  }

  TEST_CASE("planted: a claim that looks and then writes is won twice") {
    const auto found = three_claims<careless_word>({});
    CHECK(found.violation.starts_with("exactly one did\n"));
  }
  TEST_CASE("planted: a cancellation in two steps ends a wait that it must not") {
    const auto found = late_cancel<two_step_word>({});
    CHECK(found.violation.starts_with("the shielded wait goes on\n"));
  }
  TEST_CASE("planted: a park that looks too early sleeps through its cancellation") {
    // Alone with its cancellation: no claim comes to its help.
    const auto found = explore([] {
      auto all = std::make_shared<waiting<early_look_word>>();
      return program{.threads = {[=] {
                                   all->resume.set(1);
                                   if (all->of.park()) all->wait();
                                 },
                                 [=] {
                                   if (all->of.cancel()) all->wake(1);
                                 }}};
    });
    CHECK(found.violation.starts_with("nothing can go on: thread 0 waits; "));
  }
}
