// SPDX-License-Identifier: Apache-2.0
// Goal: select does what it says in every situation, not in those somebody thought of. After the
// enumerating selectWatch test of Go's reflect package (TestSelect), with a model for the answer.
//
// Method: every select of one to four cases over every situation of its channels; channels may
// stand in several cases. First peers park, then channels are closed or peers cancelled, then the
// select runs; if it waits, one thing happens that may end its wait, each possible one in a run of
// its own; at last every channel is emptied and filled, so that what a loser left behind shows. The
// whole history must be the model's, and nothing may be left alive.

#include <doctest/doctest.h>

#include <algorithm>

#include "../reference/performance.hpp"
#include "size.hpp"

namespace {

using namespace wherry;
using namespace wherry::reference;

/// How a channel is before the select.
struct situation {
  lane of;
  std::vector<action> first;   // each by a process of its own, in this order
  std::vector<action> second;  // by one process, once those have parked
};

constexpr lane rendezvous{lane_kind::rendezvous, 0};
constexpr lane one{lane_kind::fixed, 1};

/// Channel 0 stands for the one that is meant.
std::vector<situation> all_situations() {
  const auto put = put_to(0);
  const auto take = take_from(0);
  return {{rendezvous, {}, {}},                             // nothing is ready
          {rendezvous, {put}, {}},                          // a peer waits to put
          {rendezvous, {take}, {}},                         // a peer waits to take
          {rendezvous, {}, {close_of(0)}},                  //
          {rendezvous, {put}, {close_of(0)}},               // closed, but not drained
          {one, {}, {}},                                    // room
          {one, {put}, {}},                                 // a value
          {one, {put, put}, {}},                            // a value, and one behind it
          {one, {take}, {}},                                //
          {one, {put}, {close_of(0)}},                      //
          {rendezvous, {put, put}, {}},                     // peers in order
          {rendezvous, {take, take}, {}},                   //
          {{lane_kind::fixed, 2}, {put}, {}},               // a value and room
          {{lane_kind::dropping, 1}, {put}, {}},            // never full
          {{lane_kind::sliding, 1}, {put}, {}},             //
          {{lane_kind::sliding, 1}, {take}, {}},            //
          {{lane_kind::promise, 0}, {take, take}, {}},      // one value for all of them
          {{lane_kind::promise, 0}, {put}, {close_of(0)}},  //
          {one, {put, put, put}, {close_of(0)}},            //
          {rendezvous, {put}, {cancel_of(0)}},              // a peer that gave up
          {rendezvous, {put, put}, {cancel_of(0)}},         // the first of two gave up
          {one, {put, put}, {cancel_of(1)}},                //
          {rendezvous, {}, {offer_to(0), poll_from(0), close_of(0)}}};
}

/// As above, on channel `at`, by processes from `first_process` on.
action moved(action step, std::size_t at, std::size_t first_process) {
  const auto lane = static_cast<std::uint8_t>(at);
  for (auto& each : step.arms) each.lane = lane;
  step.target =
      step.what == verb::cancel ? static_cast<std::uint8_t>(step.target + first_process) : lane;
  return step;
}

struct shape {
  std::vector<std::size_t> lane_of_case;
  std::vector<const situation*> lanes;
  unsigned puts = 0;  // a bit a case
  manner how = manner::fair;
};

constexpr int phase_of_select = 4;

/// What comes before the select, and the select. Gives its process.
std::size_t lay_out(const shape& wanted, program& into) {
  for (std::size_t at = 0; at < wanted.lanes.size(); ++at) {
    const situation& now = *wanted.lanes[at];
    const std::size_t first_process = into.processes.size();
    into.lanes.push_back(now.of);
    for (std::size_t each = 0; each < now.first.size(); ++each) {
      into.processes.push_back(
          {{moved(now.first[each], at, first_process)}, static_cast<int>(each)});
    }
    script second{.actions = {}, .phase = phase_of_select - 1};
    for (const auto& each : now.second) second.actions.push_back(moved(each, at, first_process));
    if (!second.actions.empty()) into.processes.push_back(std::move(second));
  }
  action select{.what = verb::select,
                .how = wanted.how,
                .count = static_cast<std::uint8_t>(wanted.lane_of_case.size())};
  for (std::size_t each = 0; each < select.count; ++each) {
    const bool puts = (wanted.puts >> each & 1) != 0;
    select.arms[each] = {puts ? side::put : side::take,
                         static_cast<std::uint8_t>(wanted.lane_of_case[each]), 0};
  }
  into.processes.push_back({{select}, phase_of_select});
  return into.processes.size() - 1;
}

/// Empties and fills every channel: three times, for what is parked, buffered, and left behind.
void search_all(program& into) {
  script search{.actions = {}, .phase = phase_of_select + 2};
  for (std::size_t at = 0; at < into.lanes.size(); ++at) {
    for (int round = 0; round < 3; ++round) search.actions.push_back(poll_from(at));
    for (int round = 0; round < 3; ++round) search.actions.push_back(offer_to(at));
  }
  into.processes.push_back(std::move(search));
}

/// What was seen over all programs.
struct tally {
  long programs = 0;
  long waited = 0;
};

history play(const program& whole, std::uint64_t seed, tally& all) {
  history seen;
  {
    virtual_scheduler home(seed);
    seen = perform(home, whole, real_channel);
  }
  ++all.programs;
  const auto fault = unexplained(whole, seen, points::at_call);
  if (!fault.empty() || token::alive() != 0) {
    FAIL(to_text(whole), "seed ", seed, ": ", fault, "; alive: ", token::alive());
  }
  return seen;
}

/// One select, and if it waits, all that may end its wait.
void play_all_ends(const shape& wanted, tally& all) {
  program base;
  const std::size_t asking = lay_out(wanted, base);
  program alone = base;
  search_all(alone);
  alone.finish();
  const auto seed = static_cast<std::uint64_t>(all.programs + 1);
  const auto seen = play(alone, seed, all);
  const auto& select = seen.processes[asking].front();
  // The last thing before the search is the quiet instant that ends the phase of the select.
  const bool waited = select.returned == operation_seen::never ||
                      select.returned > seen.quiet[phase_of_select].stamp;
  if (!waited) return;
  ++all.waited;
  for (std::size_t each = 0; each < wanted.lane_of_case.size(); ++each) {
    const std::size_t at = wanted.lane_of_case[each];
    const bool puts = (wanted.puts >> each & 1) != 0;
    for (const auto& end : {puts ? poll_from(at) : offer_to(at), close_of(at),
                            puts ? take_from(at) : put_to(at), cancel_of(asking)}) {
      program ended = base;
      ended.processes.push_back({{end}, phase_of_select + 1});
      search_all(ended);
      ended.finish();
      play(ended, seed, all);
      if (end.what == verb::cancel && each > 0) break;  // once is enough
    }
  }
}

/// Every way in which `cases` cases may share channels: which channel each one is on.
std::vector<std::vector<std::size_t>> all_sharings(std::size_t cases) {
  std::vector<std::vector<std::size_t>> all{{}};
  for (std::size_t each = 0; each < cases; ++each) {
    std::vector<std::vector<std::size_t>> longer;
    for (const auto& so_far : all) {
      const std::size_t used = so_far.empty() ? 0 : std::ranges::max(so_far) + 1;
      for (std::size_t at = 0; at <= used; ++at) {
        longer.push_back(so_far);
        longer.back().push_back(at);
      }
    }
    all = std::move(longer);
  }
  return all;
}

/// Every select of `cases` cases over `situations`; of those only each `stride`th.
tally enumerate(std::size_t cases, const std::vector<situation>& situations, long stride) {
  tally all;
  long number = 0;
  for (const auto& sharing : all_sharings(cases)) {
    const std::size_t lanes = std::ranges::max(sharing) + 1;
    long combinations = 1;
    for (std::size_t at = 0; at < lanes; ++at) combinations *= static_cast<long>(situations.size());
    for (long which = 0; which < combinations; ++which) {
      shape wanted{.lane_of_case = sharing, .lanes = {}};
      auto rest = static_cast<std::size_t>(which);
      for (std::size_t at = 0; at < lanes; ++at, rest /= situations.size()) {
        wanted.lanes.push_back(&situations[rest % situations.size()]);
      }
      for (wanted.puts = 0; wanted.puts < 1U << cases; ++wanted.puts) {
        for (const auto how : {manner::fair, manner::priority, manner::or_default}) {
          wanted.how = how;
          if (number++ % stride == 0) play_all_ends(wanted, all);
        }
      }
    }
  }
  MESSAGE(cases, " cases: ", number / stride, " selects, ", all.waited, " of them waited, ",
          all.programs, " programs");
  return all;
}

}  // namespace

TEST_SUITE("csp/exhaustive") {
  TEST_CASE("every select of one or two cases does what the model says") {
    CHECK(enumerate(1, all_situations(), 1).waited > 0);
    CHECK(enumerate(2, all_situations(), thorough ? 1 : 7).waited > 0);
  }

  TEST_CASE("every select of three cases does what the model says") {
    CHECK(enumerate(3, all_situations(), thorough ? 1 : 307).waited > 0);
  }

  TEST_CASE("every select of four cases over the situations that differ most does so, too") {
    auto situations = all_situations();
    situations.resize(8);
    CHECK(enumerate(4, situations, thorough ? 1 : 401).waited > 0);
  }
}
