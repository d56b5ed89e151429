// SPDX-License-Identifier: Apache-2.0
// By cctz: the C++ library's own time zones are not in libstdc++ 12.
#include "spec/closing.hpp"

#include <cctz/civil_time.h>
#include <cctz/time_zone.h>

namespace wherry::app {
namespace {

cctz::time_zone zone_of(const std::string& name) {
  cctz::time_zone zone;
  cctz::load_time_zone(name, &zone);  // one that is not known is UTC; read_spec has refused it
  return zone;
}

cctz::civil_day civil(day of) {
  return cctz::civil_day(static_cast<int>(of.year()), static_cast<unsigned>(of.month()),
                         static_cast<unsigned>(of.day()));
}

}  // namespace

bool is_known_timezone(const std::string& name) {
  cctz::time_zone zone;
  return cctz::load_time_zone(name, &zone);
}

std::chrono::sys_seconds end_of_day(day of, const std::string& timezone) {
  const auto midnight = cctz::civil_second(civil(of) + 1);
  return std::chrono::time_point_cast<std::chrono::seconds>(
      cctz::convert(midnight, zone_of(timezone)));
}

day newest_ended(std::chrono::sys_seconds now, const std::string& timezone) {
  // No zone is a day ahead of UTC.
  std::chrono::sys_days newest = std::chrono::floor<std::chrono::days>(now);
  while (end_of_day(day{newest}, timezone) > now) newest -= std::chrono::days(1);
  return day{newest};
}

}  // namespace wherry::app
