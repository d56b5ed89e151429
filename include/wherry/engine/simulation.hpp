// SPDX-License-Identifier: Apache-2.0
#pragma once
// simulate: a whole engine, the user's own machines included, on one thread under virtual time, in
// an order drawn from a seed, with faults at every wait. It checks guarantees 1 to 4 at every
// moment:
//
//   1  what was answered is still there after whatever happened, and every machine ends;
//   2  one step of a machine at a time, one commit a (machine, generation, version), none without
//      its lease;
//   3  a step starts from a state that is durable, with the attempt that its history says;
//   4  a machine that is due, in a lane that nothing holds back, runs.
//
//   const auto seen = simulate<report>({.seed = 7, .disk = simulated_memory_disk},
//                                      [] { return report{}; }, starts);
//   if (!seen.held()) fail(seen.to_string());
//
// What the machines do outside, the user checks: `check` is asked what is wrong there.
//
// A simulation is a row of *lives*. A life is one process: it opens the store, submits what is
// wanted, runs, and ends by draining, by a stop, by an error of its store, or by a crash: of the
// process at a drawn time, or of the disk at a drawn write. The next begins with what is left.
// The last has good weather: no crash and no fault of the store; so all must come to an end.
//
// The same seed is the same simulation, to the byte, as long as the machines depend on nothing but
// their state and the scheduler: no clock, no thread, no random number of their own.

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "wherry/engine/engine.hpp"
#include "wherry/engine/simulated_disk.hpp"

namespace wherry {

/// How likely each fault is, each time that it could happen. Every seed draws which of them it has
/// at all, so that some seeds have few, and those often enough.
struct simulation_faults {
  double crash = 0.8;            ///< a life ends by a crash
  double stop = 0.2;             ///< a life that does not crash is stopped, at a drawn time
  double busy_store = 0.01;      ///< a call of the store fails, and nothing is done
  double full_disk = 0.01;       ///< the same, with another reason
  double lost_answer = 0.02;     ///< a call of the store is done, and its answer is an error
  double repeated_record = 0.1;  ///< outcomes reach the store twice
  double slow_store = 0.1;       ///< a call of the store takes up to two seconds
  double lost_renewals = 0.1;    ///< a lease whose renewals do not reach the store
  double slow_step = 0.2;        ///< a step takes up to a minute longer
  double failing_step = 0.05;    ///< a step throws, before or after its work
  double hanging_step = 0.02;    ///< a step that does not return
  double late_step = 0.05;       ///< a step that ignores its cancellation and returns late
  double clock_jump = 0.02;      ///< each ten seconds: the calendar leaps, by up to an hour
  double command = 0.3;          ///< each ten seconds: somebody cancels or redrives a machine
};

struct simulation_options {
  std::uint64_t seed = 1;
  /// Makes the disk of a simulation, as in simulated_memory_disk (store/memory.hpp).
  std::function<std::unique_ptr<simulated_disk>()> disk;
  engine_options engine{};
  /// Says what is wrong in the world of the machines themselves, given all of them; empty: nothing.
  /// Asked whenever a life begins, and at the end. Empty: nobody asks.
  std::function<std::string(const std::vector<machine_view>& machines)> check{};
  simulation_faults faults{};
  /// Lives at most, the last included.
  int lives = 6;
  /// Virtual time after which what has not ended counts as lost.
  duration limit = std::chrono::hours(24 * 30);
};

/// What a simulation saw.
struct simulation_result {
  std::uint64_t seed = 0;
  std::string violation;           ///< the first, in words; empty: all held
  std::vector<std::string> trace;  ///< the last events, oldest first
  std::uint64_t fingerprint = 0;   ///< of all events: equal for equal runs

  // How much happened.
  std::uint64_t lives = 0;
  std::uint64_t crashes = 0;
  std::uint64_t steps = 0;   ///< that began
  std::uint64_t faults = 0;  ///< that were injected
  std::uint64_t commits = 0;
  std::uint64_t refused = 0;  ///< outcomes of steps that had lost their lease
  duration virtual_time{};

  [[nodiscard]] bool held() const noexcept { return violation.empty(); }
  /// Violation and trace, for people.
  [[nodiscard]] std::string to_string() const;
};

namespace detail {
simulation_result simulate(const simulation_options& options,
                           std::function<std::unique_ptr<raw_kind>()> make_kind,
                           std::vector<submission> wanted);
}

/// Requires: options.disk. `make` makes the machine's kind anew for each life, as a process does.
template <machine_kind Kind>
simulation_result simulate(const simulation_options& options, std::function<Kind()> make,
                           const std::vector<typename engine<Kind>::start>& starts) {
  std::vector<submission> wanted;
  {
    const detail::typed_kind<Kind> kind(make());
    for (const auto& each : starts) {
      wanted.push_back(engine<Kind>::to_submission(each, kind.encode_state(each.first)));
    }
  }
  return detail::simulate(
      options, [&make] { return std::make_unique<detail::typed_kind<Kind>>(make()); },
      std::move(wanted));
}

}  // namespace wherry
