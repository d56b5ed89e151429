// SPDX-License-Identifier: Apache-2.0
#pragma once
// What an error of a part means for the report: tried again, waited for, done over from an earlier
// state, or given up. Pure.

#include "report/states.hpp"
#include "sink/sink.hpp"
#include "source/source.hpp"
#include "spool/spool.hpp"
#include "transform/error.hpp"
#include "warehouse/load.hpp"
#include "wherry/engine/outcome.hpp"

namespace wherry::app {

/// How long a lane waits after a "too many requests" that did not say how long.
inline constexpr std::chrono::seconds default_throttle_wait{5};

/// When a report is asked for again that is not ready yet, by an answer that did not say when.
inline constexpr std::chrono::minutes default_pending_wait{1};

/// How long a lane stops whose credentials or table are refused, if nobody starts the import anew
/// before.
inline constexpr std::chrono::minutes stopped_lane_wait{15};

using report_state = std::variant<requestable, pending, downloadable, downloading, transformable,
                                  uploadable, loadable, completed>;

/// Requires: `error` is neither `empty`, which is no failure, nor a `split` that can be heeded.
[[nodiscard]] outcome<report_state> outcome_of(const source_error& error, system_time now);

/// `again`: what to do over when the spool's bytes are gone. A full spool spends no attempt: it
/// empties by itself. A full disk does, slowly: somebody must empty it.
[[nodiscard]] outcome<report_state> outcome_of(const spool_error& error, report_state again,
                                               system_time now);

/// A report whose content is wrong is downloaded again: what is wrong may have been the answer.
[[nodiscard]] outcome<report_state> outcome_of(const transform_error& error, report_state again);

[[nodiscard]] outcome<report_state> outcome_of(const sink_error& error, report_state again,
                                               system_time now);

/// A stored report whose client or day the spec does not know any more.
[[nodiscard]] permanent unknown_report(const std::string& client, const std::string& day);

/// A report of whose day the table has other rows, of a newer pass that the store does not know.
[[nodiscard]] permanent loaded_by_another(const spec& of);

/// When a lane of a warehouse begins again.
struct load_waits {
  system_time full;
  system_time unreachable;
  system_time stopped;
};

/// A warehouse that is down parks its lane, and what is wrong for all reports alike stops it: no
/// report dies of that.
[[nodiscard]] outcome<report_state> outcome_of(const load_error& error, report_state again,
                                               const load_waits& later);

}  // namespace wherry::app
