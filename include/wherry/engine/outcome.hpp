// SPDX-License-Identifier: Apache-2.0
#pragma once
// outcome<State>: what a step says. A next state is enough in most steps:
//
//   task<outcome<state>> step(downloadable now, step_context context) { …; co_return uploadable{…};
//   }
//
// The other answers are two ways to wait and four to fail. An exception that leaves a step is
// `transient`.

#include <concepts>
#include <optional>
#include <string>
#include <utility>
#include <variant>

#include "wherry/csp/scheduler.hpp"

namespace wherry {

/// The step failed, but may well succeed later: tried again after a backoff, a limited number of
/// times. `wait`, if set, takes the place of the backoff.
struct transient {
  std::string error;
  std::optional<duration> wait{};
};

/// The other side asks for a pause: the lane waits until then, and no attempt is spent. A time that
/// is past stands for the first delay of the state's policy.
struct throttled {
  std::string error;
  system_time until;
};

/// There is nothing to do yet: the other side is still at work, say. The machine runs again from
/// the same state then; no attempt is spent, and nobody else waits. A time that is past: as above.
struct postponed {
  std::string why;
  system_time until;
};

/// No step of the lane can succeed until somebody has changed something: credentials, say. The lane
/// begins no step until then (at most: a new run of the engine begins at once), when the next one
/// tries; no attempt is spent. A run that is to end once all is done ends without these machines.
struct stops_lane {
  std::string error;
  system_time until;
};

/// The step can never succeed: the machine becomes a dead letter at once.
struct permanent {
  std::string error;
};

/// What the step needs is gone; an earlier state must be done over, after a backoff that grows with
/// each time that the machine went back. At most as often as the state it comes from has attempts,
/// so that two states cannot send each other work for ever.
template <class State>
struct go_back {
  State to;
  std::string error;
  /// If it is set nothing failed: the machine makes way for others until then, however often. A
  /// time that is past: as above.
  std::optional<system_time> until{};
};

/// Requires: `State` is the std::variant of the kind's states.
template <class State>
class outcome {
 public:
  using value =
      std::variant<State, transient, throttled, postponed, stops_lane, permanent, go_back<State>>;

  template <class Next>
    requires std::constructible_from<State, Next&&>
  outcome(Next&& next) : value_(std::in_place_index<0>, std::forward<Next>(next)) {}
  outcome(transient failed) : value_(std::move(failed)) {}
  outcome(throttled failed) : value_(std::move(failed)) {}
  outcome(postponed wait) : value_(std::move(wait)) {}
  outcome(stops_lane failed) : value_(std::move(failed)) {}
  outcome(permanent failed) : value_(std::move(failed)) {}
  outcome(go_back<State> failed) : value_(std::move(failed)) {}

  [[nodiscard]] value& get() noexcept { return value_; }

 private:
  value value_;
};

}  // namespace wherry
