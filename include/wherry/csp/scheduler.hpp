// SPDX-License-Identifier: Apache-2.0
#pragma once
// A scheduler runs processes and owns time. Two kinds, one contract:
//
// thread_scheduler: several threads; each has a run queue of its own, idle ones steal; real time.
//
// virtual_scheduler: the caller's thread alone; picks among the runnable by a seeded draw, and when
// none is runnable moves its clock to the next timer. Same seed, same run.
//
// Rules
// 1. What runs on a scheduler thread does not block; blocking work goes through `thread(fn)`.
// 2. A process that was just made runnable by the running one goes to its thread's `next` slot and
//    runs when the running one parks: a put that meets a take is a handoff without a queue.
// 3. Every `handoff_limit` handoffs the thread looks at timers, at what other threads have made
//    runnable, and at its queue, so that a pair in conversation starves nobody.
// 4. Timers never fire early. They fire under the timers' lock: `fire` must be short, and may wake
//    processes but not touch timers.

#include <atomic>
#include <chrono>
#include <coroutine>
#include <cstddef>
#include <cstdint>
#include <exception>
#include <functional>
#include <memory>
#include <mutex>
#include <vector>

#include "wherry/csp/clock.hpp"
#include "wherry/csp/process.hpp"
#include "wherry/csp/task.hpp"
#include "wherry/csp/timer_queue.hpp"

namespace wherry {

class scheduler;

namespace detail {

/// What the running thread knows about the scheduler that it serves.
struct thread_state {
  scheduler* serving = nullptr;
  void* worker = nullptr;            // whose processes run here; null: the thread may block
  scheduler* handing_off = nullptr;  // whose processes may be put into `next`
  std::coroutine_handle<> next{};    // made runnable here, runs next
  int handoffs_left = 0;
  std::uint64_t random = 0x9e3779b97f4a7c15;
};
inline constinit thread_local thread_state this_thread;

/// A draw that is good enough for fairness, and repeatable under a virtual_scheduler.
[[nodiscard]] inline std::uint64_t draw() noexcept {
  auto& state = this_thread.random;  // xorshift64, Marsaglia 2003
  state ^= state << 13;
  state ^= state >> 7;
  state ^= state << 17;
  return state;
}

/// What a parking coroutine transfers to: the process woken last on this thread, or the run loop.
[[nodiscard]] inline std::coroutine_handle<> next_to_run() noexcept {
  auto& here = this_thread;
  if (here.next && here.handoffs_left > 0) {
    --here.handoffs_left;
    return std::exchange(here.next, nullptr);
  }
  return std::noop_coroutine();
}

}  // namespace detail

/// The contract between processes and whatever runs them.
class scheduler {
 public:
  scheduler();
  scheduler(const scheduler&) = delete;
  scheduler& operator=(const scheduler&) = delete;
  virtual ~scheduler();

  /// Makes a suspended coroutine runnable. Threads: any.
  virtual void post(std::coroutine_handle<> ready) noexcept = 0;
  /// Runs `work` where blocking is allowed. Threads: any.
  virtual void post_blocking(std::move_only_function<void()> work) = 0;

  [[nodiscard]] virtual steady_time now() const noexcept = 0;
  [[nodiscard]] virtual system_time system_now() const noexcept = 0;

  void add_timer(detail::timer& entry) {
    if (timers_.add(entry)) earliest_changed();
  }
  /// Parks `owner`, then adds its timer. False: it must not wait, for it is cancelled.
  [[nodiscard]] bool park_until(detail::timer& entry, detail::process& owner,
                                std::coroutine_handle<> resume);
  void remove_timer(detail::timer& entry) noexcept { timers_.remove(entry); }

  /// Owns what `go` starts; cancelled and joined when the scheduler's run ends.
  [[nodiscard]] detail::scope_state& root_scope() noexcept { return *root_scope_; }

  /// The scheduler that runs the calling code. Requires: called from a process.
  [[nodiscard]] static scheduler& current() noexcept;

  /// Runs `main` as a process to its end, then cancels and joins what `go` left running.
  /// Requires: called from outside its processes; one run at a time.
  /// Errors: rethrows what `main` threw, else what a process failed with that a combinator started
  /// (combine.hpp; it ends the run); `cancelled` comes out as it is.
  template <class T>
  T run(task<T> main);

 protected:
  /// Returns when `done()` is true; runs processes meanwhile if the calling thread is to do so.
  virtual void drive(const std::function<bool()>& done) = 0;
  /// Whoever sleeps until the earliest timer is to look again. Threads: any.
  virtual void earliest_changed() = 0;
  /// Wakes a `drive` whose condition may have changed. Threads: any.
  virtual void interrupt_drive() noexcept = 0;

  detail::timer_queue timers_;

 private:
  void run_root(task<void> root);
  std::exception_ptr finish_root();
  void renew_root_scope();  // for another run
  std::unique_ptr<detail::scope_state> root_scope_;
  std::atomic<bool> running_{false};
};

struct thread_scheduler_options {
  /// Threads that run processes. 0: as many as the machine has.
  int threads = 0;
  /// Threads at most for `thread(fn)`; started when needed. Further calls wait their turn.
  int blocking_threads = 16;
};

/// Runs processes on several threads, in real time.
class thread_scheduler final : public scheduler {
 public:
  explicit thread_scheduler(thread_scheduler_options options = {});
  ~thread_scheduler() override;

  void post(std::coroutine_handle<> ready) noexcept override;
  void post_blocking(std::move_only_function<void()> work) override;
  [[nodiscard]] steady_time now() const noexcept override;
  [[nodiscard]] system_time system_now() const noexcept override;

 protected:
  void drive(const std::function<bool()>& done) override;
  void earliest_changed() override;
  void interrupt_drive() noexcept override;

 private:
  struct implementation;
  std::unique_ptr<implementation> self_;
};

/// Says which of `count` that can run does so next, as a number below it. The same answers to the
/// same questions make the same run, so that whoever keeps them can go through all runs.
using choice_source = std::move_only_function<std::size_t(std::size_t count)>;

/// Runs processes on the thread that calls `run`, under virtual time, in an order drawn from
/// `seed`. `thread(fn)` runs inline. Threads: only the one that calls `run`, also for the channels
/// that its processes use. Errors: `run` throws std::logic_error when nothing can ever run again.
class virtual_scheduler final : public scheduler {
 public:
  static constexpr system_time usual_start{std::chrono::days{20'000}};

  explicit virtual_scheduler(std::uint64_t seed = 1, system_time start = usual_start);
  /// In the order that `choose` makes; it is asked when more than one can run. Fair selects go on
  /// drawing, as with seed 1.
  explicit virtual_scheduler(choice_source choose, system_time start = usual_start);
  ~virtual_scheduler() override;

  void post(std::coroutine_handle<> ready) noexcept override;
  void post_blocking(std::move_only_function<void()> work) override;
  [[nodiscard]] steady_time now() const noexcept override { return now_; }
  [[nodiscard]] system_time system_now() const noexcept override;
  /// Sets the calendar ahead, or back, as people and time servers do; steady time goes on.
  void shift_calendar(std::chrono::milliseconds by) noexcept { start_ += by; }

 protected:
  void drive(const std::function<bool()>& done) override;
  void earliest_changed() override {}
  void interrupt_drive() noexcept override {}

 private:
  void run_one();
  std::size_t pick(std::size_t choices);
  std::vector<std::coroutine_handle<>> ready_;
  std::vector<std::move_only_function<void()>> blocking_;
  steady_time now_{};
  system_time start_;
  std::uint64_t random_;
  choice_source choose_;  // empty: drawn
};

template <class T>
T scheduler::run(task<T> main) {
  if constexpr (std::is_void_v<T>) {
    run_root(std::move(main));
  } else {
    std::optional<T> value;
    run_root([](task<T> inner, std::optional<T>* out) -> task<void> {
      out->emplace(co_await std::move(inner));
    }(std::move(main), &value));
    return std::move(*value);
  }
}

}  // namespace wherry
