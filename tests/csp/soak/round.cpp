// SPDX-License-Identifier: Apache-2.0
// The kinds of rounds.

#include "round.hpp"

#include "../reference/performance.hpp"
#include "generator.hpp"
#include "invariants.hpp"
#include "network.hpp"

namespace wherry::reference {
namespace {

/// Of two threads, or of four: with two, processes run beside each other all the time; with more
/// threads than cores, one is stopped anywhere.
scheduler& threads(std::size_t which) {
  static thread_scheduler two{{.threads = 2}};
  static thread_scheduler four{{.threads = 4}};
  return which % 2 == 0 ? two : four;
}

long operations_of(const history& seen) {
  long all = 0;
  for (const auto& each : seen.processes) all += static_cast<long>(each.size());
  return all;
}

std::string told(const program& played, const std::string& fault) {
  if (!fault.empty()) return to_text(played) + fault;
  if (token::alive() != 0) return to_text(played) + "values were left alive";
  return {};
}

round_seen run_program(dice& random, std::uint64_t seed, tally& all) {
  auto played = random_program(random, {});
  add_last_search(played);
  history seen;
  {
    virtual_scheduler home(seed);
    seen = perform(home, played, real_channel);
  }
  ++all.programs;
  all.operations += operations_of(seen);
  auto fault = unexplained(played, seen, points::at_call);
  if (fault.empty()) fault = broken_invariant(played, seen);
  return {.repeatable = true, .fault = told(played, fault)};
}

round_seen run_small_crowd(dice& random, tally& all) {
  const auto played =
      random_program(random, {.lanes = 2, .processes = 4, .actions = 5, .deadlines = false});
  const auto seen =
      perform(threads(random.below(2)), played, real_channel, {.on_virtual_time = false});
  ++all.small_crowds;
  all.operations += operations_of(seen);
  if (!unexplained(played, seen, points::at_call).empty()) ++all.concurrent;
  return {.repeatable = false, .fault = told(played, unexplained(played, seen, points::anywhere))};
}

round_seen run_large_crowd(dice& random, tally& all) {
  auto played = random_program(random, {.actions = 40});
  add_last_search(played);
  const auto seen =
      perform(threads(random.below(2)), played, real_channel, {.on_virtual_time = false});
  ++all.large_crowds;
  all.operations += operations_of(seen);
  return {.repeatable = false, .fault = told(played, broken_invariant(played, seen))};
}

round_seen run_any_network(dice& random, std::uint64_t seed, tally& all) {
  const bool is_virtual = random.once_in(2);
  network_seen seen;
  if (is_virtual) {
    virtual_scheduler home(seed);
    seen = run_network(home, seed);
  } else {
    thread_scheduler home{{.threads = random.once_in(2) ? 2 : 4}};
    seen = run_network(home, seed);
  }
  if (seen.fault.empty() && token::alive() != 0) seen.fault = "values were left alive";
  ++all.networks;
  all.operations += seen.values;
  return {.repeatable = is_virtual, .fault = seen.fault};
}

}  // namespace

round_seen run_round(std::uint64_t seed, tally& all) {
  dice random(seed);
  try {
    switch (random.below(8)) {
      case 0: return run_large_crowd(random, all);
      case 1:
      case 2: return run_small_crowd(random, all);
      case 3:
      case 4: return run_any_network(random, seed, all);
      default: return run_program(random, seed, all);
    }
  } catch (const std::exception& thrown) {
    return {.repeatable = true, .fault = thrown.what()};
  }
}

}  // namespace wherry::reference
