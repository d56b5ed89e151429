// SPDX-License-Identifier: Apache-2.0
#pragma once
// When a day ends where a client is, so that a report of it may be asked for. Pure, but for the
// system's time zone database, which is read once a zone.

#include <chrono>
#include <string>

#include "spec/day.hpp"

namespace wherry::app {

/// Whether this machine knows a time zone by that name.
[[nodiscard]] bool is_known_timezone(const std::string& name);

/// The moment at which a day ends there. Requires: is_known_timezone.
[[nodiscard]] std::chrono::sys_seconds end_of_day(day of, const std::string& timezone);

/// The newest day that has ended there. Requires: as above.
[[nodiscard]] day newest_ended(std::chrono::sys_seconds now, const std::string& timezone);

}  // namespace wherry::app
