// SPDX-License-Identifier: Apache-2.0
#pragma once
// Programs out of a seed: the same seed, the same program, on every machine (mt19937_64, and no
// distribution of the standard library, which are not the same everywhere).

#include <cstdint>
#include <random>

#include "../reference/program.hpp"

namespace wherry::reference {

class dice {
 public:
  explicit dice(std::uint64_t seed) : random_(seed) {}
  /// A number below `count`, which is small.
  std::size_t below(std::size_t count) { return random_() % count; }
  std::size_t between(std::size_t least, std::size_t most) {
    return least + below(most - least + 1);
  }
  bool once_in(std::size_t times) { return below(times) == 0; }

 private:
  std::mt19937_64 random_;
};

struct program_size {
  std::size_t lanes = 6;
  std::size_t processes = 12;
  std::size_t actions = 20;  // of a process
  bool deadlines = true;
};

/// A program of at most that size, finished.
program random_program(dice& random, program_size most);

/// Adds a last process, after the end, that polls every channel until nothing can be left.
void add_last_search(program& to);

}  // namespace wherry::reference
