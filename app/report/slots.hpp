// SPDX-License-Identifier: Apache-2.0
#pragma once
// remote_slots: how many reports of a lane the API makes for us at a time. A report holds a slot
// from its request until it is pending no more.
//
// 1. A crash or a command of people leaks none: who finds no slot has the holders compared with
//    what the store says, now and then.
// 2. Never more than `most` of a lane hold one, as far as this process and its store know; what the
//    API makes whose id was lost is the API's to count.
//
// Threads: any.

#include <chrono>
#include <functional>
#include <map>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <utility>

#include "wherry/csp/scheduler.hpp"
#include "wherry/engine/machine.hpp"

namespace wherry::app {

class remote_slots {
 public:
  /// Pending reports by lane.
  using holders = std::map<std::string, std::set<std::string>>;

  /// `look`: reads them from the store; empty: it could not. `longest_request`: who asks for longer
  /// has been cancelled.
  remote_slots(std::size_t most, std::chrono::milliseconds longest_request,
               std::function<std::optional<holders>()> look)
      : most_(most), longest_request_(longest_request), look_(std::move(look)) {}

  /// Takes a slot of a lane for a report, unless it has one; false: none is free.
  [[nodiscard]] bool take(const std::string& lane, const std::string& report, system_time now);
  /// What became of a step is recorded.
  void heard(const transition& of);

 private:
  void compare(system_time now);

  const std::size_t most_;
  const std::chrono::milliseconds longest_request_;
  const std::function<std::optional<holders>()> look_;
  std::mutex mutex_;
  holders held_;                               // in the store at the last look, and since
  std::map<std::string, system_time> asking_;  // of these, whose request is under way, since when
  system_time compared_{};
};

}  // namespace wherry::app
