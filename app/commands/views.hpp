// SPDX-License-Identifier: Apache-2.0
#pragma once
// Machines and lanes as text and as JSON: the words of DESIGN.md, times in ISO 8601 for people and
// in milliseconds since the epoch for programs. Pure.

#include <boost/json.hpp>
#include <string>
#include <vector>

#include "wherry/engine/machine.hpp"
#include "wherry/engine/store.hpp"

namespace wherry::app {

[[nodiscard]] boost::json::object json_of(const machine_counts& counts, const std::string& owner);
[[nodiscard]] boost::json::object json_of(const machine_view& machine);
[[nodiscard]] boost::json::object json_of(const machine_view& machine,
                                          const std::vector<history_entry>& history);

/// Whether a lane is paused, parked or broken at `now`.
[[nodiscard]] bool is_blocked(const lane_state& lane, system_time now);
[[nodiscard]] boost::json::object json_of(const lane_state& lane);
/// One line: why it begins nothing, and what ends that.
[[nodiscard]] std::string line_of(const lane_state& lane, system_time now);

/// One line, for a list.
[[nodiscard]] std::string line_of(const machine_view& machine);
/// One line about a dead letter.
[[nodiscard]] std::string line_of_failure(const machine_view& machine);
/// Several lines: situation, last error, history.
[[nodiscard]] std::string page_of(const machine_view& machine,
                                  const std::vector<history_entry>& history);

/// What to know if the clock was set back since reports began to wait; empty: it was not.
[[nodiscard]] std::string clock_note(system_time waiting_since, system_time now);

/// "2026-11-24 19:42:24.120Z".
[[nodiscard]] std::string spoken(system_time at);

}  // namespace wherry::app
