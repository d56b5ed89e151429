// SPDX-License-Identifier: Apache-2.0
#pragma once
// The engine without types: four processes joined by bounded channels.
//
//   claimer --claimed--> runner: a process a step --outcomes--> recorder
//      ^------------------------- recorded ------------------------'        rescuer
//
// Invariants
// 1. Only the claimer touches the window; the recorder tells it over `recorded`. Lanes are shared:
//    lane_board.hpp.
// 2. At most `window` machines are between lease and record, and no channel holds more: nobody who
//    puts to `claimed`, `outcomes` or `recorded` ever waits, so nobody can be cancelled there.
// 3. A permit is taken before the lease and given back when the step ends; the slot in the window
//    is given back when the outcome is recorded.
// 4. `claimed` and `outcomes` are closed by the one process that puts to them, however that ends;
//    so the end of one is the end of the next, and what steps have said by then is still recorded.
//    `recorded`, to which the recorder, the runner and the rescuer put, is closed by the claimer
//    when it ends: nobody waits to tell it anything then.
// 5. A lease ends by record or by release, also when the store fails or the run is cancelled: the
//    next engine on the store, in this process or another, finds all machines as last recorded.
// 6. A lease that this engine holds is renewed at every tick of the rescuer: a step that ignores
//    its cancellation keeps its lease and its permit until it returns, and is never run beside
//    itself, not even when it has lost its lease.
// 7. What is decided (decide.hpp, lane.hpp, retry.hpp) is pure; here is only who does it when.
// 8. What a lane must not forget is recorded with the outcomes of its steps, newest last.
// 9. A machine that is left alone leaves the window, but keeps its lease until the run ends.

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <expected>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "wherry/csp/channel.hpp"
#include "wherry/csp/scope.hpp"
#include "wherry/engine/held_leases.hpp"
#include "wherry/engine/lane.hpp"
#include "wherry/engine/lane_board.hpp"
#include "wherry/engine/left_alone.hpp"
#include "wherry/engine/machine_turns.hpp"
#include "wherry/engine/raw_kind.hpp"
#include "wherry/engine/retry.hpp"
#include "wherry/engine/store.hpp"

namespace wherry {

struct engine_options {
  /// Machines in memory at once: leased, running, or waiting to be recorded. At least 1.
  std::size_t window = 512;
  /// The limits of a lane, asked when it is first used, or again after a long rest, for one lane at
  /// a time. Empty: lane_limits{}.
  std::function<lane_limits(std::string_view lane)> limits{};
  /// The policy of a state by its tag; others have `policy`.
  std::map<std::string, state_policy, std::less<>> policies{};
  state_policy policy{};
  /// How long steps in flight may go on after `stop`.
  duration grace = std::chrono::seconds(30);
  /// How often leases are renewed, and lost ones and the inbox looked at.
  duration rescue_every = std::chrono::milliseconds(500);
  /// How long a call (step_context::call) may wait inside its step, which holds its permit and its
  /// place in the window meanwhile; at most half of the shortest time limit. A longer wait gives
  /// the machine back.
  duration call_wait = std::chrono::seconds(30);
};

enum class run_until : std::uint8_t {
  /// Until no machine is waiting, ready or running, but for those that are left alone, and those
  /// that are ready in lanes which their steps have stopped, or people.
  drained,
  stopped  ///< until stop()
};

/// Counts since the engine was made.
struct engine_progress {
  std::uint64_t completed = 0;
  std::uint64_t dead = 0;
  std::uint64_t retried = 0;  ///< transient failures and going back
  std::uint64_t throttled = 0;
  std::uint64_t postponed = 0;    ///< runs that found nothing to do yet, or no call of their lane
  std::uint64_t transitions = 0;  ///< all that was recorded
  std::uint64_t refused = 0;      ///< outcomes of steps that had lost their lease
  std::uint64_t left_alone = 0;   ///< machines that are: another program's (shape.hpp)
  std::uint64_t running = 0;      ///< steps in flight now
};

class engine_core {
 public:
  engine_core(store& where, detail::raw_kind& kind, engine_options options);

  task<std::expected<submit_report, store_error>> submit(std::vector<submission> wanted);
  task<std::expected<void, store_error>> run(run_until until);
  void stop() noexcept {
    stopping_.store(true, std::memory_order_release);
    stop_.close();
  }
  [[nodiscard]] bool is_stopping() const noexcept {
    return stopping_.load(std::memory_order_acquire);
  }
  [[nodiscard]] engine_progress progress() const noexcept;
  /// Those that a step has stopped, by name, with the reason.
  [[nodiscard]] std::map<std::string, std::string> stopped_lanes() const {
    return lanes_ ? lanes_->stopped() : std::map<std::string, std::string>{};
  }
  void on_completed(std::move_only_function<void(const transition&)> hook) {
    on_completed_ = std::move(hook);
  }
  void on_transition(std::move_only_function<void(const transition&)> hook) {
    on_transition_ = std::move(hook);
  }
  void on_left_alone(std::move_only_function<void(const left_alone&)> hook) {
    on_left_alone_ = std::move(hook);
  }

 private:
  /// A machine that may run, by which permit.
  struct claimed_machine {
    leased_machine machine;
    permit by;
  };
  /// A step that has ended, with its machine as it was leased: a lease that cannot be recorded is
  /// given back.
  struct ended_step {
    leased_machine machine;
    transition result;
    bool lane_keeps = false;  // something that is to be recorded, too
  };
  struct claimer_state;

  task<> claim(run_until until);
  task<> claim_until(run_until until, claimer_state& state);
  task<> promote(system_time now, channel<std::monostate> promoted);
  task<bool> claim_ready(claimer_state& state);
  task<std::size_t> claim_turn(claimer_state& state, detail::lane_turn turn);
  [[nodiscard]] bool may_claim(const claimer_state& state) const noexcept;
  [[nodiscard]] bool has_drained(const claimer_state& state);
  void look_at_left_alone();
  task<> run_steps();
  task<> run_one(claimed_machine claimed);
  task<detail::raw_outcome> run_within_limit(leased_machine& machine, const state_policy& policy,
                                             system_time started);
  task<bool> leave_alone(leased_machine& machine, std::string why);
  task<> record();
  task<> record_batch(std::vector<ended_step> batch, channel<std::monostate> under_way,
                      channel<std::monostate> before, channel<std::monostate> told);
  void add_lane_memories(std::vector<ended_step>& batch);
  void count(const transition& recorded, bool accepted);
  task<> rescue();
  task<> rescue_lost(system_time now);
  void release(leased_machine machine) noexcept;
  void open_channels();
  void release_leftovers() noexcept;
  void fail(store_error error);
  [[nodiscard]] const state_policy& policy_of(std::string_view state) const;

  store& store_;
  detail::raw_kind& kind_;
  const engine_options options_;
  const std::chrono::milliseconds lease_for_;
  detail::held_leases held_;
  detail::machine_turns turns_;
  detail::left_alone_machines left_alone_;
  std::mutex hooks_;  // held while one is called
  std::move_only_function<void(const transition&)> on_completed_;
  std::move_only_function<void(const transition&)> on_transition_;
  std::move_only_function<void(const left_alone&)> on_left_alone_;

  channel<std::monostate> stop_;
  std::atomic<bool> stopping_{false};        // set before stop_ closes
  channel<store_error> failures_{fixed{1}};  // the first one; any process may fail
  std::optional<store_error> failure_;

  // Of one run.
  channel<std::monostate> ended_;  // closed when the recorder has nothing left to do
  channel<std::monostate> idle_;
  channel<claimed_machine> claimed_;
  channel<ended_step> outcomes_;
  channel<std::size_t> recorded_;        // how many at once; closed by the claimer, who alone takes
  channel<std::monostate> memory_turn_;  // who records memories of lanes; capacity 1
  std::shared_ptr<detail::lane_board> lanes_;

  struct {
    std::atomic<std::uint64_t> completed{0}, dead{0}, retried{0}, throttled{0}, postponed{0},
        transitions{0}, refused{0}, left_alone{0}, running{0};
  } counts_;
};

}  // namespace wherry
