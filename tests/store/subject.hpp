// SPDX-License-Identifier: Apache-2.0
#pragma once
// What the conformance suite needs: every store in turn, each on the scheduler that suits it, and
// short names for the few things that all cases do.
//
// Method: a case is a coroutine that gets a store. The memory store runs under virtual_scheduler,
// SQLite on real threads; the case does not know which.

#include <doctest/doctest.h>

#include <filesystem>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "wherry/csp/timeout.hpp"
#include "wherry/engine/store.hpp"

namespace wherry::test {

/// A directory of its own, deleted with all that is in it.
class scratch_directory {
 public:
  scratch_directory();
  scratch_directory(const scratch_directory&) = delete;
  scratch_directory& operator=(const scratch_directory&) = delete;
  ~scratch_directory();
  [[nodiscard]] const std::filesystem::path& path() const noexcept { return path_; }
  [[nodiscard]] std::filesystem::path operator/(std::string_view name) const {
    return path_ / name;
  }

 private:
  std::filesystem::path path_;
};

/// Runs `body` on a new, empty store of each kind.
void on_every_store(const std::function<task<>(store&)>& body);

/// Runs `body` on real threads.
void on_threads(task<> body);

/// Calendar time of the running scheduler.
[[nodiscard]] system_time now();

/// A machine that may run at once in lane "lane".
[[nodiscard]] submission item(std::string id);

/// Submits and checks that all were new.
task<> submit_new(store& to, std::vector<submission> wanted);

/// Leases at most `count` of `lane` for an hour.
task<std::vector<leased_machine>> lease_some(store& from, std::string lane, std::size_t count);

/// Leases all that `lane` has, in as many calls as it takes.
task<std::vector<leased_machine>> lease_all(store& from, std::string lane);

/// Leases exactly one of "lane".
task<leased_machine> lease_one(store& from);

/// Promotes all that is due at `at`, in as many calls as it takes; how many.
task<std::size_t> promote_all(store& in, system_time at);

/// The machine goes on to state `to`, in the same lane, and may run at once.
[[nodiscard]] transition advance(const leased_machine& from, std::string to);
/// The machine failed and waits until `due`.
[[nodiscard]] transition retry(const leased_machine& from, system_time due);
/// The machine ends.
[[nodiscard]] transition finish(const leased_machine& from, phase how);

/// Records one; true if it was accepted.
task<bool> record_one(store& to, transition outcome);

/// The ids, in order.
[[nodiscard]] std::vector<std::string> ids(const std::vector<leased_machine>& machines);
[[nodiscard]] std::vector<std::string> ids(const std::vector<machine_view>& machines);

/// The machine of that id. Requires: it exists.
[[nodiscard]] machine_view view_of(store& from, const std::string& id);

using strings = std::vector<std::string>;

}  // namespace wherry::test
