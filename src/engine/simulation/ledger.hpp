// SPDX-License-Identifier: Apache-2.0
#pragma once
// What must be true of every machine, told from nothing but what passes between engine and store.
// It states the guarantees a second time, apart from the code that gives them. Pure; the first
// violation stays.
//
// A write that was asked for and not answered may have happened or not: what it would have made of
// a machine is kept in `perhaps`, until the store shows which it was.

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "wherry/engine/engine_core.hpp"
#include "wherry/engine/store.hpp"

namespace wherry::detail {

class ledger {
 public:
  // Submitting. Asked before the store is, answered after it has.
  void submit_asked(const std::vector<submission>& wanted, system_time now);
  void submit_answered(const std::vector<submission>& wanted);

  // Leases.
  void leased(const leased_machine& machine, system_time now);
  void reclaimed(const leased_machine& machine);
  void released(const leased_machine& machine);

  // Steps.
  void step_begins(const step_context& run, std::string_view data);
  void step_ends(const std::string& id);

  // Outcomes.
  void record_asked(const std::vector<transition>& outcomes);
  void record_answered(const std::vector<transition>& outcomes, const std::vector<bool>& accepted);
  void record_repeated(const std::vector<transition>& outcomes, const std::vector<bool>& accepted);

  // Commands on one machine.
  void command_asked(const std::string& id);
  /// `now`: how the machine is after it.
  void command_answered(const machine_view& now);

  // Commands on a lane: asked, and answered.
  void changing(const std::string& lane) { paused_[lane] = false; }
  void paused(const std::string& lane) { paused_[lane] = true; }
  void resumed(const std::string& lane) { paused_.erase(lane); }

  /// A life begins: all that the store has.
  void opened(const std::vector<machine_view>& rows);
  /// Looks for machines that could have run for a while and have not been leased.
  void audit(system_time now, steady_time at, const engine_options& options);
  /// All has come to its end: what the store has, and the history of each.
  void closed(const std::vector<machine_view>& rows,
              const std::function<std::vector<history_entry>(const std::string&)>& history_of);

  /// The calendar shows it: nothing may run that is due later than it ever showed.
  void saw(system_time now) { latest_ = std::max(latest_, now); }

  /// All machines that were submitted and answered have ended.
  [[nodiscard]] bool all_ended() const;
  [[nodiscard]] const std::string& violation() const noexcept { return violation_; }
  void violate(std::string what) {
    if (violation_.empty()) violation_ = std::move(what);
  }
  [[nodiscard]] std::uint64_t commits() const noexcept { return commits_; }
  [[nodiscard]] std::uint64_t refused() const noexcept { return refused_; }

 private:
  struct situation {
    std::int64_t generation = 1;
    std::int64_t version = 0;
    wherry::phase phase = phase::ready;
    std::string state;
    std::string data;
    std::int32_t attempt = 1;
    std::int32_t setbacks = 0;
    system_time due{};
    std::string lane;

    [[nodiscard]] std::string to_string() const;
  };
  struct entry {
    std::optional<situation> now;        // answered; empty: nothing was
    std::vector<situation> perhaps;      // asked for, and not known
    std::uint64_t token = 0;             // of the newest lease; 0: none
    std::set<std::uint64_t> asked_with;  // tokens of outcomes whose answers are awaited
    int runs = 0;                        // steps under way
    bool has_begun = false;              // the step of the newest lease
    int commands = 0;                    // asked, and not answered
    bool was_commanded = false;          // since its last lease
    std::set<std::pair<std::int64_t, std::int64_t>> committed;  // generation, version
    std::optional<steady_time> idle_since;
  };

  static situation seen(const machine_view& row);
  static situation after(const transition& outcome, const situation& before);
  static bool same(const situation& a, const situation& b);
  static bool settle(entry& of, std::int64_t generation, std::int64_t version);
  /// Permits of its lane, and places in the window, that it holds.
  [[nodiscard]] static std::size_t holds(const entry& each);
  void check_attempt(const transition& outcome, const situation& before);
  [[nodiscard]] bool may_run(const entry& each, system_time now, const engine_options& options);

  std::map<std::string, entry> machines_;
  std::map<std::string, system_time> parked_;  // lanes
  std::map<std::string, bool> paused_;         // lanes; whether that is certain
  system_time latest_{};
  std::string violation_;
  std::uint64_t commits_ = 0;
  std::uint64_t refused_ = 0;
};

}  // namespace wherry::detail
