// SPDX-License-Identifier: Apache-2.0
// Goal: the simulation finds what it is there to find.
// Method: one bug at a time is planted in the store, and the seeds are gone through from the first;
// none of them finds anything in the store without it (simulation_test.cpp).
#include <doctest/doctest.h>

#include <string>

#include "errand.hpp"
#include "flawed_store.hpp"
#include "wherry/store/memory.hpp"

using namespace wherry;
using namespace wherry::test;

namespace {

constexpr std::uint64_t seeds = 2'000;

/// The first violation that the seeds find, or nothing.
std::string found_with(flaw which) {
  for (std::uint64_t seed = 1; seed <= seeds; ++seed) {
    const auto seen = run_errands(seed, [&] { return flawed(simulated_memory_disk(), which); });
    if (!seen.held()) {
      MESSAGE("seed ", seed, ": ", seen.violation);
      return seen.violation;
    }
  }
  return {};
}

bool contains(const std::string& text, std::string_view part) {
  return text.find(part) != std::string::npos;
}

}  // namespace

TEST_SUITE("simulation: planted bugs") {
  TEST_CASE("an outcome that is committed after the next step has started is found") {
    const auto found = found_with(flaw::commits_late);
    CHECK((contains(found, "what was answered last is") ||
           contains(found, "was refused, although it had its lease")));
  }
  TEST_CASE("a lease that does not fence is found") {
    CHECK(contains(found_with(flaw::does_not_fence), "without a lease"));
  }
  TEST_CASE("an attempt that is counted when a run was throttled is found") {
    CHECK(contains(found_with(flaw::counts_throttling), "attempt 2"));
  }
  TEST_CASE("a timer that is lost on a restart is found") {
    const auto found = found_with(flaw::forgets_its_timers);
    CHECK((contains(found, "nothing kept it from running") || contains(found, "come to an end")));
  }
}
