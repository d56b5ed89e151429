// SPDX-License-Identifier: Apache-2.0
#pragma once
// A breaker: after so many failures in a row it lets nobody through for a while, then a single one,
// the probe, whose success closes it and whose failure opens it again, for twice as long. So a side
// that is down is asked now and then, not hammered. Pure: time is an argument. Threads: one at a
// time.
//
// What began before it opened says nothing about the other side now: as long as the breaker is not
// closed only the probe counts.
// A clock that is set back delays nobody for longer than the time that the breaker is open anyway.
// Source: M. Nygard, Release It!, 2007 ("circuit breaker").

#include <cstdint>
#include <optional>

#include "wherry/csp/scheduler.hpp"

namespace wherry {

struct breaker_limits {
  /// Failures in a row that open it; 0: it never opens.
  std::int32_t failures = 0;
  /// How long it is open the first time; doubles with each failed probe.
  std::chrono::milliseconds open_for = std::chrono::seconds(30);
  /// How long at most. After so long without news a closed breaker forgets its failures.
  std::chrono::milliseconds longest = std::chrono::minutes(10);
};

namespace detail {

class breaker {
 public:
  explicit breaker(breaker_limits limits) noexcept;

  /// Whether somebody may pass at `now`.
  [[nodiscard]] bool allows(system_time now) noexcept;
  /// When to ask again, if what is missing is time; empty if it is the end of the probe.
  [[nodiscard]] std::optional<system_time> next(system_time now) noexcept;
  /// Somebody passes; whether as the probe. Requires: allows(now).
  [[nodiscard]] bool pass() noexcept;

  // What became of whoever passed; `is_probe` as pass() said.
  void succeeded(bool is_probe) noexcept;
  void failed(bool is_probe, system_time now) noexcept;
  /// It says nothing about the other side.
  void neither(bool is_probe) noexcept;

  /// What a restart must not forget.
  struct kept {
    std::int32_t failures = 0;
    system_time open_until{};
  };
  [[nodiscard]] kept keep() const noexcept { return {failures_, open_until_}; }
  void restore(kept state, system_time now) noexcept;
  /// From then on a new breaker would do the same, or at least as well; the epoch: now.
  [[nodiscard]] system_time forgotten_at() const noexcept;
  [[nodiscard]] bool is_probing() const noexcept { return probing_; }

 private:
  [[nodiscard]] bool is_open() const noexcept;
  [[nodiscard]] std::chrono::milliseconds time_open() const noexcept;
  void look(system_time now) noexcept;

  breaker_limits limits_;
  std::int32_t failures_ = 0;  // in a row; from limits_.failures on it is open
  bool probing_ = false;
  system_time open_until_{};
  system_time news_{};  // when it last failed
};

}  // namespace detail
}  // namespace wherry
