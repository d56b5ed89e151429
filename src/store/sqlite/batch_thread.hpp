// SPDX-License-Identifier: Apache-2.0
#pragma once
// A thread that owns something which only one thread may use, and serves what others give to it:
// the writer and the reader of a store have one each, so that neither ever waits for a pool that
// users' steps fill. In a simulation there is no thread: the scheduler of whoever gives runs the
// work, later, in its own order.
//
// What gathers while it is at work is served together, in the order in which it came.

#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>
#include <thread>
#include <utility>
#include <vector>

#include "wherry/csp/scheduler.hpp"

namespace wherry::sqlite {

template <class Work>
class batch_thread {
 public:
  using batch = std::vector<Work>;

  /// Requires: `serve` does not throw; without a thread of its own, `give` is called in a process.
  batch_thread(std::move_only_function<void(batch&)> serve, bool has_thread)
      : shared_(std::make_shared<shared>()) {
    shared_->serve = std::move(serve);
    if (has_thread) thread_ = std::thread([own = shared_] { own->run(); });
  }
  batch_thread(const batch_thread&) = delete;
  batch_thread& operator=(const batch_thread&) = delete;
  /// Finishes what was given to it.
  ~batch_thread() {
    {
      const std::lock_guard guard(shared_->mutex);
      shared_->stopping = true;
    }
    shared_->wake.notify_one();
    if (thread_.joinable()) {
      thread_.join();
    } else {
      shared_->serve_gathered();
    }
  }

  /// Threads: any.
  void give(Work work) {
    const std::lock_guard guard(shared_->mutex);
    shared_->waiting.push_back(std::move(work));
    if (thread_.joinable()) return shared_->wake.notify_one();
    if (shared_->waiting.size() > 1) return;  // the first has seen to it
    scheduler::current().post_blocking([own = shared_] { own->serve_gathered(); });
  }

 private:
  struct shared {
    std::move_only_function<void(batch&)> serve;
    std::mutex mutex;
    std::condition_variable wake;
    batch waiting;
    bool stopping = false;

    void run() {
      std::unique_lock guard(mutex);
      for (;;) {
        wake.wait(guard, [this] { return stopping || !waiting.empty(); });
        if (waiting.empty()) return;
        auto gathered = std::exchange(waiting, {});
        guard.unlock();
        serve(gathered);
        gathered.clear();
        guard.lock();
      }
    }

    void serve_gathered() {
      batch gathered;
      {
        const std::lock_guard guard(mutex);
        gathered.swap(waiting);
      }
      if (!gathered.empty()) serve(gathered);
    }
  };

  std::shared_ptr<shared> shared_;
  std::thread thread_;
};

}  // namespace wherry::sqlite
