// SPDX-License-Identifier: Apache-2.0
#pragma once
// The backlog: which reports an import asks for, one per (client, day). Ten million reports must
// not cost ten million rows of memory, so a backlog is arithmetic and not a list: report k is
// computed.
//
// 1. Order is by day, the newest first, then by client as the spec lists them: what is wanted most
//    comes first, and every client's lane gets work at once.
// 2. An id reads "client/2025-01-31"; a client id holds no "/", so an id parses back to one report.

#include <cstddef>
#include <expected>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "spec/day.hpp"
#include "spec/spec.hpp"

namespace wherry::app {

/// Names one report: the client by its index in the spec, and the day.
struct report_id {
  std::size_t client = 0;
  app::day day;
  friend bool operator==(const report_id&, const report_id&) = default;
};

/// Says what is wrong with a call's dates, clients or id, and what to write instead.
struct backlog_error {
  std::string message;
  std::string remedy;
};

/// Holds what the command line asks for, as text: both days count; no clients means all of them.
struct backlog_request {
  std::string from;
  std::string to;
  std::vector<std::string> clients;
};

/// Enumerates the reports of an import. A value: copy it, share it between threads.
class backlog {
 public:
  /// Checks a request against the clients of a spec. Errors: a bad date, from after to, an unknown
  /// client, more than ten million reports.
  [[nodiscard]] static std::expected<backlog, backlog_error> make(const backlog_request& request,
                                                                  std::span<const client> clients);

  [[nodiscard]] std::size_t size() const noexcept { return days_ * clients_.size(); }

  /// Computes report `index`. Requires: index < size().
  [[nodiscard]] report_id operator[](std::size_t index) const;

  /// Whether a report is one of these.
  [[nodiscard]] bool contains(const report_id& id) const noexcept;

 private:
  std::chrono::sys_days first_;
  std::size_t days_ = 0;
  std::vector<std::size_t> clients_;  // indexes into the spec's clients, in its order, no doubles
};

/// Writes an id as "client/2025-01-31". Requires: id.client < clients.size().
[[nodiscard]] std::string to_string(const report_id& id, std::span<const client> clients);

/// Reads what to_string wrote. Errors: another shape, a client that the spec does not have.
[[nodiscard]] std::expected<report_id, backlog_error> parse_report_id(
    std::string_view text, std::span<const client> clients);

}  // namespace wherry::app
