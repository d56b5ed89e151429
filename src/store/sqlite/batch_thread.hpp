// SPDX-License-Identifier: Apache-2.0
#pragma once
// A thread that owns something which only one thread may use, and serves what others give to it:
// the writer and the reader of a store have one each, so that neither ever waits for a pool that
// users' steps fill.
//
// What gathers while it is at work is served together, in the order in which it came.

#include <condition_variable>
#include <functional>
#include <mutex>
#include <thread>
#include <utility>
#include <vector>

namespace wherry::sqlite {

template <class Work>
class batch_thread {
 public:
  using batch = std::vector<Work>;

  /// Requires: `serve` does not throw.
  explicit batch_thread(std::move_only_function<void(batch&)> serve)
      : serve_(std::move(serve)), thread_([this] { run(); }) {}
  batch_thread(const batch_thread&) = delete;
  batch_thread& operator=(const batch_thread&) = delete;
  /// Finishes what was given to it.
  ~batch_thread() {
    {
      const std::lock_guard guard(mutex_);
      stopping_ = true;
    }
    wake_.notify_one();
    thread_.join();
  }

  /// Threads: any.
  void give(Work work) {
    {
      const std::lock_guard guard(mutex_);
      waiting_.push_back(std::move(work));
    }
    wake_.notify_one();
  }

 private:
  void run() {
    std::unique_lock guard(mutex_);
    for (;;) {
      wake_.wait(guard, [this] { return stopping_ || !waiting_.empty(); });
      if (waiting_.empty()) return;
      auto gathered = std::exchange(waiting_, {});
      guard.unlock();
      serve_(gathered);
      gathered.clear();
      guard.lock();
    }
  }

  std::move_only_function<void(batch&)> serve_;
  std::mutex mutex_;
  std::condition_variable wake_;
  batch waiting_;
  bool stopping_ = false;
  std::thread thread_;
};

}  // namespace wherry::sqlite
