// SPDX-License-Identifier: Apache-2.0
#pragma once
// What the rows read off: clocks, the resident set, percentiles; and how they say it: lines of
// "name value", which run.py reads.

#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <vector>

namespace enginebench {

/// Ends the program if a row did not do its work: a figure for half of it would be worth nothing.
inline void require(bool met, const std::string& what) {
  if (met) return;
  std::fprintf(stderr, "enginebench: %s\n", what.c_str());
  std::exit(1);
}

inline void print(const char* name, double value) {
  std::printf("%s %.3f\n", name, value);
  std::fflush(stdout);
}

class stopwatch {
 public:
  [[nodiscard]] double seconds() const {
    return std::chrono::duration<double>(clock::now() - begun_).count();
  }

 private:
  using clock = std::chrono::steady_clock;
  clock::time_point begun_ = clock::now();
};

/// CPU of this process so far: user and system, all threads.
[[nodiscard]] inline double cpu_seconds() {
  rusage used{};
  getrusage(RUSAGE_SELF, &used);
  const auto of = [](const timeval& time) {
    return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) / 1e6;
  };
  return of(used.ru_utime) + of(used.ru_stime);
}

/// The resident set now (/proc/self/statm), and the largest so far (VmHWM, as the kernel keeps it).
[[nodiscard]] inline double resident_bytes() {
  long size = 0, resident = 0;
  std::FILE* const file = std::fopen("/proc/self/statm", "r");
  require(file != nullptr && std::fscanf(file, "%ld %ld", &size, &resident) == 2, "no statm");
  std::fclose(file);
  return static_cast<double>(resident) * static_cast<double>(sysconf(_SC_PAGESIZE));
}
[[nodiscard]] inline double peak_resident_bytes() {
  rusage used{};
  getrusage(RUSAGE_SELF, &used);
  return static_cast<double>(used.ru_maxrss) * 1024;
}

/// The value that `part` of the values do not exceed. Requires: there are some.
template <class Value>
[[nodiscard]] double quantile(std::vector<Value>& values, double part) {
  const auto at = static_cast<std::size_t>(part * static_cast<double>(values.size() - 1));
  std::nth_element(values.begin(), values.begin() + static_cast<std::ptrdiff_t>(at), values.end());
  return static_cast<double>(values[at]);
}

}  // namespace enginebench
