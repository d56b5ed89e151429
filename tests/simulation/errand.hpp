// SPDX-License-Identifier: Apache-2.0
#pragma once
// A kind of machine that does all that a step can say: it goes on, to itself and back, is
// throttled, postponed, fails, gives up. What it does depends on its state and on nothing else but
// the scheduler's time, so that a simulation of it can be repeated.

#include <filesystem>
#include <string>
#include <variant>
#include <vector>

#include "wherry/engine/simulation.hpp"

namespace wherry::test {

struct asked {
  static constexpr std::string_view tag = "asked";
  int number = 0;
};
BOOST_DESCRIBE_STRUCT(asked, (), (number))

struct fetched {
  static constexpr std::string_view tag = "fetched";
  int number = 0;
  int page = 0;
};
BOOST_DESCRIBE_STRUCT(fetched, (), (number, page))

struct packed {
  static constexpr std::string_view tag = "packed";
  int number = 0;
};
BOOST_DESCRIBE_STRUCT(packed, (), (number))

struct delivered {
  static constexpr std::string_view tag = "delivered";
  int number = 0;
};
BOOST_DESCRIBE_STRUCT(delivered, (), (number))

class errand {
 public:
  static constexpr std::string_view name = "errand";
  using state = std::variant<asked, fetched, packed, delivered>;
  using said = outcome<state>;

  task<said> step(asked now, step_context context);
  task<said> step(fetched now, step_context context);
  task<said> step(packed now, step_context context);

  [[nodiscard]] std::string lane(const asked& now) const;
};

/// `count` errands, of all sorts, some of which begin later.
[[nodiscard]] std::vector<engine<errand>::start> errands(int count);

/// What a seed is run with, but for its disk.
[[nodiscard]] simulation_options options_for(std::uint64_t seed);

/// Where the SQLite stores of this thread's simulations live, one after the other.
class simulation_directory {
 public:
  simulation_directory();
  simulation_directory(const simulation_directory&) = delete;
  simulation_directory& operator=(const simulation_directory&) = delete;
  ~simulation_directory();

  /// Makes a disk with an empty store; what was there before is gone.
  [[nodiscard]] std::unique_ptr<simulated_disk> make_disk() const;

 private:
  std::filesystem::path path_;
};

/// Simulates errands, on a disk that `disk` makes.
[[nodiscard]] simulation_result run_errands(std::uint64_t seed,
                                            std::function<std::unique_ptr<simulated_disk>()> disk);

}  // namespace wherry::test
