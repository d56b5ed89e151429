// SPDX-License-Identifier: Apache-2.0
#pragma once
// What a step is told about the run that it is: by value, it may keep it.

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

#include "wherry/csp/scheduler.hpp"
#include "wherry/csp/task.hpp"

namespace wherry {
namespace detail {

/// Who is paid for calls: the lanes of an engine.
class call_desk {
 public:
  call_desk() = default;
  call_desk(const call_desk&) = delete;
  call_desk& operator=(const call_desk&) = delete;
  virtual ~call_desk() = default;
  virtual task<> pay(std::string lane) = 0;
  /// Throws `call_refused` if the lane is stopped.
  virtual void refuse_if_stopped(std::string_view lane) = 0;
};

/// Unwinds a step whose next call must wait for too long; the engine gives the machine back until
/// then. No std::exception, as `cancelled` is none: so that no step takes it for a failure.
struct call_postponed {
  system_time until;
};

/// Unwinds a step that is to call in a lane that is stopped: it stops the step's own lane, too. As
/// above.
struct call_refused {
  std::string error;
  system_time until;
};

}  // namespace detail

struct step_context {
  std::string id;
  std::int64_t generation = 1;
  std::string state;  ///< tag of the state that the step takes
  /// From 1; above 1 the step has failed before in this state.
  std::int32_t attempt = 1;
  /// When the run began.
  system_time started{};
  /// The machine's version when it came into this state: another one each time that it does.
  std::int64_t entered = 0;
  /// In which the step runs; its limits count calls.
  std::string lane{};
  /// Empty in a test: calls are free.
  std::shared_ptr<detail::call_desk> desk{};

  /// The time of the engine's clock, real or virtual.
  [[nodiscard]] system_time now() const { return scheduler::current().system_now(); }

  /// Pays for one more call of the other side, before it is made. The first call of a step is paid
  /// for when it begins; so a step that makes n calls awaits this n - 1 times. A step that is under
  /// way comes before one that is not.
  /// Suspends: until the lane's limits allow the call. If that takes longer than
  /// `engine_options::call_wait` the step ends here, by unwinding, and its machine is given back as
  /// it was, with no attempt spent: what should not be done over belongs into a state, page by
  /// page. So it ends too if the lane is stopped (outcome.hpp), and its own lane stops as well.
  /// Errors: `cancelled`. Threads: any; several calls of one step may wait at once.
  [[nodiscard]] task<> call() const { return call_in(lane); }

  /// Pays for a call in another lane, whose limits it falls under as well: all of an app's accounts
  /// share a quota, say. The lane in which the step runs is not paid. Of the other lane rate,
  /// quotas, park and breaker count; how many are in flight does not. Otherwise as above.
  [[nodiscard]] task<> call_in(std::string other) const {
    return desk ? desk->pay(std::move(other)) : free_call();
  }

  /// Ends the step as a call in that lane would if it is stopped, and pays for nothing: for a step
  /// that has to wait for something else first. Threads: any.
  void expect_open(std::string_view other) const {
    if (desk) desk->refuse_if_stopped(other);
  }

  /// The same for every run of this step since the machine came into this state, also after a crash
  /// or a redrive, and for no other: give it to what must not act twice. A machine that comes into
  /// the state again (from itself, or by going back) has another one.
  [[nodiscard]] std::string idempotency_key() const {
    return id + "/" + std::to_string(generation) + "/" + state + "/" + std::to_string(entered);
  }

 private:
  static task<> free_call() { co_return; }
};

}  // namespace wherry
