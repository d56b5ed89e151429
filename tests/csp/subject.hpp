// SPDX-License-Identifier: Apache-2.0
#pragma once
// What the tests of csp share: runs over many seeds and on real threads, and a value that is
// counted, so that a lost or doubled one shows.
//
// Method: a case is a coroutine that runs under virtual_scheduler once a seed, so that order is
// drawn and time costs nothing. WHERRY_SEED=n runs that seed alone. What concerns memory order runs
// on thread_scheduler too, and says something only under ThreadSanitizer or when repeated.

#include <doctest/doctest.h>

#include <atomic>
#include <chrono>
#include <cstdint>
#include <functional>
#include <utility>
#include <vector>

#include "wherry/csp/channel.hpp"
#include "wherry/csp/scheduler.hpp"
#include "wherry/csp/scope.hpp"
#include "wherry/csp/timeout.hpp"

namespace wherry::test {

using namespace std::chrono_literals;

/// A value that can only be moved. One that was moved from holds nothing.
class counted {
 public:
  explicit counted(int id = 0) : id_(id) { alive_.fetch_add(1); }
  counted(counted&& other) noexcept : id_(std::exchange(other.id_, nothing)) {
    alive_.fetch_add(1);
  }
  counted& operator=(counted&& other) noexcept {
    id_ = std::exchange(other.id_, nothing);
    return *this;
  }
  ~counted() { alive_.fetch_sub(1); }

  [[nodiscard]] int id() const { return id_; }
  [[nodiscard]] bool holds() const { return id_ != nothing; }
  /// How many objects exist, empty ones included.
  static int alive() { return alive_.load(); }

 private:
  static constexpr int nothing = -1;
  inline static std::atomic<int> alive_{0};
  int id_;
};

/// Runs `body` once a seed on a scheduler of its own; afterwards no `counted` may be left.
void over_seeds(int count, const std::function<task<>()>& body);
inline constexpr int many = 200;

/// Runs `body` `rounds` times on one thread, on two and on four; afterwards no `counted` may be
/// left.
void on_threads(int rounds, const std::function<task<>()>& body);

/// Both of them.
void everywhere(const std::function<task<>()>& body);

task<> pause(duration how_long);
/// Lets all others that can run do so first: under virtual time, a pause ends when nothing else
/// can.
inline task<> settle() { return pause(1ms); }

/// Puts `count` integers from `first`, then closes if asked to.
task<> put_range(channel<int> to, int first, int count);

/// Takes until the end; all that came, in order.
template <class T>
task<std::vector<T>> drain(take_channel<T> from) {
  std::vector<T> all;
  while (auto value = co_await from.take()) all.push_back(std::move(*value));
  co_return all;
}

/// Takes until the end; the sum.
task<> add_all(channel<int> from, std::atomic<long>* sum, std::atomic<int>* count);

}  // namespace wherry::test
