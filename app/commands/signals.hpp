// SPDX-License-Identifier: Apache-2.0
#pragma once
// SIGTERM and SIGINT: the first asks for a clean stop, the second ends the process at once; the
// store is built for that, nothing is lost. The signals are blocked in every thread and read by
// one.

#include <csignal>
#include <functional>
#include <thread>

namespace wherry::app {

/// The exit status of a command that they have ended.
inline constexpr int stopped_by_signal = 128 + SIGINT;

/// Blocks both signals in the calling thread and all that it starts later. Call first thing.
void block_stop_signals();

/// Listens from construction to destruction. Requires: block_stop_signals was called.
class stop_signals {
 public:
  /// `on_first` is called once, on a thread of its own.
  explicit stop_signals(std::function<void()> on_first);
  ~stop_signals();
  stop_signals(const stop_signals&) = delete;
  stop_signals& operator=(const stop_signals&) = delete;

 private:
  int signals_;  // a signalfd
  int end_;      // an eventfd, written by the destructor
  std::thread listener_;
};

}  // namespace wherry::app
