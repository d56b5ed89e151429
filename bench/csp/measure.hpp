// SPDX-License-Identifier: Apache-2.0
#pragma once
// How a row is measured: the same code in our program and in the peers in C++; those in Go, Rust
// and Clojure do the same in their own words. bench/README.md lists the rows.
//
// A row of speed prints "NAME median min max cpu MEDIAN": nanoseconds an operation over the
// repetitions, of the clock on the wall and of the process's CPU (user + system, all its threads).
// A row of memory prints "NAME bytes B cpu_ns C ...": resident bytes and CPU nanoseconds a task.

#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <vector>

namespace chanbench {

/// Tasks, items or round trips of a row.
inline constexpr int million = 1'000'000;

inline double nanoseconds_of(clockid_t clock) {
  timespec now{};
  clock_gettime(clock, &now);
  return static_cast<double>(now.tv_sec) * 1e9 + static_cast<double>(now.tv_nsec);
}
inline double wall_ns() { return nanoseconds_of(CLOCK_MONOTONIC); }
inline double cpu_ns() { return nanoseconds_of(CLOCK_PROCESS_CPUTIME_ID); }

/// Returns the resident set of this process.
inline double resident_bytes() {
  long size = 0, resident = 0;
  std::FILE* const file = std::fopen("/proc/self/statm", "r");
  if (file == nullptr || std::fscanf(file, "%ld %ld", &size, &resident) != 2) std::abort();
  std::fclose(file);
  return static_cast<double>(resident) * static_cast<double>(sysconf(_SC_PAGESIZE));
}

/// Ends the program if a row did not do its work: a figure for half of it would be worth nothing.
inline void require(bool met, const char* what) {
  if (met) return;
  std::fprintf(stderr, "chanbench: %s\n", what);
  std::exit(1);
}

/// Times repetitions of a body, after one that is not counted:
/// `while (all.again()) body();  all.print();`
class repetitions {
 public:
  repetitions(std::string name, int counted) : name_(std::move(name)), left_(counted) {}

  /// Operations of one repetition. Set before print.
  double operations = million;

  /// Ends the repetition that runs, if one does, and says whether there is another.
  bool again() {
    if (runs_++ > 1) {  // the first is the warm-up
      walls_.push_back(wall_ns() - wall_);
      cpus_.push_back(cpu_ns() - cpu_);
      --left_;
    }
    wall_ = wall_ns();
    cpu_ = cpu_ns();
    return left_ > 0;
  }

  void print() {
    std::ranges::sort(walls_);
    std::ranges::sort(cpus_);
    const auto middle = walls_.size() / 2;
    std::printf("%s %.1f %.1f %.1f cpu %.1f\n", name_.c_str(), walls_[middle] / operations,
                walls_.front() / operations, walls_.back() / operations,
                cpus_[middle] / operations);
    std::fflush(stdout);
  }

 private:
  std::string name_;
  int left_;
  int runs_ = 0;
  double wall_ = 0, cpu_ = 0;
  std::vector<double> walls_, cpus_;
};

/// What a row of memory starts from.
struct baseline {
  double resident = resident_bytes(), cpu = cpu_ns(), wall = wall_ns();

  [[nodiscard]] double bytes_since() const { return resident_bytes() - resident; }
  [[nodiscard]] double milliseconds_since() const { return (wall_ns() - wall) / 1e6; }
  [[nodiscard]] double cpu_since() const { return cpu_ns() - cpu; }
};

}  // namespace chanbench
