// SPDX-License-Identifier: Apache-2.0
#pragma once
// The reports that a call asks for, among all that its store holds: a store keeps what earlier
// calls asked for, too, and what became of that is not this call's result.

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

class asked_reports {
 public:
  /// Requires: `clients` are those that `wanted` was made with, and outlive this.
  asked_reports(backlog wanted, const std::vector<client>& clients);

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
