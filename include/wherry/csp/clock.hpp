// SPDX-License-Identifier: Apache-2.0
#pragma once
// The times of a scheduler, real or virtual.

#include <chrono>

namespace wherry {

/// What a timeout takes: `500ms`, `2s` and the like turn into it.
using duration = std::chrono::nanoseconds;
/// Monotonic time: what timeouts and limits count.
using steady_time = std::chrono::time_point<std::chrono::steady_clock, duration>;
/// Calendar time: what is stored, shown and compared over restarts.
using system_time = std::chrono::sys_time<std::chrono::milliseconds>;

namespace detail {

/// `after` from `now`; `steady_time::max()`, which is never, if the clock cannot count that far.
constexpr steady_time time_after(steady_time now, duration after) noexcept {
  return after < steady_time::max() - now ? now + after : steady_time::max();
}

}  // namespace detail
}  // namespace wherry
