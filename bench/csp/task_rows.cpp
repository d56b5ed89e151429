// SPDX-License-Identifier: Apache-2.0
// Rows of many: a million processes started and joined, asleep, or waiting on channels.

#include <algorithm>
#include <chrono>
#include <vector>

#include "rows.hpp"
#include "wherry/csp/channel.hpp"
#include "wherry/csp/scheduler.hpp"
#include "wherry/csp/scope.hpp"
#include "wherry/csp/sleep.hpp"

namespace chanbench {

using wherry::channel;
using wherry::scope;
using wherry::task;
using namespace std::chrono_literals;

namespace {

task<> nothing() { co_return; }

task<> sleep_until(wherry::steady_time due, int* started) {
  ++*started;
  co_await wherry::sleep_until(due);
}

task<> wait_on(channel<int> from, int* started) {
  ++*started;
  co_await from.take();
}

// On one thread who has counted itself has also parked before anybody else runs.
task<> until_parked(const int* started) {
  do {
    co_await wherry::sleep_for(1ms);
  } while (*started < million);
}

}  // namespace

task<> spawn(repetitions all) {
  while (all.again()) {
    scope everyone;
    for (int i = 0; i < million; ++i) everyone.go(nothing());
    co_await everyone.join();
  }
  all.print();
}

// Deadlines spread over the second that begins 10 s after the start.
task<> timers(std::string row) {
  const baseline before;
  const auto begin = wherry::scheduler::current().now();
  int started = 0;
  scope everyone;
  for (int i = 0; i < million; ++i) {
    const auto due = begin + 10s + std::chrono::microseconds(long{i} * 7919 % million);
    everyone.go(sleep_until(due, &started));
  }
  co_await until_parked(&started);
  const double parked_ms = before.milliseconds_since(), bytes = before.bytes_since() / million;
  co_await everyone.join();
  std::printf("%s bytes %.0f cpu_ns %.0f sched_ms %.0f first_due_ms 10000 overrun_ms %.1f\n",
              row.c_str(), bytes, before.cpu_since() / million, parked_ms,
              before.milliseconds_since() - 11'000);
}

namespace {

// A million tasks in a take, `each` on one channel. The vector of handles is not counted.
task<> parked(std::string row, int each) {
  const baseline before;
  const int count = (million + each - 1) / each;
  int started = 0;
  std::vector<channel<int>> channels;
  channels.reserve(static_cast<std::size_t>(count));
  for (int i = 0; i < count; ++i) channels.emplace_back(wherry::waiters_limit{std::size_t(each)});
  const auto channel_of = [&](int task_number) -> const channel<int>& {
    return channels[static_cast<std::size_t>(task_number / each)];
  };
  scope everyone;
  for (int i = 0; i < million; ++i) everyone.go(wait_on(channel_of(i), &started));
  co_await until_parked(&started);
  const auto handles = static_cast<double>(sizeof(channel<int>) * channels.size());
  const double bytes = (before.bytes_since() - handles) / million;
  for (int i = 0; i < million; ++i) co_await channel_of(i).put(1);
  co_await everyone.join();
  std::printf("%s bytes %.0f cpu_ns %.0f channels %d\n", row.c_str(), bytes,
              before.cpu_since() / million, count);
}

}  // namespace

task<> parked_on_one(std::string row) { return parked(std::move(row), million); }
task<> parked_on_own(std::string row) { return parked(std::move(row), 1); }

}  // namespace chanbench
