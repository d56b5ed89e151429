// SPDX-License-Identifier: Apache-2.0
// Several threads that run processes.
//
// Each worker owns a ring of runnable coroutines; others take half of it when they have nothing.
// What does not fit, and what comes from other threads, goes to one shared list, which a worker
// looks at now and then, and when it has nothing of its own. An idle worker sleeps until the
// earliest timer or until somebody adds work.
//
// Invariants
// 1. Only its worker pushes to a ring; anyone may take from it. Source: Go, runtime/proc.go, runq.
// 2. Work is published before the gate is told, and a worker that is about to sleep looks for work
//    a last time (idle_gate.hpp).
// 3. No thread of this scheduler waits for another, except to sleep and to be joined.

#include <algorithm>
#include <array>
#include <condition_variable>
#include <deque>
#include <system_error>
#include <thread>
#include <utility>

#include "idle_gate.hpp"
#include "run_ring.hpp"
#include "wherry/csp/assert.hpp"
#include "wherry/csp/scheduler.hpp"
#include "wherry/csp/scope.hpp"

namespace wherry {
namespace {

using coroutine = std::coroutine_handle<>;

constexpr int handoff_limit = 64;    // handoffs before a worker looks at queues and timers
constexpr unsigned shared_turn = 8;  // turns after which it looks at the shared list first

struct worker {
  run_ring ring;
  unsigned turn = 0;
};

/// Threads that may block, started one by one as work piles up.
class blocking_pool {
 public:
  explicit blocking_pool(int limit) : limit_(static_cast<std::size_t>(limit)) {}

  void add(scheduler& home, std::move_only_function<void()> work) {
    {
      const std::lock_guard guard(mutex_);
      if (idle_ <= waiting_.size() && threads_.size() < limit_ && !stopping_) {
        start_thread(home);
      }
      waiting_.push_back(std::move(work));
    }
    wake_.notify_one();
  }

  /// Returns when all work is done, also what the work itself adds meanwhile.
  void stop() {
    {
      const std::lock_guard guard(mutex_);
      stopping_ = true;  // from here on no thread is added
    }
    wake_.notify_all();
    for (auto& thread : threads_) thread.join();
  }

 private:
  void start_thread(scheduler& home) {
    try {
      threads_.emplace_back([this, &home] { serve(home); });
    } catch (const std::system_error&) {
      if (threads_.empty()) throw;  // else the work waits its turn, as it does beyond the limit
    }
  }

  void serve(scheduler& home) {
    detail::this_thread.serving = &home;
    std::unique_lock guard(mutex_);
    for (;;) {
      ++idle_;
      wake_.wait(guard, [this] { return stopping_ || !waiting_.empty(); });
      --idle_;
      if (waiting_.empty()) return;
      auto work = std::move(waiting_.front());
      waiting_.pop_front();
      guard.unlock();
      work();
      work = nullptr;
      guard.lock();
    }
  }

  const std::size_t limit_;
  std::mutex mutex_;
  std::condition_variable wake_;
  std::deque<std::move_only_function<void()>> waiting_;
  std::vector<std::thread> threads_;
  std::size_t idle_ = 0;
  bool stopping_ = false;
};

}  // namespace

struct thread_scheduler::implementation {
  implementation(thread_scheduler& owner, const thread_scheduler_options& options)
      : owner_(owner),
        workers_(static_cast<std::size_t>(
            options.threads > 0
                ? options.threads
                : std::max(1, static_cast<int>(std::thread::hardware_concurrency())))),
        pool_(std::max(1, options.blocking_threads)) {
    for (auto& each : workers_) threads_.emplace_back([this, &each] { serve(each); });
  }

  void serve(worker& self) {
    auto& here = detail::this_thread;
    here.serving = &owner_;
    here.worker = &self;
    here.handing_off = &owner_;
    here.random = reinterpret_cast<std::uintptr_t>(&self) | 1;
    while (!idle_.is_stopped()) {
      const coroutine ready = find(self);
      if (!ready) {
        sleep();
        continue;
      }
      ready.resume();
    }
  }

  coroutine find(worker& self) {
    auto& here = detail::this_thread;
    if (++self.turn % shared_turn == 0) {
      fire_due();
      if (const auto shared = pop_shared()) return shared;
    }
    // Counted, too: one that its timer wakes at every turn would otherwise starve the queue.
    if (here.next && here.handoffs_left > 0) {
      --here.handoffs_left;
      return std::exchange(here.next, nullptr);
    }
    here.handoffs_left = handoff_limit;
    if (const auto own = self.ring.pop()) return own;
    fire_due();
    if (here.next) return std::exchange(here.next, nullptr);
    if (const auto shared = pop_shared(&self)) return shared;
    return steal(self);
  }

  /// True if a timer was due.
  bool fire_due() {
    auto& timers = owner_.timers_;
    const auto due = timers.earliest();
    if (due == steady_time::max()) return false;  // without a look at the clock
    const auto now = owner_.now();
    return due <= now && timers.fire_due(now) > 0;
  }

  coroutine steal(worker& self) {
    std::array<coroutine, run_ring::size / 2> stolen;
    for (auto& other : workers_) {
      if (&other == &self) continue;
      const auto count = other.ring.grab(stolen);
      if (count == 0) continue;
      // Its own ring is empty, or nearly: there is room.
      for (std::size_t i = 1; i < count; ++i) push(self, stolen[i]);
      return stolen[0];
    }
    return {};
  }

  /// To a worker's own ring; if that is full, half of it goes to the shared list at once.
  void push(worker& self, coroutine ready) {
    if (self.ring.push(ready)) return;
    std::array<coroutine, run_ring::size / 2> half;
    const auto count = self.ring.grab(half);
    const std::lock_guard guard(shared_mutex_);
    shared_.insert(shared_.end(), half.begin(), half.begin() + static_cast<std::ptrdiff_t>(count));
    push_shared_locked(ready);
  }

  void sleep() {
    idle_.sleep([this] { return fire_due() || work_in_sight(); },
                [this] { return owner_.timers_.earliest(); });
  }

  bool work_in_sight() {
    if (shared_size_.load(std::memory_order_acquire) > 0 || detail::this_thread.next) return true;
    return std::ranges::any_of(workers_, [](const worker& each) { return !each.ring.empty(); });
  }

  void add(coroutine ready) {
    auto& here = detail::this_thread;
    if (here.serving == &owner_ && here.worker != nullptr) {
      const auto displaced = std::exchange(here.next, ready);
      if (!displaced) return;  // this worker runs it; nobody to wake
      push(*static_cast<worker*>(here.worker), displaced);
      if (workers_.size() > 1) idle_.wake_one();  // alone, it is awake
    } else {
      // A thread that is not ours: once the process runs, it may end and this scheduler be gone. So
      // nobody can take it before this lock is given back, the last thing that this thread touches.
      const std::lock_guard guard(shared_mutex_);
      push_shared_locked(ready);
      idle_.wake_one();
    }
  }

  void push_shared_locked(coroutine ready) {
    shared_.push_back(ready);
    shared_size_.store(shared_.size(), std::memory_order_release);
  }

  /// The first of the shared list; and with it, into the ring of `filled`, its share of the others.
  coroutine pop_shared(worker* filled = nullptr) {
    if (shared_size_.load(std::memory_order_acquire) == 0) return {};
    const std::lock_guard guard(shared_mutex_);
    if (shared_.empty()) return {};
    const auto share = std::min<std::size_t>(shared_.size() / workers_.size(), run_ring::size / 4);
    const auto first = shared_.front();
    shared_.pop_front();
    for (std::size_t i = 1; filled != nullptr && i < share; ++i) {
      if (!filled->ring.push(shared_.front())) break;
      shared_.pop_front();
    }
    shared_size_.store(shared_.size(), std::memory_order_release);
    return first;
  }

  /// The pool first: its work may still wake processes here.
  void stop() {
    pool_.stop();
    idle_.stop();
    for (auto& thread : threads_) thread.join();
  }

  thread_scheduler& owner_;
  std::deque<worker> workers_;
  std::vector<std::thread> threads_;
  idle_gate idle_;

  std::mutex shared_mutex_;
  std::deque<coroutine> shared_;
  std::atomic<std::size_t> shared_size_{0};

  std::mutex drive_mutex_;
  std::condition_variable driven_;

  blocking_pool pool_;
};

thread_scheduler::thread_scheduler(thread_scheduler_options options)
    : self_(std::make_unique<implementation>(*this, options)) {}

thread_scheduler::~thread_scheduler() { self_->stop(); }

void thread_scheduler::post(std::coroutine_handle<> ready) noexcept { self_->add(ready); }

void thread_scheduler::post_blocking(std::move_only_function<void()> work) {
  self_->pool_.add(*this, std::move(work));
}

steady_time thread_scheduler::now() const noexcept { return std::chrono::steady_clock::now(); }

system_time thread_scheduler::system_now() const noexcept {
  return std::chrono::floor<std::chrono::milliseconds>(std::chrono::system_clock::now());
}

void thread_scheduler::earliest_changed() { self_->idle_.wake_one(); }

void thread_scheduler::drive(const std::function<bool()>& done) {
  WHERRY_ASSERT(detail::this_thread.worker == nullptr,
                "scheduler::run blocks: call it from outside, inside a process use go or a scope");
  std::unique_lock guard(self_->drive_mutex_);
  self_->driven_.wait(guard, done);
}

void thread_scheduler::interrupt_drive() noexcept {
  const std::lock_guard guard(self_->drive_mutex_);
  self_->driven_.notify_all();
}

}  // namespace wherry
