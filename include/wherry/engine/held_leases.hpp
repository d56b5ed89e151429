// SPDX-License-Identifier: Apache-2.0
#pragma once
// The leases that an engine holds, from lease to record or release: what it renews. Threads: any.

#include <mutex>
#include <unordered_map>
#include <vector>

#include "wherry/engine/store.hpp"

namespace wherry::detail {

class held_leases {
 public:
  void add(const leased_machine& machine) {
    const std::lock_guard guard(mutex_);
    tokens_.insert_or_assign(machine.key, machine.token);
  }

  /// Does nothing if the machine is held by another token: it may have been leased again already.
  void remove(const leased_machine& machine) {
    const std::lock_guard guard(mutex_);
    const auto found = tokens_.find(machine.key);
    if (found != tokens_.end() && found->second == machine.token) tokens_.erase(found);
  }

  [[nodiscard]] std::vector<lease_id> all() const {
    const std::lock_guard guard(mutex_);
    std::vector<lease_id> held;
    held.reserve(tokens_.size());
    for (const auto& [key, token] : tokens_) held.push_back({key, token});
    return held;
  }

 private:
  mutable std::mutex mutex_;
  std::unordered_map<std::int64_t, std::uint64_t> tokens_;  // by key
};

}  // namespace wherry::detail
