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

/// Which days an import without a range is about: those from `look_back` days before the newest
/// that has ended, and is due, for any client to that day.
[[nodiscard]] backlog_request daily_range(const spec& of, int look_back,
                                          std::chrono::sys_seconds now);

class asked_reports {
 public:
  /// Requires: `clients` are those that `wanted` was made with, and outlive this.
  asked_reports(backlog wanted, const std::vector<client>& clients);

  /// Whether the report's day has ended where its client is, so long ago.
  [[nodiscard]] bool is_due(std::size_t index, std::chrono::milliseconds delay,
                            std::chrono::sys_seconds now) const;
  /// Whether the newest day that has ended there is so many days after the report's at most.
  [[nodiscard]] bool is_recent(std::size_t index, int days, std::chrono::sys_seconds now) const;

  [[nodiscard]] std::size_t size() const noexcept { return wanted_.size(); }
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
