// SPDX-License-Identifier: Apache-2.0
#pragma once
// Where a store lives in a simulation (simulation.hpp): it survives its process, and loses on
// demand what a real disk may lose. A store that wants to be simulated gives one of these.

#include <cstddef>
#include <cstdint>
#include <expected>
#include <memory>

#include "wherry/engine/store.hpp"

namespace wherry {

class simulated_disk {
 public:
  simulated_disk() = default;
  simulated_disk(const simulated_disk&) = delete;
  simulated_disk& operator=(const simulated_disk&) = delete;
  virtual ~simulated_disk() = default;

  /// Opens the store, as a process does that starts. All that it does later it does on the
  /// scheduler of the caller, so that the seed alone decides. Requires: called in a process.
  virtual std::expected<std::unique_ptr<store>, store_error> open() = 0;

  /// Lets the disk fail at the write of that number from now, from 1, and at every later one.
  virtual void fail_at(std::size_t write) = 0;
  [[nodiscard]] virtual bool has_failed() const noexcept = 0;

  /// Makes the disk what the next process finds. `power_cut`: what was not synced is kept, lost or
  /// torn, as `random` says; else only the process has gone. Requires: the store is closed.
  virtual void restart(bool power_cut, std::uint64_t random) = 0;
};

}  // namespace wherry
