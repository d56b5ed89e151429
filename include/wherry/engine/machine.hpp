// SPDX-License-Identifier: Apache-2.0
#pragma once
// A machine as the store and the engine see it: names and JSON, no C++ types of the user. The
// template in kind.hpp turns these into typed states and back; nothing else does.
//
// Invariants
// 1. (id, generation, version) names one durable situation of a machine; each record, and each
//    command of people, raises version. History explains each version, once.
// 2. `attempt` is the number, from 1, that the next run of the current state's step will have.
// 3. `phase` is waiting while due lies ahead, ready when it may run; running is no phase but a
//    lease.

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "wherry/csp/scheduler.hpp"
#include "wherry/engine/lane_memory.hpp"

namespace wherry {

/// Bytes of a state's JSON at most: what is larger belongs into the spool.
inline constexpr std::size_t data_size_limit = 1 << 20;
/// How deep its objects and arrays lie in each other at most.
inline constexpr std::size_t data_depth_limit = 200;
/// Bytes that are kept of an error's text.
inline constexpr std::size_t error_size_limit = 2'000;
/// Priorities and ranks lie in [-limit, limit].
inline constexpr std::int32_t priority_limit = 1'000'000;

enum class phase : std::uint8_t { waiting, ready, completed, dead, cancelled };

[[nodiscard]] std::string_view to_string(phase value) noexcept;
[[nodiscard]] std::optional<phase> phase_from(std::string_view text) noexcept;
[[nodiscard]] constexpr bool is_finished(phase value) noexcept {
  return value == phase::completed || value == phase::dead || value == phase::cancelled;
}

/// What became of one run of a step; or, the last two, what people did to the machine.
enum class outcome_kind : std::uint8_t {
  advanced,
  went_back,
  retried,
  throttled,
  postponed,
  died,
  redriven,
  cancelled
};

/// Whether runs that end so one after the other share a line of history.
[[nodiscard]] constexpr bool is_repeatable(outcome_kind value) noexcept {
  return value == outcome_kind::throttled || value == outcome_kind::postponed;
}

[[nodiscard]] std::string_view to_string(outcome_kind value) noexcept;
[[nodiscard]] std::optional<outcome_kind> outcome_kind_from(std::string_view text) noexcept;

/// Asks for a new machine, or for a newer generation of a finished one.
struct submission {
  std::string id;
  std::int64_t generation = 1;
  std::string state;  ///< tag of its first state
  std::string data;   ///< that state as JSON
  std::string lane;
  std::int32_t priority = 0;  ///< higher runs first within its lane
  std::int32_t rank = 0;      ///< how far along the state is; higher runs first
  system_time due{};          ///< not before; the epoch: at once
  system_time deadline{};     ///< to be completed by then, or a dead letter; the epoch: none
  std::int32_t shape = 0;     ///< of `state` and `data` (shape.hpp)
};

/// What submitting did. An id whose (id, generation) is known, or that is still unfinished, is left
/// as it is: submit is idempotent.
struct submit_report {
  std::size_t added = 0;
  std::size_t superseded = 0;  ///< a newer generation took the place of a finished one
  std::size_t known = 0;

  // Of the known ones, those that have ended, and how.
  std::size_t completed = 0;
  std::size_t dead = 0;
  std::size_t cancelled = 0;

  /// Counts one known machine that is in `now`.
  void add_known(phase now) noexcept {
    ++known;
    if (now == phase::completed) ++completed;
    if (now == phase::dead) ++dead;
    if (now == phase::cancelled) ++cancelled;
  }
  submit_report& operator+=(const submit_report& other) noexcept;
};

/// A machine that a worker may run until the lease ends.
struct leased_machine {
  std::int64_t key = 0;     ///< the store's own
  std::uint64_t token = 0;  ///< fences the lease
  std::string id;
  std::int64_t generation = 1;
  std::int64_t version = 0;
  std::string state;
  std::string data;
  std::string lane;
  std::int32_t priority = 0;
  std::int32_t rank = 0;
  std::int32_t attempt = 1;
  std::int32_t setbacks = 0;  ///< how often this generation went back to an earlier state
  std::int64_t entered = 0;   ///< the version at which it came into this state
  system_time deadline{};     ///< the epoch: none
  std::int32_t shape = 0;     ///< of `state` and `data`
};

/// The durable result of one run of a step: what history keeps, and the machine's new situation.
struct transition {
  // Which machine, under which lease.
  std::int64_t key = 0;
  std::uint64_t token = 0;
  std::string id;
  std::int64_t generation = 1;
  std::int64_t version = 0;  ///< before; the store makes it version + 1

  // What happened.
  outcome_kind outcome = outcome_kind::advanced;
  std::string from;
  std::int32_t attempt = 1;  ///< the run that ended
  system_time started{};
  system_time ended{};
  std::string error;  ///< empty if advanced

  // The new situation.
  wherry::phase phase = phase::ready;
  std::string to;
  std::string data;
  std::string lane;
  std::int32_t rank = 0;
  std::int32_t next_attempt = 1;
  std::int32_t setbacks = 0;
  std::int64_t entered = 0;
  system_time due{};
  std::int32_t shape = 0;  ///< of `to` and `data`

  /// Parks the lane that the step ran in, durably, until then, with `error`.
  std::string ran_in;
  std::optional<system_time> lane_parked_until;
  bool lane_is_stopped = false;  ///< that holds for this run of the engine alone
  /// What the lane that the step ran in must not forget: kept durably, in place of what was kept of
  /// it before, also if this outcome is refused.
  std::optional<wherry::lane_memory> lane_memory{};
  /// The same of other lanes, in which calls were paid for: whichever step did.
  std::vector<std::pair<std::string, wherry::lane_memory>> other_memories{};
};

/// A machine as people see it.
struct machine_view {
  std::string id;
  std::int64_t generation = 1;
  std::int64_t version = 0;
  std::string state;
  std::string data;
  wherry::phase phase = phase::waiting;
  std::string lane;
  std::int32_t priority = 0;
  std::int32_t attempt = 1;
  std::int32_t setbacks = 0;
  system_time due{};
  system_time deadline{};  ///< the epoch: none
  system_time created{};
  system_time updated{};
  std::string error;       ///< of the last run that failed since the last advance
  std::int32_t shape = 0;  ///< of `state` and `data`
};

/// One line of a machine's history. Runs that were throttled one after the other share a line, and
/// so do those that were postponed, since they spend no attempt and nothing else bounds them: it
/// has the start of the first, and end and error of the last.
struct history_entry {
  std::int64_t generation = 1;
  std::int64_t version = 0;  ///< after
  std::int64_t runs = 1;     ///< as many versions end with `version`
  std::string from;
  std::string to;
  wherry::phase phase = phase::ready;
  outcome_kind outcome = outcome_kind::advanced;
  std::int32_t attempt = 1;
  system_time started{};
  system_time ended{};
  std::string error;
};

/// How many machines there are, by phase and state.
struct machine_counts {
  std::map<std::pair<phase, std::string>, std::int64_t> by;

  [[nodiscard]] std::int64_t in(phase wanted) const noexcept;
  [[nodiscard]] std::int64_t unfinished() const noexcept {
    return in(phase::waiting) + in(phase::ready);
  }
  [[nodiscard]] std::int64_t all() const noexcept;
};

/// Says what breaks a limit above, and the remedy; empty: nothing. Every store refuses these.
[[nodiscard]] std::string refusal(const submission& wanted);
[[nodiscard]] std::string refusal(const transition& outcome);

/// The text, cut between two characters of UTF-8 to at most `limit` bytes.
[[nodiscard]] std::string_view cut_error(std::string_view text,
                                         std::size_t limit = error_size_limit) noexcept;

}  // namespace wherry
