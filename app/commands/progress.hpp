// SPDX-License-Identifier: Apache-2.0
#pragma once
// What a running import says of itself. Pure; where and when it is shown is progress_line.hpp's.

#include <chrono>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <string>

namespace wherry::app {

struct progress_view {
  std::int64_t total = 0;  ///< reports, finished or not
  std::int64_t completed = 0;
  std::int64_t dead = 0;
  std::int64_t cancelled = 0;
  std::int64_t waiting = 0;     ///< for a retry or a throttled lane
  std::uint64_t in_flight = 0;  ///< steps running
  double rate = 0;              ///< reports finished per second, lately
};

/// "1,234 of 2,000 done, 32 in flight, 5 waiting, 0 dead, 210.4/s, 4s left".
[[nodiscard]] std::string progress_text(const progress_view& view);

/// The same behind a bar, cut to `width` columns.
[[nodiscard]] std::string progress_bar(const progress_view& view, std::size_t width);

/// "1234567" as "1,234,567".
[[nodiscard]] std::string grouped_digits(std::string digits);
[[nodiscard]] std::string grouped(std::integral auto number) {
  return grouped_digits(std::to_string(number));
}
/// "45s", "3m 20s", "2h 5m".
[[nodiscard]] std::string spoken(std::chrono::seconds length);

/// The rate of the last few seconds, from counts seen at times.
class rate_meter {
 public:
  /// Tells what was counted at `now`; the rate per second since about five seconds ago.
  double observe(std::chrono::steady_clock::time_point now, std::int64_t count);

 private:
  struct sample {
    std::chrono::steady_clock::time_point at;
    std::int64_t count = 0;
  };
  static constexpr std::size_t kept = 20;
  sample samples_[kept]{};
  std::size_t size_ = 0;  // of the ring, up to kept
  std::size_t next_ = 0;
};

}  // namespace wherry::app
