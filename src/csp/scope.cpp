// SPDX-License-Identifier: Apache-2.0
// Scopes: who is inside, who waits for them, and how a process begins and ends.

#include "wherry/csp/scope.hpp"

namespace wherry {
namespace detail {
namespace {

/// A process and its body: the task that it was started with.
struct body_process : process {
  body_process(scheduler& home, scope_state& owner, task<void> body) noexcept
      : process(&home), owner_(owner), body_(std::move(body).release()) {
    body_.promise().process_ = this;
  }
  scope_state& owner_;
  std::coroutine_handle<task<void>::promise_type> body_;
};

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

void start_process(scheduler& home, scope_state& owner, task<void> body) {
  auto* const started = new body_process(home, owner, std::move(body));
  const auto handle = started->body_;
  owner.enter(*started);
  home.post(handle);
}

std::coroutine_handle<> end_process(process& ended, std::exception_ptr exception) noexcept {
  auto* const self = static_cast<body_process*>(&ended);
  auto failed = failure_in(std::move(exception));
  // The body goes before the scope hears of the end: what it holds is released by then.
  self->body_.destroy();
  self->owner_.leave(*self, std::move(failed));
  delete self;
  return next_to_run();
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
