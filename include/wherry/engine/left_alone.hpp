// SPDX-License-Identifier: Apache-2.0
#pragma once
// Machines that an engine leaves alone: their state is another program's (shape.hpp). Their leases
// are kept, and renewed, until the run ends, so that no lease finds them again; then they are given
// back as they were. Bounded: a store that is full of them is for the other program to run.
// Threads: any.

#include <cstddef>
#include <cstdint>
#include <map>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include "wherry/engine/machine.hpp"

namespace wherry {

/// A machine that was not run, and is as it was.
struct left_alone {
  std::string id;
  std::int64_t generation = 1;
  std::string state;
  std::string why;
};

namespace detail {

class left_alone_machines {
 public:
  static constexpr std::size_t limit = 1'000;
  static constexpr std::size_t byte_limit = 16 << 20;  // of their states

  /// Keeps `machine`, in place of an older lease of it, if there is room; whether there was.
  [[nodiscard]] bool add(leased_machine& machine) {
    const std::lock_guard guard(mutex_);
    forget(machine.key);
    if (machines_.size() >= limit || bytes_ + machine.data.size() > byte_limit) return false;
    bytes_ += machine.data.size();
    const auto key = machine.key;
    machines_.emplace(key, std::move(machine));
    return true;
  }

  /// Keeps only those of which `holds(machine)`. Requires: that does not call back.
  template <class Holds>
  void keep_if(Holds holds) {
    const std::lock_guard guard(mutex_);
    std::vector<std::int64_t> gone;
    for (const auto& [key, machine] : machines_) {
      if (!holds(machine)) gone.push_back(key);
    }
    for (const auto key : gone) forget(key);
  }

  [[nodiscard]] std::size_t size() const {
    const std::lock_guard guard(mutex_);
    return machines_.size();
  }

  /// Takes all out of here.
  [[nodiscard]] std::vector<leased_machine> take() {
    const std::lock_guard guard(mutex_);
    bytes_ = 0;
    std::vector<leased_machine> all;
    for (auto& [key, machine] : machines_) all.push_back(std::move(machine));
    machines_.clear();
    return all;
  }

 private:
  void forget(std::int64_t key) {
    const auto found = machines_.find(key);
    if (found == machines_.end()) return;
    bytes_ -= found->second.data.size();
    machines_.erase(found);
  }

  mutable std::mutex mutex_;
  std::map<std::int64_t, leased_machine> machines_;  // by key
  std::size_t bytes_ = 0;
};

}  // namespace detail
}  // namespace wherry
