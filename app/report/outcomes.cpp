// SPDX-License-Identifier: Apache-2.0
#include "report/outcomes.hpp"

namespace wherry::app {
namespace {

std::optional<duration> as_duration(std::optional<std::chrono::milliseconds> wait) {
  return wait ? std::optional<duration>(*wait) : std::nullopt;
}

system_time until(std::optional<std::chrono::milliseconds> wait, system_time now) {
  return now + wait.value_or(default_throttle_wait);
}

}  // namespace

outcome<report_state> outcome_of(const source_error& error, system_time now) {
  switch (error.is) {
    case source_error::meaning::throttled:
    case source_error::meaning::spool_full: return throttled{error.message, until(error.wait, now)};
    case source_error::meaning::pending:
      return postponed{error.message, now + error.wait.value_or(default_pending_wait)};
    case source_error::meaning::credentials:
      return stops_lane{error.message, now + stopped_lane_wait};
    case source_error::meaning::split:
    case source_error::meaning::permanent: return permanent{error.message};
    case source_error::meaning::empty:
    case source_error::meaning::expired:
    case source_error::meaning::transient: break;
  }
  return transient{error.message, as_duration(error.wait)};
}

outcome<report_state> outcome_of(const spool_error& error, report_state again, system_time now) {
  switch (error.kind) {
    case spool_error_kind::damaged: return go_back<report_state>{std::move(again), error.message};
    case spool_error_kind::full: return throttled{error.message, now + spool_full_wait};
    case spool_error_kind::too_large: return permanent{error.message};
    case spool_error_kind::no_space: return transient{error.message, no_space_wait};
    case spool_error_kind::owned:
    case spool_error_kind::io: break;
  }
  return transient{error.message, std::nullopt};
}

outcome<report_state> outcome_of(const transform_error& error, report_state again) {
  if (error.what == transform_error::kind::no_space) return transient{error.message, no_space_wait};
  if (!error.permanent) return transient{error.message, std::nullopt};
  if (error.what == transform_error::kind::sql || error.what == transform_error::kind::unit) {
    return permanent{error.message};  // the spec's fault: no download can mend it
  }
  if (error.what == transform_error::kind::too_large) {
    return permanent{error.message};  // it would unpack to as much again
  }
  return go_back<report_state>{std::move(again), error.message};
}

outcome<report_state> outcome_of(const sink_error& error, report_state again, system_time now) {
  switch (error.kind) {
    case sink_error_kind::throttled: return throttled{error.message, until(error.wait, now)};
    case sink_error_kind::permanent: return permanent{error.message};
    case sink_error_kind::stopped: return stops_lane{error.message, now + stopped_lane_wait};
    case sink_error_kind::damaged: return go_back<report_state>{std::move(again), error.message};
    case sink_error_kind::transient: break;
  }
  return transient{error.message, as_duration(error.wait)};
}

permanent unknown_report(const std::string& client, const std::string& day) {
  return permanent{
      "the report of client \"" + client + "\" on " + day +
      " is not in the spec any more; put the client back into `import.clients`, or the "
      "list that it names, or cancel the report"};
}

permanent loaded_by_another(const spec& of) {
  return permanent{"table " + of.warehouse->table +
                   " has other rows of this day, which a newer pass has loaded that this store "
                   "does not know: it was made in another store, or `import.keep_for` is over; let "
                   "`wherry import` load the day anew by --only all"};
}

outcome<report_state> outcome_of(const load_error& error, report_state again,
                                 const load_waits& later) {
  switch (error.kind) {
    case load_error_kind::full: return throttled{error.message, later.full};
    case load_error_kind::unreachable: return throttled{error.message, later.unreachable};
    case load_error_kind::stopped: return stops_lane{error.message, later.stopped};
    case load_error_kind::permanent: return permanent{error.message};
    case load_error_kind::vanished: return go_back<report_state>{std::move(again), error.message};
    case load_error_kind::transient: break;
  }
  return transient{error.message, std::nullopt};
}

}  // namespace wherry::app
