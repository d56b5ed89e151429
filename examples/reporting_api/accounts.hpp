// SPDX-License-Identifier: Apache-2.0
#pragma once
// What an API counts for each account: calls in a window, and calls at once. Threads: any.

#include <algorithm>
#include <chrono>
#include <map>
#include <mutex>
#include <string>

namespace example {

/// Counts events of each account in windows of one length; a window begins with its first event.
class window_count {
 public:
  using clock = std::chrono::steady_clock;
  using milliseconds = std::chrono::milliseconds;

  explicit window_count(milliseconds length) : length_(length) {}

  /// Counts one more; returns how many there are in the window, this one included.
  int add(const std::string& account, clock::time_point now) {
    const std::lock_guard lock{mutex_};
    auto& at = of(account, now);
    if (at.events == 0) at.began = now;
    return ++at.events;
  }
  /// How many there are in the window.
  int seen(const std::string& account, clock::time_point now) {
    const std::lock_guard lock{mutex_};
    return of(account, now).events;
  }
  /// Until the window ends; zero if none has begun. Rounded up: after that it has ended.
  milliseconds left(const std::string& account, clock::time_point now) {
    const std::lock_guard lock{mutex_};
    const auto& at = of(account, now);
    if (at.events == 0) return milliseconds{0};
    return std::chrono::ceil<milliseconds>(at.began + length_ - now) + milliseconds{1};
  }

 private:
  struct window {
    clock::time_point began{};
    int events = 0;
  };
  window& of(const std::string& account, clock::time_point now) {
    auto& at = windows_[account];
    if (at.events > 0 && now >= at.began + length_) at = {};
    return at;
  }

  const milliseconds length_;
  std::mutex mutex_;
  std::map<std::string, window> windows_;
};

/// Counts the calls of each account that are under way.
class calls_at_once {
 public:
  int enter(const std::string& account) {
    const std::lock_guard lock{mutex_};
    return ++calls_[account];
  }
  void leave(const std::string& account) {
    const std::lock_guard lock{mutex_};
    --calls_[account];
  }

 private:
  std::mutex mutex_;
  std::map<std::string, int> calls_;
};

}  // namespace example
