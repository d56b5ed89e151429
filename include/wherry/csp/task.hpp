// SPDX-License-Identifier: Apache-2.0
#pragma once
// task<T>: a lazy coroutine. It starts when awaited, runs in the process of its awaiter, and hands
// its result or its exception back by symmetric transfer: awaiting nests as deep as you like
// without growing the stack, and costs neither a lock nor an atomic.
//
// Rules
// 1. A task is awaited at most once, as an rvalue: `co_await fetch(url)`.
// 2. Only tasks await channels, selects, scopes; those find the process through the promise.
// 3. Parameters go by value: a reference outlives its call only by luck.

#include <concepts>
#include <coroutine>
#include <exception>
#include <optional>
#include <type_traits>
#include <utility>
#include <variant>

#include "wherry/csp/process.hpp"

namespace wherry {

template <class T = void>
class task;

namespace detail {

template <class T>
struct task_promise;

/// Ends a process whose body has: destroys the body, tells the scope. Gives what to run next.
std::coroutine_handle<> end_process(std::coroutine_handle<task_promise<void>> body) noexcept;

struct resume_continuation {
  bool await_ready() const noexcept { return false; }
  template <class Promise>
  std::coroutine_handle<> await_suspend(std::coroutine_handle<Promise> done) const noexcept {
    const auto continuation = done.promise().continuation_;
    if constexpr (std::same_as<Promise, task_promise<void>>) {
      if (!continuation) return end_process(done);
    }
    return continuation;
  }
  void await_resume() const noexcept {}
};

struct task_promise_base : promise_base {
  std::coroutine_handle<> continuation_;  // null: the body of a process (only a task<void>)
  std::suspend_always initial_suspend() const noexcept { return {}; }
  resume_continuation final_suspend() const noexcept { return {}; }
};

template <class T>
struct task_promise : task_promise_base {
  std::variant<std::monostate, T, std::exception_ptr> result_;

  task<T> get_return_object() noexcept;
  void unhandled_exception() noexcept { result_.template emplace<2>(std::current_exception()); }
  template <class U = T>
    requires std::constructible_from<T, U&&>
  void return_value(U&& value) {
    result_.template emplace<1>(std::forward<U>(value));
  }
  T take_result() {
    if (result_.index() == 2) std::rethrow_exception(std::get<2>(std::move(result_)));
    return std::get<1>(std::move(result_));
  }
};

template <>
struct task_promise<void> : task_promise_base {
  std::exception_ptr exception_;
  process own_;  // that of which it is the body, if it is

  task<void> get_return_object() noexcept;
  void unhandled_exception() noexcept { exception_ = std::current_exception(); }
  void return_void() const noexcept {}
  void take_result() {
    if (exception_) std::rethrow_exception(std::move(exception_));
  }
};

}  // namespace detail

/// Owns a coroutine that has not run yet. Destroying it un-awaited destroys its parameters only.
template <class T>
class [[nodiscard]] task {
 public:
  using promise_type = detail::task_promise<T>;
  using value_type = T;

  task(task&& other) noexcept : handle_(std::exchange(other.handle_, nullptr)) {}
  task& operator=(task&& other) noexcept {
    std::swap(handle_, other.handle_);
    return *this;
  }
  ~task() {
    if (handle_) handle_.destroy();
  }

  struct awaiter {
    std::coroutine_handle<promise_type> handle;
    bool await_ready() const noexcept { return false; }
    template <std::derived_from<detail::promise_base> Promise>
    std::coroutine_handle<> await_suspend(std::coroutine_handle<Promise> parent) const noexcept {
      handle.promise().continuation_ = parent;
      handle.promise().process_ = parent.promise().process_;
      return handle;
    }
    T await_resume() const { return handle.promise().take_result(); }
  };

  /// Runs the task to its end. Errors: rethrows what it threw.
  awaiter operator co_await() && noexcept { return awaiter{handle_}; }

  /// Gives up the coroutine, for one who runs it otherwise.
  [[nodiscard]] std::coroutine_handle<promise_type> release() && noexcept {
    return std::exchange(handle_, nullptr);
  }

 private:
  friend promise_type;
  explicit task(std::coroutine_handle<promise_type> handle) noexcept : handle_(handle) {}
  std::coroutine_handle<promise_type> handle_;
};

namespace detail {

template <class T>
task<T> task_promise<T>::get_return_object() noexcept {
  return task<T>{std::coroutine_handle<task_promise>::from_promise(*this)};
}
inline task<void> task_promise<void>::get_return_object() noexcept {
  return task<void>{std::coroutine_handle<task_promise>::from_promise(*this)};
}

}  // namespace detail
}  // namespace wherry
