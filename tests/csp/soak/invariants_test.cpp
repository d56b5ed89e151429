// SPDX-License-Identifier: Apache-2.0
// Goal: the invariants can fail, and a seed is one program. Method: the history of a right run, in
// which one thing was changed.

#include "invariants.hpp"

#include <doctest/doctest.h>

#include "../reference/performance.hpp"
#include "generator.hpp"

namespace {

using namespace wherry;
using namespace wherry::reference;

/// One puts three values and closes, one takes three; a third puts when that is over.
program exchange() {
  program whole{.lanes = {{lane_kind::fixed, 2}, {lane_kind::fixed, 2}}, .processes = {}};
  whole.processes.push_back({{put_to(0), put_to(0), put_to(0), close_of(0)}, 0});
  whole.processes.push_back({{take_from(0), take_from(0), take_from(0)}, 0});
  whole.processes.push_back({{put_to(0), put_to(1)}, 1});
  whole.finish();
  add_last_search(whole);
  return whole;
}

/// What is found once `change` was made.
template <class Change>
std::string found(Change change) {
  const auto whole = exchange();
  virtual_scheduler home(1);
  auto seen = perform(home, whole, real_channel);
  change(seen.processes);
  return broken_invariant(whole, seen);
}

}  // namespace

TEST_SUITE("csp/soak") {
  TEST_CASE("a right history breaks no invariant, and one with one thing changed breaks its own") {
    CHECK(found([](auto&) {}) == "");
    CHECK(found([](auto& of) { of[1][1].had.value = of[1][0].had.value; }) ==
          "value 1 was taken twice");
    CHECK(found([](auto& of) { std::swap(of[1][0].had.value, of[1][1].had.value); }) ==
          "value 1 came to one taker after what was put later");
    CHECK(found([](auto& of) { of[1][2].had.how = ending::cancelled; }) ==
          "value 3 was accepted and never came out");
    CHECK(found([](auto& of) { of[1][2].had.value = 99; }) ==
          "value 99 came out and never went in");
    CHECK(found([](auto& of) { of[0][1].had.how = ending::cancelled; }) ==
          "value 2 was taken though it was not accepted");
    CHECK(found([](auto& of) { of[1][2].had.value = 5; }) == "value 5 came out of another channel");
    CHECK(found([](auto& of) { of[2][0].had.how = ending::accepted; }) ==
          "value 4 was accepted after the close");
    CHECK(found([](auto& of) { of[1][0].had.how = ending::ended; }) ==
          "a taker was told of an end before there was a close");
    CHECK(found([](auto& of) { of[0][0].kept_values = false; }) ==
          "a value is with its putter and accepted, or neither");
    CHECK(found([](auto& of) { of[1][2].returned = operation_seen::never; }) ==
          "an operation never came back");
  }

  TEST_CASE("the same seed is the same program and another seed is another one") {
    const auto of = [](std::uint64_t seed) {
      dice random(seed);
      return to_text(random_program(random, {}));
    };
    CHECK(of(7) == of(7));
    CHECK(of(7) != of(8));
  }
}
