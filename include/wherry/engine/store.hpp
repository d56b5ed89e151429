// SPDX-License-Identifier: Apache-2.0
#pragma once
// The store: where machines live durably. The engine knows this interface and no body of it; one
// conformance suite (tests/store) runs against every body.
//
// Contract
// 1. When submit, record or control returns, what it reports is durable as far as the store
//    promises at all (SQLite: survives power loss; memory: nothing).
// 2. One commit a (machine, generation, version): record refuses an entry whose version is not the
//    row's or whose token is not that of the live lease. It refuses that entry alone.
// 3. A leased machine is not leased again before record or release. A lease that ran out passes to
//    whoever reclaims it: nobody runs the machine meanwhile, and its former holder cannot commit.
// 4. Within a lane, lease hands out by priority (high first), rank (high first), due, then age.
// 5. The engine's machines and the history that explains them change together or not at all.
//
// Threads: all members may be called from any process of one scheduler.

#include <cstddef>
#include <cstdint>
#include <expected>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "wherry/csp/channel.hpp"
#include "wherry/csp/task.hpp"
#include "wherry/engine/machine.hpp"

namespace wherry {

/// Says what the store could not do, where, and what to do about it.
struct store_error {
  enum class kind : std::uint8_t {
    full,  ///< no space; may succeed once there is
    busy,  ///< another process holds the file for too long; may succeed later
    corrupt,
    foreign,  ///< not a store of ours
    newer,    ///< written by a newer version
    owned,    ///< another process runs it
    missing,
    refused,  ///< the request breaks a limit (machine.hpp); nothing of it was done
    io
  };
  kind what = kind::io;
  std::string message;
};

/// Selects machines for a query or for a control command. Empty members select all.
struct machine_filter {
  std::optional<wherry::phase> phase{};
  std::string state{};
  std::string id{};  ///< exact
  std::string id_prefix{};
  std::optional<std::string> lane{};  ///< exact; a lane may have an empty name
};

enum class control_verb : std::uint8_t {
  redrive,     ///< dead, or cancelled: runs again from the state it is in, attempt 1, no deadline
  cancel,      ///< waiting or ready: ends as cancelled; a step under way cannot commit any more
  prioritize,  ///< waiting or ready: has another priority from now on; a step under way goes on
  pause,       ///< a lane, whether it has machines or not: leases nothing until it is resumed
  resume       ///< a lane that is paused: leases again
};

[[nodiscard]] std::string_view to_string(control_verb value) noexcept;
[[nodiscard]] std::optional<control_verb> control_verb_from(std::string_view text) noexcept;

/// What people ask for.
struct control_request {
  control_verb verb = control_verb::cancel;
  /// Of pause and resume: the lane, which must be named, and nothing else.
  machine_filter filter{};
  std::int32_t priority = 0;  ///< of prioritize
};

/// Says what is wrong with it, and the remedy; empty: nothing. Every store refuses these.
[[nodiscard]] std::string refusal(const control_request& asked);

/// A lease that is held: of which row, by which token.
struct lease_id {
  std::int64_t key = 0;
  std::uint64_t token = 0;
};

struct inbox_progress {
  std::size_t finished = 0;  ///< commands that are done and gone
  bool more = false;         ///< something may be left to do
};

/// What is kept of a lane.
struct lane_state {
  std::string lane;
  system_time parked_until{};  ///< the epoch: not parked
  std::string error{};         ///< of the run that parked it, or opened its breaker
  bool is_stopped = false;     ///< that run stopped it: a new run of an engine begins at once
  bool paused = false;
  lane_memory memory{};
};

class store {
 public:
  store() = default;
  store(const store&) = delete;
  store& operator=(const store&) = delete;
  virtual ~store() = default;

  // What the engine does.

  virtual task<std::expected<submit_report, store_error>> submit(
      std::vector<submission> wanted) = 0;

  /// Lanes in which at least one machine is ready and not leased, but for those that are paused.
  virtual std::vector<std::string> ready_lanes() = 0;

  /// Leases up to `count` ready machines of `lane` until `expires`. May return fewer, also none: of
  /// a paused lane always.
  virtual task<std::expected<std::vector<leased_machine>, store_error>> lease(
      std::string lane, std::size_t count, system_time expires) = 0;

  /// Commits outcomes; true for each that was accepted, in order.
  virtual task<std::expected<std::vector<bool>, store_error>> record(
      std::vector<transition> outcomes) = 0;

  /// Gives leases back unused: the machines are ready as before.
  virtual void release(const std::vector<leased_machine>& unused) = 0;

  /// Makes ready what is due at `now`, as many as one short commit holds; how many. 0: none is due.
  virtual task<std::expected<std::size_t, store_error>> promote(system_time now) = 0;
  /// The earliest due time of a waiting machine.
  virtual std::optional<system_time> next_due() = 0;

  /// Puts off until `expires` those of the leases that are still held.
  virtual void renew(const std::vector<lease_id>& held, system_time expires) = 0;
  /// Takes over the leases that ran out at `now`, until `expires`: machines with new tokens, of
  /// whose last run nothing will be heard. The caller records what becomes of them.
  virtual task<std::expected<std::vector<leased_machine>, store_error>> reclaim(
      system_time now, system_time expires) = 0;

  /// Applies what other processes asked for, as much as one short commit holds. One call at a time.
  virtual task<std::expected<inbox_progress, store_error>> step_inbox() = 0;
  /// Applies all that other processes asked for; how many commands.
  task<std::expected<std::size_t, store_error>> drain_inbox() {
    std::size_t commands = 0;
    for (;;) {
      const auto step = co_await step_inbox();
      if (!step) co_return std::unexpected(step.error());
      commands += step->finished;
      if (!step->more) co_return commands;
    }
  }

  /// Does a small part of what the store's retention asks for at `now`, as much as one short commit
  /// holds; whether more is known to be left. One call at a time.
  virtual task<std::expected<bool, store_error>> tidy(system_time) { co_return false; }

  /// Lanes of which something is kept at this time: a park, a pause, a memory. The engine reads
  /// them once, when it starts.
  virtual std::vector<lane_state> lane_states() = 0;

  /// A channel of capacity 1 that has a value whenever ready work, or an earlier due time, may have
  /// appeared since it was last taken (also by a resume), or a machine was cancelled: it may have
  /// been the last.
  virtual channel<std::monostate> ready_signal() = 0;

  // What people do.

  /// Does it to all that match; how many machines, or lanes, it changed.
  virtual task<std::expected<std::size_t, store_error>> apply(control_request asked) = 0;
  task<std::expected<std::size_t, store_error>> control(control_verb verb, machine_filter filter) {
    return apply({.verb = verb, .filter = std::move(filter)});
  }

  virtual std::expected<machine_counts, store_error> count() = 0;
  /// At most `limit` machines after `after_id`, in order of id.
  virtual std::expected<std::vector<machine_view>, store_error> query(const machine_filter& filter,
                                                                      std::size_t limit,
                                                                      std::string after_id) = 0;
  /// Oldest first; all generations.
  virtual std::expected<std::vector<history_entry>, store_error> history(std::string_view id) = 0;
};

}  // namespace wherry
