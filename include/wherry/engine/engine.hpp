// SPDX-License-Identifier: Apache-2.0
#pragma once
// engine<Kind>: drives all machines of one kind, from a store.
//
//   auto store = wherry::open_memory_store();
//   wherry::engine<report> engine{*store, report{…}, options};
//   co_await engine.submit({{.id = "acme/2025-01-31", .first = downloadable{…}}});
//   co_await engine.run();
//
// Guarantees are those of docs/DESIGN: nothing lost, one commit a (machine, generation, version), a
// transition durable before the next step starts, failures isolated, memory bounded by the window.
//
// Threads: submit and run are awaited in a process; stop and progress may be called from anywhere.

#include <algorithm>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "wherry/engine/engine_core.hpp"
#include "wherry/engine/kind.hpp"

namespace wherry {

template <machine_kind Kind>
class engine {
 public:
  using state = typename Kind::state;

  /// A machine to begin.
  struct start {
    std::string id;
    state first;
    std::int32_t priority = 0;
    system_time due{};  ///< not before; the epoch: at once
    std::int64_t generation = 1;
    /// To be completed by then; later it becomes a dead letter when it would next run, and a step
    /// that runs then is unwound. The epoch: none.
    system_time deadline{};
  };

  /// A machine that has completed, with its final state.
  struct finished {
    std::string id;
    std::int64_t generation = 1;
    std::variant_alternative_t<std::variant_size_v<state> - 1, state> last;
  };

  /// What the core is asked for when such a machine is to begin.
  [[nodiscard]] static submission to_submission(start wanted, detail::raw_state first) {
    return {.id = std::move(wanted.id),
            .generation = wanted.generation,
            .state = std::move(first.tag),
            .data = std::move(first.data),
            .lane = std::move(first.lane),
            .priority = wanted.priority,
            .rank = first.rank,
            .due = wanted.deadline == system_time{} ? wanted.due
                                                    : std::min(wanted.due, wanted.deadline),
            .deadline = wanted.deadline,
            .shape = first.shape};
  }

  /// Requires: `where` outlives the engine. One engine a store.
  engine(store& where, Kind kind, engine_options options = {})
      : kind_(std::make_unique<detail::typed_kind<Kind>>(std::move(kind))),
        core_(where, *kind_, std::move(options)) {}

  /// Suspends: until the machines are durable. Known and unfinished ids are left as they are.
  /// Errors: the store's; refused: a machine would begin in its final state, or breaks a limit.
  task<std::expected<submit_report, store_error>> submit(std::vector<start> wanted) {
    std::vector<submission> raw;
    raw.reserve(wanted.size());
    for (auto& each : wanted) {
      auto first = kind_->encode_state(each.first);
      if (first.is_final) {
        co_return std::unexpected(store_error{
            store_error::kind::refused, "machine " + each.id + ": it would begin in \"" +
                                            first.tag + "\", the final state of " +
                                            std::string(Kind::name) + ": nothing would be done"});
      }
      raw.push_back(to_submission(std::move(each), std::move(first)));
    }
    co_return co_await core_.submit(std::move(raw));
  }

  /// Suspends: until nothing is left that this program can run, or `stop` and the grace period are
  /// over. May be awaited again after it drained; a stopped engine stays so. If the caller is
  /// cancelled, steps in flight are unwound; those that have ended are recorded, the others as they
  /// were. Errors: what kept the store from recording; all machines are then as last recorded, and
  /// this engine runs no more. Rethrows what a hook throws.
  task<std::expected<void, store_error>> run(run_until until = run_until::drained) {
    return core_.run(until);
  }

  /// Ends `run` cleanly: no new leases, steps in flight may end within the grace period.
  void stop() noexcept { core_.stop(); }

  [[nodiscard]] engine_progress progress() const noexcept { return core_.progress(); }

  /// Lanes that a step of the last run has stopped (`stops_lane`), by name, with the reason.
  /// Threads: not while `run` begins.
  [[nodiscard]] std::map<std::string, std::string> stopped_lanes() const {
    return core_.stopped_lanes();
  }

  // Hooks. Call before run. One call of a hook at a time, from a process of the engine, which waits
  // for it: what it throws ends the run.

  /// Calls `hook` for each machine that completes, after that is durable: so at most once, for a
  /// process that ends in between has not called it.
  void on_completed(std::move_only_function<void(finished)> hook) {
    core_.on_completed([hook = std::move(hook)](const transition& end) mutable {
      auto last = read_state<Kind>({end.to, end.data, end.shape});
      WHERRY_ASSERT(last.has_value(), "what was encoded can be decoded");
      hook({end.id, end.generation, std::get<std::variant_size_v<state> - 1>(std::move(*last))});
    });
  }

  /// Calls `hook` for each run of a step whose outcome is recorded: from which state to which, by
  /// which attempt, when, with which error. In the order of one machine's versions, but for a run
  /// whose lease was lost. What people do (cancel, redrive) is in the history, not here.
  void on_transition(std::move_only_function<void(const transition&)> hook) {
    core_.on_transition(std::move(hook));
  }

  /// Calls `hook` for each machine that is left alone: of another program (shape.hpp).
  void on_left_alone(std::move_only_function<void(const left_alone&)> hook) {
    core_.on_left_alone(std::move(hook));
  }

 private:
  std::unique_ptr<detail::typed_kind<Kind>> kind_;
  engine_core core_;
};

}  // namespace wherry
