// SPDX-License-Identifier: Apache-2.0
// Goal: small programs are right in every order, and all small programs are gone through, not only
// those that somebody thought of. After Lincheck (Kotlin) and loom (tokio), one level higher: what
// is scheduled here are operations; the atomics below them have tests/csp/model.
//
// Method: programs are lists of operations out of an alphabet, each multiset of processes once (who
// is called first makes no difference). Each is played in all its orders and must be the model's in
// each: answers, who waits when nothing can go on, values at their putter exactly if they were not
// accepted, nothing alive at the end.

#include "orders.hpp"

#include <doctest/doctest.h>

#include <random>
#include <set>

#include "size.hpp"

namespace {

using namespace wherry;
using namespace wherry::reference;

using alphabet = std::vector<action>;
using word = std::vector<action>;

constexpr lane rendezvous{lane_kind::rendezvous, 0};
constexpr lane one{lane_kind::fixed, 1};
const std::vector<lane> every_lane{rendezvous,
                                   one,
                                   {lane_kind::fixed, 2},
                                   {lane_kind::dropping, 1},
                                   {lane_kind::sliding, 1},
                                   {lane_kind::promise, 0}};

alphabet single_operations() {
  return {put_to(0), take_from(0), offer_to(0), poll_from(0), close_of(0)};
}

constexpr arm put0{side::put, 0, 0}, put1{side::put, 1, 0};
constexpr arm take0{side::take, 0, 0}, take1{side::take, 1, 0};

alphabet selects() {
  return {select_of(manner::fair, {take0, take1}),     select_of(manner::fair, {put0, put1}),
          select_of(manner::fair, {put0, take1}),      select_of(manner::fair, {take0, put1}),
          select_of(manner::fair, {put0, take0}),      select_of(manner::priority, {take1, put0}),
          select_of(manner::or_default, {take0, put1})};
}

/// All words of exactly `length` letters.
std::vector<word> words(const alphabet& letters, std::size_t length) {
  std::vector<word> all{{}};
  for (std::size_t each = 0; each < length; ++each) {
    std::vector<word> longer;
    for (const auto& so_far : all) {
      for (const auto& letter : letters) {
        longer.push_back(so_far);
        longer.back().push_back(letter);
      }
    }
    all = std::move(longer);
  }
  return all;
}

class enumeration {
 public:
  explicit enumeration(std::vector<lane> lanes, long stride = 1)
      : lanes_(std::move(lanes)), stride_(stride) {}

  /// Processes of which `own` are the first, and each multiset of `count` words the others.
  void with_each(const std::vector<word>& choices, std::size_t count, std::vector<word> own = {},
                 std::size_t from = 0) {
    if (count == 0) return play(own);
    for (std::size_t each = from; each < choices.size(); ++each) {
      own.push_back(choices[each]);
      with_each(choices, count - 1, own, each);
      own.pop_back();
    }
  }

  void play(const std::vector<word>& processes) {
    if (number_++ % stride_ != 0) return;
    program whole{.lanes = lanes_, .processes = {}};
    for (const auto& each : processes) whole.processes.push_back({each, 0});
    whole.finish();
    const auto seen = in_every_order(whole, real_channel);
    if (!seen.fault.empty()) FAIL(seen.fault);
    ++programs;
    orders += seen.orders;
  }

  long programs = 0;
  long orders = 0;

 private:
  std::vector<lane> lanes_;
  long stride_;
  long number_ = 0;
};

void report(const std::string& what, long programs, long orders) {
  MESSAGE(what, ": ", programs, " programs in ", orders, " orders");
  CHECK(orders > programs);
}

}  // namespace

TEST_SUITE("csp/exhaustive") {
  TEST_CASE("all pairs of processes of three operations on one channel are right in every order") {
    long programs = 0, orders = 0;
    for (const auto& kind : every_lane) {
      enumeration all({kind}, thorough ? 1 : 101);
      all.with_each(words(single_operations(), 3), 2);
      programs += all.programs, orders += all.orders;
    }
    report("two of three operations", programs, orders);
  }

  TEST_CASE("all triples of processes of two operations on one channel are right in every order") {
    long programs = 0, orders = 0;
    for (const auto& kind : every_lane) {
      enumeration all({kind}, thorough ? 1 : 211);
      all.with_each(words(single_operations(), 2), 3);
      programs += all.programs, orders += all.orders;
    }
    report("three of two operations", programs, orders);
  }

  TEST_CASE("two processes are right in every order when a third cancels one or both of them") {
    long programs = 0, orders = 0;
    for (const auto& kind : every_lane) {
      for (const auto& canceller :
           {word{cancel_of(1)}, word{cancel_of(1), cancel_of(2)}, word{cancel_of(1), close_of(0)},
            word{put_to(0), cancel_of(1)}, word{cancel_of(1), take_from(0)}}) {
        enumeration all({kind}, thorough ? 1 : 23);
        all.with_each(words(single_operations(), 2), 2, {canceller});
        programs += all.programs, orders += all.orders;
      }
    }
    report("two of two operations, cancelled", programs, orders);
  }

  TEST_CASE("two processes with selects over two channels are right in every order") {
    alphabet letters = selects();
    for (const auto& each : {put_to(0), take_from(1), close_of(0)}) letters.push_back(each);
    long programs = 0, orders = 0;
    for (const auto& first : {rendezvous, one}) {
      for (const auto& second : {rendezvous, one}) {
        enumeration all({first, second}, thorough ? 1 : 211);
        all.with_each(words(letters, 2), 2);
        programs += all.programs, orders += all.orders;
      }
    }
    report("two of two selects", programs, orders);
  }

  TEST_CASE("three processes with selects, cancelled or not, are right in every order") {
    alphabet letters = selects();
    for (const auto& each : {put_to(0), take_from(1), close_of(0), cancel_of(0)}) {
      letters.push_back(each);
    }
    long programs = 0, orders = 0;
    for (const auto& first : {rendezvous, one}) {
      enumeration all({first, rendezvous}, thorough ? 1 : 211);
      for (const auto& own : words(selects(), 2)) all.with_each(words(letters, 1), 2, {own});
      for (const auto& own : words(selects(), 1)) all.with_each(words(letters, 1), 3, {own});
      programs += all.programs, orders += all.orders;
    }
    report("selects among three and four", programs, orders);
  }

  TEST_CASE("programs of three processes of three operations, drawn, are right in every order") {
    alphabet letters = selects();
    for (const auto& each : {put_to(0), take_from(0), put_to(1), take_from(1), offer_to(0),
                             poll_from(1), close_of(0), cancel_of(0), cancel_of(1)}) {
      letters.push_back(each);
    }
    std::mt19937_64 random(3);
    enumeration all({rendezvous, one});
    for (int drawn = 0; drawn < (thorough ? 50 : 1); ++drawn) {
      std::vector<word> processes(3);
      for (auto& each : processes) {
        for (int step = 0; step < 3; ++step) each.push_back(letters[random() % letters.size()]);
      }
      all.play(processes);
    }
    report("three of three operations", all.programs, all.orders);
  }

  TEST_CASE("both orders in which a fair select may look at its cases are gone through") {
    program whole{.lanes = {one, one}, .processes = {}};
    whole.processes.push_back({{put_to(0), put_to(1), select_of(manner::fair, {take0, take1})}, 0});
    whole.finish();
    std::set<int> chosen;
    test::every_choice choices;
    while (choices.next()) {
      performance_options options;
      options.before_draw = [&] {
        wherry::detail::this_thread.random = draw_for[choices.choose(2)];
      };
      virtual_scheduler home(1);
      chosen.insert(perform(home, whole, real_channel, options).processes[0][2].had.arm);
    }
    CHECK(choices.runs() == 2);
    CHECK(chosen == std::set<int>{0, 1});
  }
}
