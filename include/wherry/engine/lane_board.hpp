// SPDX-License-Identifier: Apache-2.0
#pragma once
// All lanes of an engine: which of them may run now, whose turn it is, and who pays for calls.
//
// Fairness is stride scheduling: a lane that gets n machines is moved n / weight further, and the
// one that is furthest behind has the next turn. A lane that could not run for a while has no claim
// to what it missed. Source: C. Waldspurger and W. Weihl, Stride Scheduling, 1995.
//
// A lane that cannot run costs no turn and no lease: it stands aside until its time comes, or what
// it waits for (a permit, a place in flight of a state, the end of other calls) is given back.
//
// Invariants (under mutex_)
// 1. A lane with ready machines stands in exactly one place: runnable, aside until a time, aside
//    until an event, or aside for a state; or the claimer has its turn under way. Others nowhere.
//    The shares of a round are of the lanes that are runnable: those aside take nothing from them.
// 2. Whatever ends what a lane stands aside for moves it back, and says so by `changed`.
// 3. While a call of a lane waits, the lane begins no step: what is under way ends first.
// 4. A lane's line is a channel with one token: whoever has it waits for time, the others for it.
//
// Threads: set_ready to next_time are for one process, the claimer; the others for any.

#include <cstddef>
#include <functional>
#include <map>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "wherry/csp/channel.hpp"
#include "wherry/engine/lane.hpp"
#include "wherry/engine/step_context.hpp"
#include "wherry/engine/store.hpp"

namespace wherry::detail {

struct lane_board_options {
  std::function<lane_limits(std::string_view lane)> limits{};
  /// Steps at once by state; 0: no limit. Other states have `in_flight_else`, each for itself.
  std::map<std::string, std::size_t, std::less<>> in_flight{};
  std::size_t in_flight_else = 0;
  duration call_wait{};
};

/// Why a lane begins no step, and until when.
struct stopped_lane {
  std::string error;
  system_time until;
};

/// Permits to lease machines of one lane.
struct lane_turn {
  std::string lane;
  std::size_t permits = 0;
  permit each{};
};

/// A step that ended.
struct lane_step {
  std::string_view lane;
  std::string_view state;
  permit used{};
  std::optional<lane_news> news{};  ///< empty: it did not run
  std::optional<system_time> parked_until{};
  std::optional<stopped_lane> stopped{};
};

class lane_board final : public call_desk {
 public:
  explicit lane_board(lane_board_options options);
  ~lane_board() override;

  /// What the store has kept of a lane.
  void restore(const lane_state& kept, system_time now);

  /// These lanes have ready machines, and no others.
  void set_ready(std::vector<std::string> names, system_time now);
  /// Turns from here on share the room anew.
  void begin_round();
  /// The lane whose turn it is, with permits for its share of `room`; empty: none can run now.
  /// Requires: room > 0; the turn before has ended.
  [[nodiscard]] std::optional<lane_turn> next_turn(std::size_t room, system_time now);
  /// A machine of that state is about to run; false: there is no room for it.
  [[nodiscard]] bool begin_step(std::string_view state);
  /// Of the turn's machines `leased` were found and the first `run` of them run; the next one found
  /// no room in its state, `full`, empty if all run.
  void end_turn(const lane_turn& of, std::size_t leased, std::size_t run, std::string_view full,
                system_time now);
  /// When time alone may let another lane run.
  [[nodiscard]] std::optional<system_time> next_time();

  /// Gives back what a step held. True: its lane has something to keep (`memory_of`).
  [[nodiscard]] bool end_step(const lane_step& ended, system_time now);
  /// What the store has to keep of a lane; empty: the same as at the last call.
  [[nodiscard]] std::optional<lane_memory> memory_of(std::string_view lane);
  [[nodiscard]] bool has_paid_calls();
  /// The same of all lanes in which calls were paid for since the last time.
  [[nodiscard]] std::vector<std::pair<std::string, lane_memory>> memories_of_calls();
  /// Lanes that a step has stopped, by name, with the reason, until a later one ran well.
  [[nodiscard]] std::map<std::string, std::string> stopped();
  /// Whether there are ready lanes, and all of them are stopped.
  [[nodiscard]] bool all_are_stopped();
  /// A channel of capacity 1 that has a value when a lane that stood aside may run again.
  [[nodiscard]] channel<std::monostate> changed() const { return changed_; }
  /// Lanes that are kept although nothing is ready in them, at most about so many.
  static constexpr std::size_t lanes_at_rest = 1'000;

  task<> pay(std::string lane) override;
  void refuse_if_stopped(std::string_view lane) override;

 private:
  struct entry;
  struct slots;
  class place_in_line;
  struct further_behind {
    bool operator()(const entry* a, const entry* b) const noexcept;
  };
  using by_turn = std::set<entry*, further_behind>;

  entry& entry_of(std::string_view name);
  [[nodiscard]] static std::optional<lane_memory> news_to_keep(entry& each);
  [[nodiscard]] bool try_call(entry& each, system_time now);
  static void refuse_if_stopped(const entry& each, system_time now);
  void forget_resting(system_time now);
  void set_is_ready(entry& each, bool is_ready);
  void take_out(entry& each);
  void make_runnable(entry& each);
  void find_place(entry& each, system_time now);
  void stand_aside(entry& each, system_time now);
  void stand_aside_for(entry& each, slots& state);
  void wake_due(system_time now);
  void offer_slots();
  [[nodiscard]] bool wake_on_event(entry& each);
  [[nodiscard]] std::size_t share_of(const entry& each, std::size_t room);
  [[nodiscard]] slots* slots_of(std::string_view state);

  const lane_board_options options_;
  const bool limits_states_;
  std::mutex mutex_;
  std::map<std::string, entry, std::less<>> lanes_;
  std::vector<std::string> ready_names_;  // as set_ready said
  std::vector<entry*> ready_;             // those; some may be ready no more
  std::size_t ready_count_ = 0;
  by_turn runnable_;
  double runnable_weight_ = 0;
  double turn_at_ = 0;  // how far the lane was that had the last turn
  std::set<std::pair<system_time, entry*>> timed_;
  std::map<std::string, slots, std::less<>> states_;
  std::set<std::string, std::less<>> paid_;  // lanes with memories, since memories_of_calls
  system_time seen_{};                       // the clock at the last turn
  std::size_t forget_at_ = lanes_at_rest;  // lanes where nothing is ready: then some are forgotten
  struct {
    std::size_t turns_left = 0;
    double room = 0, weight = 0;
  } round_;
  channel<std::monostate> changed_{fixed{1}};
};

}  // namespace wherry::detail
