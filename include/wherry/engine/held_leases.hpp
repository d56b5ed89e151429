// SPDX-License-Identifier: Apache-2.0
#pragma once
// The leases that an engine holds, from lease to record or release: what it renews.
//
// A lease that ran out although its run goes on (its renewals did not arrive) is taken over by the
// engine itself: it then has another token. Whoever records or releases asks for the newest.
// Threads: any.

#include <cstdint>
#include <mutex>
#include <unordered_map>
#include <vector>

#include "wherry/engine/store.hpp"

namespace wherry::detail {

class held_leases {
 public:
  void add(const leased_machine& machine) {
    const std::lock_guard guard(mutex_);
    tokens_.insert_or_assign(machine.key, tokens{machine.token, machine.token});
  }

  /// The lease of that machine is this one now. False: no run here has one.
  [[nodiscard]] bool take_over(const leased_machine& machine) {
    const std::lock_guard guard(mutex_);
    const auto found = tokens_.find(machine.key);
    if (found == tokens_.end()) return false;
    found->second.newest = machine.token;
    return true;
  }

  /// The token that the lease of `machine`, as it was leased, has now.
  [[nodiscard]] std::uint64_t newest(const leased_machine& machine) const {
    const std::lock_guard guard(mutex_);
    const auto found = tokens_.find(machine.key);
    return found != tokens_.end() && found->second.first == machine.token ? found->second.newest
                                                                          : machine.token;
  }

  /// Does nothing if the machine has been leased again already.
  void remove(const leased_machine& machine) {
    const std::lock_guard guard(mutex_);
    const auto found = tokens_.find(machine.key);
    if (found != tokens_.end() && found->second.first == machine.token) tokens_.erase(found);
  }

  [[nodiscard]] std::vector<lease_id> all() const {
    const std::lock_guard guard(mutex_);
    std::vector<lease_id> held;
    held.reserve(tokens_.size());
    for (const auto& [key, token] : tokens_) held.push_back({key, token.newest});
    return held;
  }

 private:
  struct tokens {
    std::uint64_t first, newest;
  };
  mutable std::mutex mutex_;
  std::unordered_map<std::int64_t, tokens> tokens_;  // by key
};

}  // namespace wherry::detail
