// SPDX-License-Identifier: Apache-2.0
#pragma once
// What channels do, on paper: values in lists, waiters in lists, one request after the other, no
// concurrency. It says what docs/csp.md says and shares no line with the library.
//
// A request either answers at once, or its process is parked and a later request of another process
// answers it. Which ready case a fair select takes is not determined: the caller says.
//
// Invariant: a parked process stands in a queue of each of its cases; one that is not, in none.

#include <cstdint>
#include <optional>
#include <vector>

#include "program.hpp"

namespace wherry::reference {

class model {
 public:
  explicit model(const program& of);

  /// Process `who` asks for `what` at time `now_ms`. Of a fair select, `preferred` is the case that
  /// it takes; if that is not ready though another is, nothing happens. Gives whether it happened.
  [[nodiscard]] bool request(std::size_t who, const action& what, std::size_t preferred,
                             std::int64_t now_ms);
  /// Time has come to `now_ms`: deadlines up to then answer.
  void advance(std::int64_t now_ms);

  [[nodiscard]] bool is_parked(std::size_t who) const { return parts_[who].asks != nullptr; }
  /// The answer to the last request, if there is one.
  [[nodiscard]] const std::optional<answer>& answer_to(std::size_t who) const {
    return parts_[who].had;
  }

 private:
  struct waiter {
    std::size_t who;
    std::uint8_t arm;
    int value;
  };
  struct lane_state {
    lane plan;
    bool closed = false;
    std::vector<int> buffer;
    std::vector<waiter> putters;
    std::vector<waiter> takers;
  };
  struct part {
    const action* asks = nullptr;  // while parked
    std::int64_t asked_ms = 0;
    bool cancelled = false;
    std::optional<answer> had;
  };

  [[nodiscard]] bool is_ready(const arm& one) const;
  [[nodiscard]] answer commit(const arm& one);
  [[nodiscard]] answer put(lane_state& into, int value);
  [[nodiscard]] answer take(lane_state& from);
  void close(lane_state& which);
  void cancel(std::size_t who);
  void park(std::size_t who, const action& what, std::int64_t now_ms);
  /// Ends a wait: out of all queues.
  void wake(std::size_t who, answer with);

  std::vector<lane_state> lanes_;
  std::vector<part> parts_;
};

}  // namespace wherry::reference
