// SPDX-License-Identifier: Apache-2.0
// Goal: the checker can fail. Method: channels that are wrong on purpose, each in one way, of which
// it must find every one among the smallest programs; and histories of a right run in which one
// word was changed.

#include <doctest/doctest.h>

#include "flawed_channel.hpp"
#include "orders.hpp"

namespace {

using namespace wherry;
using namespace wherry::reference;

/// Two processes of two operations each, on a channel of each kind: the first fault found.
template <class State>
std::string fault_of() {
  const std::vector<action> letters{put_to(0), take_from(0), offer_to(0), poll_from(0),
                                    close_of(0)};
  const auto size = letters.size();
  for (const auto& kind :
       {lane{lane_kind::rendezvous, 0}, lane{lane_kind::fixed, 1}, lane{lane_kind::fixed, 2}}) {
    for (std::size_t which = 0; which < size * size * size * size; ++which) {
      program whole{.lanes = {kind}, .processes = {}};
      whole.processes.push_back({{letters[which % size], letters[which / size % size]}, 0});
      whole.processes.push_back(
          {{letters[which / size / size % size], letters[which / size / size / size]}, 0});
      whole.finish();
      const auto seen = in_every_order(whole, make_flawed<State>());
      if (!seen.fault.empty()) return seen.fault;
    }
  }
  return {};
}

program two_exchanges() {
  program whole{.lanes = {{lane_kind::fixed, 1}}, .processes = {}};
  whole.processes.push_back({{put_to(0), put_to(0), put_to(0), put_to(0)}, 0});
  whole.processes.push_back({{take_from(0), take_from(0)}, 0});
  whole.finish();
  return whole;
}

history right_history(const program& of) {
  virtual_scheduler home(1);
  return perform(home, of, real_channel);
}

void reject(const program& of, const history& changed) {
  CHECK_FALSE(unexplained(of, changed, points::at_call).empty());
  CHECK_FALSE(unexplained(of, changed, points::anywhere).empty());
}

}  // namespace

TEST_SUITE("csp/exhaustive/checker") {
  TEST_CASE("a channel that is wrong in one way is found to be, and a right one is not") {
    CHECK(fault_of<sound_state>().empty());
    CHECK_FALSE(fault_of<loses_values>().empty());
    CHECK_FALSE(fault_of<doubles_values>().empty());
    CHECK_FALSE(fault_of<misses_each_other>().empty());
    CHECK_FALSE(fault_of<empties_on_close>().empty());
    CHECK_FALSE(fault_of<accepts_when_closed>().empty());
    CHECK_FALSE(fault_of<keeps_refused_values>().empty());
    CHECK_FALSE(fault_of<swaps_values>().empty());
  }

  TEST_CASE("what is found is told with program, order, operation and answer") {
    const auto fault = fault_of<loses_values>();
    INFO(fault);
    CHECK(fault.find("channel 0: rendezvous") != std::string::npos);
    CHECK(fault.find("order 1: process 0, put 1 to 0: accepted") != std::string::npos);
  }

  TEST_CASE("a history is explained as it was, and not with one word changed") {
    const auto whole = two_exchanges();
    const auto right = right_history(whole);
    CHECK(unexplained(whole, right, points::at_call) == "");
    CHECK(unexplained(whole, right, points::anywhere) == "");

    auto lost = right;
    lost.processes[1][1].had.value = 0;
    reject(whole, lost);
    auto doubled = right;
    doubled.processes[1][1].had.value = right.processes[1][0].had.value;
    reject(whole, doubled);
    auto swapped = right;
    std::swap(swapped.processes[1][0].had.value, swapped.processes[1][1].had.value);
    reject(whole, swapped);
    auto refused = right;
    refused.processes[0][0].had.how = ending::refused;
    reject(whole, refused);
    auto cancelled_too_late = right;  // its value was taken
    cancelled_too_late.processes[0][1].had.how = ending::cancelled;
    reject(whole, cancelled_too_late);
    auto kept_twice = right;
    kept_twice.processes[0][0].kept_values = false;
    reject(whole, kept_twice);
  }

  TEST_CASE("a process that waits although it could go on is found when nothing can go on") {
    const auto whole = two_exchanges();
    auto stuck = right_history(whole);
    auto& last_take = stuck.processes[1][1];
    // As if it had not come back before the end.
    std::swap(last_take.returned, stuck.quiet[0].stamp);
    CHECK_FALSE(unexplained(whole, stuck, points::at_call).empty());
  }

  TEST_CASE("two operations at once are explained in either order, one after the other in one") {
    program whole{.lanes = {{lane_kind::fixed, 2}}, .processes = {}};
    whole.processes.push_back({{put_to(0)}, 0});
    whole.processes.push_back({{put_to(0)}, 0});
    whole.processes.push_back({{take_from(0)}, 0});
    whole.finish();
    const auto told = [&](std::initializer_list<long> stamps, int taken) {
      const std::vector<long> at(stamps);
      history seen;
      seen.processes.resize(4);
      const auto note = [&](std::size_t who, long called, long returned, answer had) {
        seen.processes[who].push_back({.what = &whole.processes[who].actions[0],
                                       .called = called,
                                       .returned = returned,
                                       .had = had});
      };
      note(0, at[0], at[1], {.how = ending::accepted});
      note(1, at[2], at[3], {.how = ending::accepted});
      note(2, 4, 5, {.how = ending::taken, .arm = 0, .value = taken});
      seen.stamps = 6;
      return unexplained(whole, seen, points::anywhere);
    };
    CHECK(told({0, 2, 1, 3}, 1) == "");
    CHECK(told({0, 2, 1, 3}, 2) == "");
    CHECK(told({0, 1, 2, 3}, 1) == "");
    CHECK(told({0, 1, 2, 3}, 2) != "");
  }
}
