// SPDX-License-Identifier: Apache-2.0
#pragma once
// `wherry check --probe`: one small call to each side of an import, after its spec was found right:
// are they there, and do they take the credentials? What is tried, and why it leaves nothing
// behind: source/probe.hpp and sink/probe.hpp.

#include <chrono>
#include <string>
#include <vector>

#include "commands/session.hpp"
#include "spec/backlog.hpp"

namespace wherry::app {

/// Longest that one call may take, whatever the spec allows.
inline constexpr std::chrono::seconds probe_time_limit{30};

/// What came of the call to one side.
struct probe_line {
  std::string side;  ///< the section of the spec: "source", "sink"
  bool is_well = false;
  std::string says;  ///< what was tried and what came of it; what to do where it is not well
};

/// Calls each side about one report. Returns one line a side, or none if a signal came first.
/// Requires: block_stop_signals was called; about.client < spec.clients.size().
[[nodiscard]] std::vector<probe_line> probe_sides(const prepared_spec& with,
                                                  const report_id& about);

}  // namespace wherry::app
