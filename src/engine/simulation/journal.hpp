// SPDX-License-Identifier: Apache-2.0
#pragma once
// The events of a simulation: the last in words, all in a fingerprint.

#include <fmt/format.h>

#include <cstdint>
#include <deque>
#include <string>
#include <utility>
#include <vector>

#include "wherry/csp/scheduler.hpp"

namespace wherry::detail {

class journal {
 public:
  template <class... Values>
  void note(fmt::format_string<Values...> form, Values&&... values) {
    const auto at = scheduler::current().now().time_since_epoch().count();
    add(fmt::format("{:>14.6f} s  {}", static_cast<double>(at) / 1e9,
                    fmt::format(form, std::forward<Values>(values)...)));
  }

  [[nodiscard]] std::uint64_t fingerprint() const noexcept { return hash_; }
  [[nodiscard]] std::vector<std::string> last() const { return {lines_.begin(), lines_.end()}; }

 private:
  static constexpr std::size_t kept = 300;

  void add(std::string line) {
    for (const char each : line) {  // FNV-1a, 64 bits
      hash_ = (hash_ ^ static_cast<unsigned char>(each)) * 0x100000001b3;
    }
    if (lines_.size() == kept) lines_.pop_front();
    lines_.push_back(std::move(line));
  }

  std::deque<std::string> lines_;
  std::uint64_t hash_ = 0xcbf29ce484222325;
};

}  // namespace wherry::detail
