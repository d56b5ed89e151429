// SPDX-License-Identifier: Apache-2.0
#pragma once
// The machine that is measured: three steps that do nothing, each state 200 bytes of JSON. What a
// step notes of the time goes to memory, beside the store, and only if somebody wants it.

#include <boost/describe.hpp>
#include <cstdint>
#include <string>
#include <variant>
#include <vector>

#include "wherry/engine/engine.hpp"

namespace enginebench {

inline constexpr std::size_t state_bytes = 200;
inline constexpr int steps = 3;

struct loaded {
  static constexpr std::string_view tag = "loaded";
  std::int64_t number = 0;
  std::string cargo;
};
BOOST_DESCRIBE_STRUCT(loaded, (), (number, cargo))

struct underway {
  static constexpr std::string_view tag = "underway";
  std::int64_t number = 0;
  std::string cargo;
};
BOOST_DESCRIBE_STRUCT(underway, (), (number, cargo))

struct landed {
  static constexpr std::string_view tag = "landed";
  std::int64_t number = 0;
  std::string cargo;
};
BOOST_DESCRIBE_STRUCT(landed, (), (number, cargo))

struct delivered {
  static constexpr std::string_view tag = "delivered";
  std::int64_t number = 0;
  std::string cargo;
};
BOOST_DESCRIBE_STRUCT(delivered, (), (number, cargo))

/// The cargo that makes the JSON of a state as long as it has to be.
[[nodiscard]] inline std::string cargo_for(std::int64_t number) {
  const auto rest =
      std::string_view(R"({"number":,"cargo":""})").size() + std::to_string(number).size();
  return std::string(state_bytes - rest, 'x');
}

/// When each machine may run its next step, and how long after that it began to: filled by steps,
/// each of which knows its machine's number. Microseconds since 1970.
struct timetable {
  std::vector<std::int64_t> due_us;
  struct delay {
    std::int64_t us;
    int step;      ///< from 0
    bool retried;  ///< a run after a failed one
  };
  std::vector<std::vector<delay>> delays;  // by machine: no two steps of one run at once
};

[[nodiscard]] inline std::int64_t now_us() {
  return std::chrono::duration_cast<std::chrono::microseconds>(
             std::chrono::system_clock::now().time_since_epoch())
      .count();
}

/// A kind with three no-op steps, of which a share fails once and waits 100 ms.
struct haul {
  static constexpr std::string_view name = "haul";
  using state = std::variant<loaded, underway, landed, delivered>;
  using said = wherry::outcome<state>;

  int lanes = 16;
  int failing_percent = 0;
  timetable* times = nullptr;

  static constexpr auto retry_after = std::chrono::milliseconds(100);

  wherry::task<said> step(loaded now, wherry::step_context context) {
    if (fails(now.number, 0, context)) co_return refusal(now.number);
    co_return underway{now.number, std::move(now.cargo)};
  }
  wherry::task<said> step(underway now, wherry::step_context context) {
    if (fails(now.number, 1, context)) co_return refusal(now.number);
    co_return landed{now.number, std::move(now.cargo)};
  }
  wherry::task<said> step(landed now, wherry::step_context context) {
    if (fails(now.number, 2, context)) co_return refusal(now.number);
    co_return delivered{now.number, std::move(now.cargo)};
  }

  template <class State>
  [[nodiscard]] std::string lane(const State& now) const {
    return "lane " + std::to_string(now.number % lanes);
  }

 private:
  /// Notes when the run began, and says whether it fails. A run that fails is drawn from the
  /// machine, the step and the attempt: every run of the benchmark meets the same ones.
  bool fails(std::int64_t number, int step, const wherry::step_context& context) const {
    const auto at = static_cast<std::size_t>(number);
    if (times != nullptr) {
      const auto started = now_us();
      times->delays[at].push_back({started - times->due_us[at], step, context.attempt > 1});
      times->due_us[at] = started;  // the next step is due when this one has ended
    }
    auto draw = static_cast<std::uint64_t>(number) * 1'000 +
                static_cast<std::uint64_t>(step * 100 + context.attempt);
    draw = (draw ^ (draw >> 31)) * 0x9E3779B97F4A7C15u;
    draw = (draw ^ (draw >> 29)) * 0xBF58476D1CE4E5B9u;
    return static_cast<int>((draw >> 32) % 100) < failing_percent;
  }
  wherry::transient refusal(std::int64_t number) const {
    if (times != nullptr) {
      times->due_us[static_cast<std::size_t>(number)] =
          now_us() + std::chrono::microseconds(retry_after).count();
    }
    return {"a failure of the benchmark's", retry_after};
  }
};

using haul_engine = wherry::engine<haul>;

/// Machines number `first` to `end`, due at `due`.
[[nodiscard]] inline std::vector<haul_engine::start> hauls(std::int64_t first, std::int64_t end,
                                                           wherry::system_time due = {}) {
  std::vector<haul_engine::start> wanted;
  wanted.reserve(static_cast<std::size_t>(end - first));
  for (auto number = first; number < end; ++number) {
    wanted.push_back({.id = "haul/" + std::to_string(10'000'000 + number),
                      .first = loaded{number, cargo_for(number)},
                      .due = due});
  }
  return wanted;
}

}  // namespace enginebench
