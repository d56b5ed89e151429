// SPDX-License-Identifier: Apache-2.0
#pragma once
// What a run showed, and whether the model can explain it: each operation was called and, unless it
// was still waiting at the end, returned with an answer. The history is right if each operation can
// be given a point between the two at which the model, asked in the order of these points, gives
// these answers: linearizability (Herlihy and Wing 1990), with the request of a waiting operation
// as its point (Scherer and Scott 2004, dual data structures).

#include <cstdint>
#include <string>
#include <vector>

#include "program.hpp"

namespace wherry::reference {

/// One operation of a run.
struct operation_seen {
  static constexpr long never = -1;

  const action* what = nullptr;
  long called = 0;  // stamps: one order over the whole run
  long returned = never;
  std::int64_t called_ms = 0;
  std::int64_t returned_ms = 0;
  answer had;
  bool kept_values = true;  // each value is at its putter exactly if it was not accepted
};

struct history {
  struct instant {
    long stamp;
    std::int64_t at_ms;
  };

  std::vector<std::vector<operation_seen>> processes;
  /// When nothing could go on any more; known under virtual time only.
  std::vector<instant> quiet;
  long stamps = 0;
};

/// Where an operation may have taken effect.
enum class points : std::uint8_t {
  at_call,  // the run was on one thread: an operation asks when it is called, and at once
  anywhere  // between call and return
};

/// Empty if the model explains what was seen; else what it cannot explain.
std::string unexplained(const program& played, const history& seen, points where);

}  // namespace wherry::reference
