// SPDX-License-Identifier: Apache-2.0
// What both schedulers share: waking processes, and running one from outside.

#include "wherry/csp/scheduler.hpp"

#include <exception>

#include "wherry/csp/assert.hpp"
#include "wherry/csp/blocking.hpp"
#include "wherry/csp/scope.hpp"

namespace wherry {
namespace detail {

void process::wake() noexcept {
  if (scope_ == nullptr) return static_cast<blocked_thread*>(this)->end_wait();
  auto& here = this_thread;
  auto& home = scope_->home();
  if (&home == here.handing_off && !here.next) {  // runs here as soon as the waker parks
    here.next = resume_;
  } else {
    home.post(resume_);
  }
}

void blocked_thread::wait() {
  std::unique_lock guard(mutex_);
  woken_.wait(guard, [this] { return is_woken_; });
}

void blocked_thread::end_wait() noexcept {
  const std::lock_guard guard(mutex_);
  is_woken_ = true;
  woken_.notify_one();
}

}  // namespace detail

scheduler::scheduler() { renew_root_scope(); }

scheduler::~scheduler() = default;

scheduler& scheduler::current() noexcept {
  scheduler* const serving = detail::this_thread.serving;
  WHERRY_ASSERT(serving != nullptr, "this works only inside a process: see scheduler::run");
  return *serving;
}

bool scheduler::park_until(detail::timer& entry, detail::process& owner,
                           std::coroutine_handle<> resume) {
  using added = detail::timer_queue::added;
  const auto how = timers_.add_if([&] { return owner.park(resume); }, entry);
  if (how == added::earliest) earliest_changed();
  return how != added::not_parked;
}

void scheduler::run_root(task<void> root) {
  WHERRY_ASSERT(!running_.exchange(true), "a scheduler carries out one run at a time");
  std::exception_ptr failed;
  bool unwound = false;
  std::atomic<bool> ended{false};
  auto main = [](task<void> body, std::exception_ptr& error, bool& cancellation,
                 std::atomic<bool>& done, scheduler& home) -> task<void> {
    try {
      co_await std::move(body);
    } catch (const cancelled&) {
      cancellation = true;
    } catch (...) {
      error = std::current_exception();
    }
    done.store(true, std::memory_order_release);
    home.interrupt_drive();
  };
  root_scope_->start(main(std::move(root), failed, unwound, ended, *this));
  try {
    drive([&] { return ended.load(std::memory_order_acquire); });
  } catch (...) {
    finish_root();  // what is stuck refers to this frame: unwind it first
    throw;
  }
  const auto failed_beside = finish_root();
  if (failed) std::rethrow_exception(failed);
  if (failed_beside) std::rethrow_exception(failed_beside);
  if (unwound) throw cancelled{};
}

// Gives what a process beside the main one failed with: it has cancelled the main one.
std::exception_ptr scheduler::finish_root() {
  root_scope_->cancel();
  drive([this] { return root_scope_->empty(); });
  auto failed = root_scope_->take_failure();
  renew_root_scope();
  running_.store(false);
  return failed;
}

void scheduler::renew_root_scope() {
  root_scope_ = std::make_unique<detail::scope_state>(
      *this, [](scheduler& self) noexcept { self.interrupt_drive(); });
}

}  // namespace wherry
