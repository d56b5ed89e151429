// SPDX-License-Identifier: Apache-2.0
#pragma once
// A kind of machine without its types: what the engine's core drives. kind.hpp makes one of a
// user's class; nobody else needs to.

#include <cstdint>
#include <optional>
#include <string>

#include "wherry/csp/task.hpp"
#include "wherry/engine/machine.hpp"
#include "wherry/engine/shape.hpp"
#include "wherry/engine/step_context.hpp"

namespace wherry::detail {

struct raw_state {
  std::string tag;
  std::string data;  ///< JSON
  std::string lane;
  std::int32_t rank = 0;
  std::int32_t shape = 0;
  bool is_final = false;
};

struct raw_outcome {
  outcome_kind kind = outcome_kind::advanced;
  raw_state next{};                ///< advanced, went_back
  std::string error{};             ///< all others, and went_back
  std::optional<duration> wait{};  ///< retried
  system_time until{};             ///< throttled, postponed, went_back if it makes way
  bool makes_way = false;          ///< went_back: until then, and it does not count
  bool by_our_limits = false;      ///< postponed: so it says nothing about the other side
  bool stops_lane = false;         ///< postponed: until then its lane begins no step
  bool leaves_alone = false;       ///< nothing ran: another program's machine, `error` says why
};

class raw_kind {
 public:
  raw_kind() = default;
  raw_kind(const raw_kind&) = delete;
  raw_kind& operator=(const raw_kind&) = delete;
  virtual ~raw_kind() = default;
  virtual task<raw_outcome> run(stored_state now, step_context context) = 0;
  /// The outcome that leaves it alone, if it is another program's.
  [[nodiscard]] virtual std::optional<raw_outcome> foreign(const stored_state& now) const = 0;
};

}  // namespace wherry::detail
