// SPDX-License-Identifier: Apache-2.0
// Scopes: who is inside, who waits for them, and how a process begins and ends.

#include "wherry/csp/scope.hpp"

namespace wherry {
namespace detail {
namespace {

// A process that unwinds because it was told to did not fail.
std::exception_ptr failure_in(std::exception_ptr exception) noexcept {
  if (!exception) return nullptr;
  try {
    std::rethrow_exception(exception);
  } catch (const cancelled&) {
    return nullptr;
  } catch (...) {
    return std::current_exception();
  }
}

}  // namespace

std::coroutine_handle<> end_process(std::coroutine_handle<task_promise<void>> body) noexcept {
  auto& promise = body.promise();
  auto& scope = *promise.own_.scope_;
  scope.unlink(promise.own_, failure_in(std::move(promise.exception_)));
  body.destroy();  // before the scope hears of the end: what the body held is released by then
  scope.leave();
  return next_to_run();
}

void scope_state::start(task<void> body) noexcept {
  const auto handle = std::move(body).release();
  auto& promise = handle.promise();
  promise.process_ = &promise.own_;
  enter(promise.own_);
  home_.post(handle);
}

void scope_state::enter(process& member) noexcept {
  lock_.lock();
  member.scope_ = this;
  member.previous_in_scope_ = nullptr;
  member.next_in_scope_ = first_;
  if (first_ != nullptr) first_->previous_in_scope_ = &member;
  first_ = &member;
  ++count_;
  if (cancelled_ && member.cancel()) member.wake();
  lock_.unlock();
}

void scope_state::unlink(process& member, std::exception_ptr exception) noexcept {
  const std::lock_guard guard(lock_);
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
}

void scope_state::leave() noexcept {
  process* joiner = nullptr;
  lock_.lock();
  const bool last = --count_ == 0;
  if (last && joiner_ != nullptr && joiner_->claim()) joiner = joiner_;
  const auto on_empty = last ? on_empty_ : nullptr;
  auto& home = home_;
  lock_.unlock();  // from here on the scope may be gone
  if (joiner != nullptr) joiner->wake();
  if (on_empty != nullptr) on_empty(home);
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
