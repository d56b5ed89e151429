// SPDX-License-Identifier: Apache-2.0
#pragma once
// A quota: so many calls in any window of some length, as APIs have them per second, minute or day.
// Unlike a rate it does not spread the calls. Pure: time is an argument. Threads: one at a time.
//
// Calls are counted by parts of the window, at most 60, on the calendar's own grid. A part that
// overlaps the edge of a window counts whole.
//
// Invariants
// 1. The calls of no window of `per`, wherever it begins, are more than `calls`.
// 2. Memory is one ring of counts, whatever `calls` and `per` are.
// 3. A clock that is set back makes no call younger than now: so it delays nobody for longer than
//    `per` and a part, and nobody gets more than the quota, counted in the time that passed.

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "wherry/csp/scheduler.hpp"

namespace wherry {

struct quota {
  /// At least 1.
  std::int64_t calls = 1;
  /// At least a millisecond, at most 366 days.
  std::chrono::milliseconds per = std::chrono::minutes(1);

  friend bool operator==(const quota&, const quota&) = default;
};

namespace detail {

class quota_window {
 public:
  static constexpr std::int64_t parts = 60;

  explicit quota_window(quota limit) noexcept;

  /// Whether one more call at `now` keeps to the quota.
  [[nodiscard]] bool allows(system_time now) noexcept { return next_call(now) <= now; }
  /// The first time from `now` on at which it does.
  [[nodiscard]] system_time next_call(system_time now) noexcept;
  void spend(system_time now) noexcept;
  /// Undoes a `spend(at)`. Does nothing if that call has aged out.
  void give_back(system_time at) noexcept;

  /// When the last call will have aged out; the epoch: none is counted.
  [[nodiscard]] system_time empty_at() const noexcept;
  [[nodiscard]] const quota& limit() const noexcept { return limit_; }

  /// The counts as they are stored, newest first, without zeros at the end.
  struct kept {
    std::int64_t per_ms = 0;
    std::int64_t newest = 0;  ///< which part of the calendar the first count is of
    std::vector<std::int64_t> spent;
  };
  [[nodiscard]] kept keep() const;
  /// Requires: of a window of the same length. What is no such counts is not taken.
  void restore(const kept& counts) noexcept;

 private:
  [[nodiscard]] std::int64_t part_of(system_time at) const noexcept;
  [[nodiscard]] system_time begin_of(std::int64_t part) const noexcept;
  [[nodiscard]] std::int64_t& count(std::int64_t part) noexcept;
  [[nodiscard]] std::int64_t count(std::int64_t part) const noexcept;
  void move_to(std::int64_t part) noexcept;

  quota limit_;
  std::chrono::milliseconds part_;  // length
  std::int64_t span_;               // parts that together are at least the window
  std::int64_t newest_ = 0;         // the part seen last; counted are those from newest_ - span_ on
  std::int64_t sum_ = 0;
  std::array<std::int64_t, static_cast<std::size_t>(parts) + 1> ring_{};
};

/// Several windows as one text for the store, and back. Windows are known by their length: one that
/// the text does not have, or has unreadably, stays as it is. Empty: nothing is counted.
[[nodiscard]] std::string keep(const std::vector<quota_window>& windows);
void restore(std::vector<quota_window>& windows, std::string_view text);

}  // namespace detail
}  // namespace wherry
