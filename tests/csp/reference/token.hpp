// SPDX-License-Identifier: Apache-2.0
#pragma once
// The value that programs send: numbered, so that a lost or doubled one shows, and counted, so that
// a leaked one does. Copyable, since a promise copies; one that was moved from holds nothing.

#include <atomic>
#include <utility>

namespace wherry::reference {

class token {
 public:
  token() : token(nothing) {}
  explicit token(int value) noexcept : value_(value) { alive_.fetch_add(1, order); }
  token(const token& other) noexcept : token(other.value_) {}
  token(token&& other) noexcept : token(std::exchange(other.value_, nothing)) {}
  token& operator=(const token& other) noexcept = default;
  token& operator=(token&& other) noexcept {
    value_ = std::exchange(other.value_, nothing);
    return *this;
  }
  ~token() { alive_.fetch_sub(1, order); }

  [[nodiscard]] int value() const noexcept { return value_; }
  [[nodiscard]] bool holds() const noexcept { return value_ != nothing; }
  /// How many objects exist, empty ones included.
  static int alive() noexcept { return alive_.load(order); }

 private:
  static constexpr int nothing = 0;
  // Counting must not order what the channels fail to order: a sanitizer would not see it.
  static constexpr auto order = std::memory_order_relaxed;
  inline static std::atomic<int> alive_{0};
  int value_;
};

}  // namespace wherry::reference
