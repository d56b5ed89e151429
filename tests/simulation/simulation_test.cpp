// SPDX-License-Identifier: Apache-2.0
// Goal: guarantees 1 to 4 hold whatever happens, over many seeds; a seed says all there is to say
// about a simulation.
// Method: errands (errand.hpp) on both stores. WHERRY_SEED=n runs that seed alone.
#include <doctest/doctest.h>

#include <cstdlib>
#include <string>

#include "errand.hpp"
#include "wherry/store/memory.hpp"

using namespace wherry;
using namespace wherry::test;

namespace {

constexpr std::uint64_t few = 100;

void over_seeds(std::uint64_t count, const std::function<void(std::uint64_t)>& body) {
  const char* const wanted = std::getenv("WHERRY_SEED");
  if (wanted != nullptr) return body(std::stoull(wanted));
  for (std::uint64_t seed = 1; seed <= count; ++seed) body(seed);
}

}  // namespace

TEST_SUITE("simulation.hpp") {
  TEST_CASE("all guarantees hold over a store in memory") {
    over_seeds(few, [](std::uint64_t seed) {
      const auto seen = run_errands(seed, simulated_memory_disk);
      REQUIRE_MESSAGE(seen.held(), seen.to_string());
    });
  }

  TEST_CASE("all guarantees hold over SQLite, on a disk that loses and tears what was not synced") {
    const simulation_directory directory;
    over_seeds(few, [&](std::uint64_t seed) {
      const auto seen = run_errands(seed, [&] { return directory.make_disk(); });
      REQUIRE_MESSAGE(seen.held(), seen.to_string());
    });
  }

  TEST_CASE("the same seed is the same simulation, and another seed another one") {
    const simulation_directory directory;
    const auto run = [&](std::uint64_t seed) {
      return run_errands(seed, [&] { return directory.make_disk(); }).fingerprint;
    };
    for (std::uint64_t seed = 1; seed <= 10; ++seed) {
      CHECK(run(seed) == run(seed));
      CHECK(run(seed) != run(seed + 1));
    }
  }

  TEST_CASE("seeds differ in what happens: there are crashes, faults, and outcomes refused") {
    std::uint64_t crashes = 0;
    std::uint64_t faults = 0;
    std::uint64_t refused = 0;
    std::uint64_t quiet = 0;
    for (std::uint64_t seed = 1; seed <= few; ++seed) {
      const auto seen = run_errands(seed, simulated_memory_disk);
      crashes += seen.crashes;
      faults += seen.faults;
      refused += seen.refused;
      if (seen.crashes == 0) ++quiet;
    }
    CHECK(crashes > few / 2);
    CHECK(faults > 10 * few);
    CHECK(refused > 0);
    CHECK(quiet > 0);
  }
}
