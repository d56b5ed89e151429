// SPDX-License-Identifier: Apache-2.0
// Random programs. A process mostly puts, mostly takes, or does either; few close or cancel, since
// after that there is less to see.

#include "generator.hpp"

#include <algorithm>

namespace wherry::reference {
namespace {

lane random_lane(dice& random) {
  const auto size = static_cast<std::uint8_t>(random.between(1, 3));
  switch (random.below(8)) {
    case 0:
    case 1:
    case 2: return {lane_kind::rendezvous, 0};
    case 3: return {lane_kind::dropping, size};
    case 4: return {lane_kind::sliding, size};
    case 5: return {lane_kind::promise, 0};
    default: return {lane_kind::fixed, size};
  }
}

/// Whether it puts; `leaning` of four times.
bool puts(dice& random, std::size_t leaning) { return random.below(4) < leaning; }

action random_select(dice& random, std::size_t lanes, std::size_t leaning, bool deadlines) {
  action made{.what = verb::select};
  made.how = random.once_in(4)   ? manner::priority
             : random.once_in(4) ? manner::or_default
                                 : manner::fair;
  made.count = static_cast<std::uint8_t>(random.between(1, most_arms));
  for (auto& each : std::span(made.arms).first(made.count)) {
    each.what = puts(random, leaning) ? side::put : side::take;
    each.lane = static_cast<std::uint8_t>(random.below(lanes));
  }
  if (deadlines && random.once_in(2)) {
    made.arms[random.below(made.count)] = {side::deadline, 0,
                                           static_cast<int>(random.between(1, 5))};
  }
  return made;
}

action random_action(dice& random, const program& of, std::size_t processes, std::size_t leaning,
                     bool deadlines) {
  const auto lanes = of.lanes.size();
  const auto at = random.below(lanes);
  const bool putting = puts(random, leaning);
  switch (random.below(24)) {
    case 0: return random.once_in(2) ? close_of(at) : offer_to(at);
    case 1: return random.once_in(2) ? cancel_of(random.below(processes)) : poll_from(at);
    case 2:
    case 3: return putting ? offer_to(at) : poll_from(at);
    case 4:
    case 5:
    case 6:
    case 7:
    case 8:
    case 9:
    case 10:
    case 11: return random_select(random, lanes, leaning, deadlines);
    default: return putting ? put_to(at) : take_from(at);
  }
}

}  // namespace

program random_program(dice& random, program_size most) {
  program made;
  const auto lanes = random.between(1, most.lanes);
  for (std::size_t each = 0; each < lanes; ++each) made.lanes.push_back(random_lane(random));
  const auto processes = random.between(2, most.processes);
  for (std::size_t who = 0; who < processes; ++who) {
    script own;
    own.phase = random.once_in(8) ? 1 : 0;
    const std::size_t leaning = random.below(5);
    const auto actions = random.between(1, most.actions);
    for (std::size_t step = 0; step < actions; ++step) {
      own.actions.push_back(random_action(random, made, processes, leaning, most.deadlines));
    }
    made.processes.push_back(std::move(own));
  }
  made.finish();
  return made;
}

void add_last_search(program& to) {
  script search{.actions = {}, .phase = to.processes.back().phase + 1, .after_all = true};
  for (std::size_t at = 0; at < to.lanes.size(); ++at) {
    for (int times = 0; times <= to.lanes[at].size; ++times) {
      search.actions.push_back(poll_from(at));
    }
  }
  to.processes.push_back(std::move(search));
}

}  // namespace wherry::reference
