// SPDX-License-Identifier: Apache-2.0
#pragma once
// What a lane_board keeps of a lane, and of a state whose number in flight is limited.

#include <cstdint>
#include <string>
#include <utility>

#include "wherry/engine/lane_board.hpp"

namespace wherry::detail {

/// Where a lane stands.
enum class place : std::uint8_t {
  nowhere,            ///< nothing is ready in it
  runnable,           ///< as far as is known
  aside_until_time,   ///< its limits name a time
  aside_until_event,  ///< until a permit is given back, or its calls are paid for
  aside_for_state,    ///< its next machine finds no room in its state
  has_turn
};

struct lane_board::entry {
  entry(std::string its_name, lane_limits limits)
      : name(std::move(its_name)), limit(std::move(limits)) {}

  std::string name;
  lane limit;
  lane_memory kept{};  // as the store has it, or will have it
  place stands = place::nowhere;
  bool is_ready = false;
  double at = 0;             // how far it got: machines by weight
  system_time wake{};        // if aside until a time
  slots* full = nullptr;     // the state in which its next machine found no room
  std::string stopped_by{};  // empty: it is not
  system_time stopped_until{};
  std::size_t calls_waiting = 0;
  std::optional<channel<std::monostate>> line{};  // made for the first call that waits
};

struct lane_board::slots {
  std::size_t most = 0;
  std::size_t running = 0;
  std::size_t offered = 0;  // lanes that are runnable again for its sake
  by_turn waiting{};

  [[nodiscard]] std::size_t free() const noexcept { return most > running ? most - running : 0; }
};

}  // namespace wherry::detail
