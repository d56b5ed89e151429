// SPDX-License-Identifier: Apache-2.0
#pragma once
// Machines that an engine leaves alone: their state is another program's (shape.hpp). Their leases
// are kept, and renewed, until the run ends, so that no lease finds them again; then they are given
// back as they were. Bounded: a store that is full of them is for the other program to run.
// Threads: any.

#include <cstddef>
#include <cstdint>
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

  /// Keeps `machine` if there is room; whether there was.
  [[nodiscard]] bool add(leased_machine& machine) {
    const std::lock_guard guard(mutex_);
    if (machines_.size() >= limit || bytes_ + machine.data.size() > byte_limit) return false;
    bytes_ += machine.data.size();
    machines_.push_back(std::move(machine));
    return true;
  }

  [[nodiscard]] std::size_t size() const {
    const std::lock_guard guard(mutex_);
    return machines_.size();
  }

  /// Takes all out of here.
  [[nodiscard]] std::vector<leased_machine> take() {
    const std::lock_guard guard(mutex_);
    bytes_ = 0;
    return std::exchange(machines_, {});
  }

 private:
  mutable std::mutex mutex_;
  std::vector<leased_machine> machines_;
  std::size_t bytes_ = 0;
};

}  // namespace detail
}  // namespace wherry
