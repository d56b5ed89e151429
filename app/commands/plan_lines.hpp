// SPDX-License-Identifier: Apache-2.0
#pragma once
// The limits of a lane as a plan shows them: a line for people, JSON for programs. Pure.

#include <boost/json.hpp>
#include <string>

#include "wherry/engine/lane.hpp"

namespace wherry::app {

/// "10 calls per 1 s, 8 in flight, at most 100 per min and 10000 per day, …": what is at its
/// default and limits nothing is not told.
[[nodiscard]] std::string line_of(const lane_limits& limits);
[[nodiscard]] boost::json::object json_of(const std::string& lane, const lane_limits& limits);

}  // namespace wherry::app
