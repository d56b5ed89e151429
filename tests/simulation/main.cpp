// SPDX-License-Identifier: Apache-2.0
// simulate: goes through any number of seeds, on all cores; a seed that fails prints how to run it
// again, alone, with what happened.
//
//   simulate --seeds 20000 [--first 1] [--memory]
//   simulate --seed 7

#include <fmt/format.h>

#include <atomic>
#include <charconv>
#include <chrono>
#include <cstdio>
#include <mutex>
#include <optional>
#include <string_view>
#include <thread>
#include <vector>

#include "errand.hpp"
#include "wherry/store/memory.hpp"

namespace {

using wherry::simulation_result;

struct request {
  std::uint64_t first = 1;
  std::uint64_t seeds = 2'000;
  bool in_memory = false;
  bool shows_trace = false;
};

std::optional<request> read(int count, char** words) {
  request wanted;
  for (int i = 1; i < count; ++i) {
    const std::string_view word = words[i];
    if (word == "--memory") {
      wanted.in_memory = true;
      continue;
    }
    if (i + 1 == count) return std::nullopt;
    const std::string_view text = words[++i];
    std::uint64_t number = 0;
    const auto [end, error] = std::from_chars(text.begin(), text.end(), number);
    if (error != std::errc{} || end != text.end()) return std::nullopt;
    if (word == "--seeds") {
      wanted.seeds = number;
    } else if (word == "--first") {
      wanted.first = number;
    } else if (word == "--seed") {
      wanted.first = number;
      wanted.seeds = 1;
      wanted.shows_trace = true;
    } else {
      return std::nullopt;
    }
  }
  return wanted;
}

/// The sums of all seeds, and what to show meanwhile. Threads: any.
class progress {
 public:
  explicit progress(const request& wanted) : wanted_(wanted) {}

  void add(const simulation_result& seen) {
    const std::lock_guard guard(mutex_);
    ++done_;
    crashes_ += seen.crashes;
    steps_ += seen.steps;
    faults_ += seen.faults;
    refused_ += seen.refused;
    virtual_ += seen.virtual_time;
    if (wanted_.shows_trace) fmt::print("{}", seen.to_string());
    if (!seen.held()) {
      ++failed_;
      fmt::print("seed {}: {}\n  again: simulate {}--seed {}\n", seen.seed, seen.violation,
                 wanted_.in_memory ? "--memory " : "", seen.seed);
    }
    const auto now = std::chrono::steady_clock::now();
    if (now - shown_ < std::chrono::seconds(10)) return;
    shown_ = now;
    fmt::print("{} of {} seeds\n", done_, wanted_.seeds);
    std::fflush(stdout);
  }

  [[nodiscard]] bool report() const {
    fmt::print(
        "{} seeds, {} failed: {} crashes, {} steps, {} faults, {} outcomes refused, {} days of "
        "virtual time\n",
        done_, failed_, crashes_, steps_, faults_, refused_,
        std::chrono::duration_cast<std::chrono::days>(virtual_).count());
    return failed_ == 0 && done_ == wanted_.seeds;
  }

 private:
  const request wanted_;
  mutable std::mutex mutex_;
  std::uint64_t done_ = 0, failed_ = 0, crashes_ = 0, steps_ = 0, faults_ = 0, refused_ = 0;
  wherry::duration virtual_{};
  std::chrono::steady_clock::time_point shown_ = std::chrono::steady_clock::now();
};

}  // namespace

int main(int count, char** words) {
  const auto wanted = read(count, words);
  if (!wanted) {
    fmt::print(stderr, "simulate [--seeds N] [--first SEED] [--seed SEED] [--memory]\n");
    return 2;
  }
  progress all(*wanted);
  std::atomic<std::uint64_t> next{wanted->first};
  const auto work = [&] {
    const wherry::test::simulation_directory directory;
    for (;;) {
      const auto seed = next.fetch_add(1);
      if (seed >= wanted->first + wanted->seeds) return;
      all.add(wherry::test::run_errands(seed, [&] {
        return wanted->in_memory ? wherry::simulated_memory_disk() : directory.make_disk();
      }));
    }
  };
  std::vector<std::jthread> threads;
  for (unsigned i = 1; i < std::thread::hardware_concurrency(); ++i) threads.emplace_back(work);
  work();
  threads.clear();
  return all.report() ? 0 : 1;
}
