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
  auto& here = this_thread;
  if (home_ == nullptr) {
    static_cast<blocked_thread*>(this)->end_wait();
  } else if (home_ == here.handing_off && !here.next) {  // runs here as soon as the waker parks
    here.next = resume_;
  } else {
    home_->post(resume_);
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

scheduler::scheduler()
    : root_scope_(std::make_unique<detail::scope_state>(
          [](void* self) noexcept { static_cast<scheduler*>(self)->interrupt_drive(); }, this)) {}

scheduler::~scheduler() = default;

scheduler& scheduler::current() noexcept {
  scheduler* const serving = detail::this_thread.serving;
  WHERRY_ASSERT(serving != nullptr, "this works only inside a process: see scheduler::run");
  return *serving;
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
  detail::start_process(*this, *root_scope_, main(std::move(root), failed, unwound, ended, *this));
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
  // Ready for another run.
  root_scope_ = std::make_unique<detail::scope_state>(
      [](void* self) noexcept { static_cast<scheduler*>(self)->interrupt_drive(); }, this);
  running_.store(false);
  return failed;
}

}  // namespace wherry
