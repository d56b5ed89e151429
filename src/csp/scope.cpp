// SPDX-License-Identifier: Apache-2.0
// Scopes: who is inside, who waits for them, and the coroutine that each process begins with.

#include "wherry/csp/scope.hpp"

namespace wherry {
namespace detail {
namespace {

// The first frame of a process. It holds the process itself, and destroys itself at the end.
struct root_frame {
  struct promise_type : promise_base {
    promise_type(scheduler& home, scope_state& owner, task<void>&) noexcept
        : own_(&home), owner_(owner) {
      process_ = &own_;
    }
    root_frame get_return_object() noexcept {
      return {std::coroutine_handle<promise_type>::from_promise(*this)};
    }
    std::suspend_always initial_suspend() const noexcept { return {}; }
    auto final_suspend() const noexcept {
      struct end {
        bool await_ready() const noexcept { return false; }
        std::coroutine_handle<> await_suspend(
            std::coroutine_handle<promise_type> self) const noexcept {
          auto& promise = self.promise();
          promise.owner_.leave(promise.own_, std::move(promise.exception_));
          self.destroy();
          return next_to_run();
        }
        void await_resume() const noexcept {}
      };
      return end{};
    }
    void return_void() const noexcept {}
    void unhandled_exception() noexcept {
      try {
        throw;
      } catch (const cancelled&) {  // a process that unwinds because it was told to did not fail
      } catch (...) {
        exception_ = std::current_exception();
      }
    }

    process own_;
    scope_state& owner_;
    std::exception_ptr exception_;
  };
  std::coroutine_handle<promise_type> handle;
};

root_frame begin(scheduler&, scope_state&, task<void> body) {
  // The body goes before the scope hears of the end: what it holds is released by then.
  task<void> running = std::move(body);
  co_await std::move(running);
}

}  // namespace

void start_process(scheduler& home, scope_state& owner, task<void> body) {
  const auto handle = begin(home, owner, std::move(body)).handle;
  owner.enter(*handle.promise().process_);
  home.post(handle);
}

void scope_state::enter(process& member) noexcept {
  lock_.lock();
  member.previous_in_scope_ = nullptr;
  member.next_in_scope_ = first_;
  if (first_ != nullptr) first_->previous_in_scope_ = &member;
  first_ = &member;
  ++count_;
  if (cancelled_ && member.cancel()) member.wake();
  lock_.unlock();
}

void scope_state::leave(process& member, std::exception_ptr exception) noexcept {
  process* joiner = nullptr;
  lock_.lock();
  (member.previous_in_scope_ != nullptr ? member.previous_in_scope_->next_in_scope_ : first_) =
      member.next_in_scope_;
  if (member.next_in_scope_ != nullptr) {
    member.next_in_scope_->previous_in_scope_ = member.previous_in_scope_;
  }
  if (exception && !failure_) {
    failure_ = std::move(exception);
    cancelled_ = true;
    cancel_members();
  }
  const bool last = --count_ == 0;
  if (last && joiner_ != nullptr && joiner_->claim()) joiner = joiner_;
  const auto on_empty = last ? on_empty_ : nullptr;
  void* const context = context_;
  lock_.unlock();  // from here on the scope may be gone
  if (joiner != nullptr) joiner->wake();
  if (on_empty != nullptr) on_empty(context);
}

void scope_state::cancel() noexcept {
  lock_.lock();
  cancelled_ = true;
  cancel_members();
  lock_.unlock();
}

// Under the lock: no member can leave, so each is there to be woken.
void scope_state::cancel_members() noexcept {
  for (process* member = first_; member != nullptr; member = member->next_in_scope_) {
    if (member->cancel()) member->wake();
  }
}

bool scope_state::is_cancelled() noexcept {
  const std::lock_guard guard(lock_);
  return cancelled_;
}

bool scope_state::empty() noexcept {
  const std::lock_guard guard(lock_);
  return count_ == 0;
}

bool scope_state::park_until_empty(process& joiner, std::coroutine_handle<> resume) noexcept {
  lock_.lock();
  joiner_ = &joiner;
  const bool parked = count_ != 0 && joiner.park(resume);
  lock_.unlock();
  return parked;
}

void scope_state::forget_joiner() noexcept {
  const std::lock_guard guard(lock_);
  joiner_ = nullptr;
}

std::exception_ptr scope_state::take_failure() noexcept {
  const std::lock_guard guard(lock_);
  return std::exchange(failure_, nullptr);
}

}  // namespace detail

task<void> scope::join() {
  bool undisturbed = co_await detail::empty_scope_awaiter{state_};
  if (!undisturbed) {
    state_.cancel();
    const auto guard = co_await shield();
    while (!co_await detail::empty_scope_awaiter{state_}) {}
    if (auto failed = state_.take_failure()) std::rethrow_exception(failed);
    throw cancelled{};
  }
  if (auto failed = state_.take_failure()) std::rethrow_exception(failed);
}

}  // namespace wherry
