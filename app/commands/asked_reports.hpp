// SPDX-License-Identifier: Apache-2.0
#pragma once
// The reports that a call asks for, among all that its store holds: a store keeps what earlier
// calls asked for, too, and what became of that is not this call's result.

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <expected>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "spec/backlog.hpp"
#include "wherry/engine/store.hpp"

namespace wherry::app {

/// Up to which day the reports of a client are due, and which is the newest that has ended there.
struct client_days {
  std::chrono::sys_days newest_due;
  std::chrono::sys_days newest_ended;
};

/// Those of each client, in the spec's order, at that moment.
[[nodiscard]] std::vector<client_days> days_of_clients(const spec& of,
                                                       std::chrono::sys_seconds now);

/// Which days an import without a range is about: those from `look_back` days before the newest
/// that is due for any client to the newest that is for any. Requires: there are clients.
[[nodiscard]] backlog_request daily_range(const std::vector<client_days>& of, int look_back);

class asked_reports {
 public:
  /// Requires: `clients` are those that `wanted` was made with, and outlive this.
  asked_reports(backlog wanted, const std::vector<client>& clients);

  [[nodiscard]] std::size_t size() const noexcept { return wanted_.size(); }
  [[nodiscard]] report_id operator[](std::size_t index) const { return wanted_[index]; }
  [[nodiscard]] const client& client_of(std::size_t index) const;
  [[nodiscard]] std::string day_of(std::size_t index) const;
  [[nodiscard]] std::string id_of(std::size_t index) const;
  /// Whether a machine of the store is one of them.
  [[nodiscard]] bool contains(std::string_view id) const;

 private:
  backlog wanted_;
  const std::vector<client>& clients_;
  std::unordered_map<std::string_view, std::size_t> client_index_;
};

/// How many of the asked-for reports ended otherwise than completed, and the first of them.
struct not_completed {
  static constexpr std::size_t kept = 20;
  std::size_t dead = 0;
  std::size_t cancelled = 0;
  std::vector<machine_view> first_dead{};  ///< at most `kept`
};

/// Looks for them in the store. Errors: the store's.
[[nodiscard]] std::expected<not_completed, store_error> find_not_completed(
    store& where, const asked_reports& asked);

}  // namespace wherry::app
