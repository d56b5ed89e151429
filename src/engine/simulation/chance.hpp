// SPDX-License-Identifier: Apache-2.0
#pragma once
// What a simulation draws, apart from what the scheduler does: from the same seed the same.

#include <cmath>
#include <cstdint>

namespace wherry::detail {

class chance {
 public:
  explicit chance(std::uint64_t seed) noexcept : state_(seed) {}

  /// A uniform word. Source: splitmix64, S. Vigna, 2015.
  std::uint64_t draw() noexcept {
    std::uint64_t z = (state_ += 0x9e3779b97f4a7c15);
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
    z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
    return z ^ (z >> 31);
  }
  /// In [0, 1).
  double fraction() noexcept { return static_cast<double>(draw() >> 11) * 0x1p-53; }
  bool happens(double likely) noexcept { return fraction() < likely; }
  /// In [0, count). Requires: count > 0.
  std::uint64_t below(std::uint64_t count) noexcept { return draw() % count; }
  /// In [least, most], each order of magnitude as likely. Requires: 0 < least <= most.
  double magnitude(double least, double most) noexcept {
    return least * std::pow(most / least, fraction());
  }

 private:
  std::uint64_t state_;
};

}  // namespace wherry::detail
