// SPDX-License-Identifier: Apache-2.0
#pragma once
// failure: how a process that did not end well is told about over a channel. No exception crosses a
// channel by itself; the receiver decides whether to rethrow.

#include <exception>
#include <expected>
#include <string>
#include <utility>

namespace wherry {

/// Says why a process ended without a result: it threw, or it was cancelled.
class failure {
 public:
  /// Takes the exception in flight. Requires: called inside a handler.
  static failure from_current() noexcept { return failure{std::current_exception()}; }
  /// Says that the process was cancelled before it had a result.
  static failure from_cancellation() noexcept { return failure{nullptr}; }

  /// Whether it did not throw but was told to end.
  [[nodiscard]] bool is_cancelled() const noexcept { return exception_ == nullptr; }

  /// Throws what the process threw. Requires: not is_cancelled().
  [[noreturn]] void rethrow() const { std::rethrow_exception(exception_); }

  /// The text of the exception, or that it was cancelled: for people.
  [[nodiscard]] std::string what() const;

 private:
  explicit failure(std::exception_ptr exception) noexcept : exception_(std::move(exception)) {}
  std::exception_ptr exception_;
};

/// What `go` and `thread` put on their channel.
template <class T>
using result = std::expected<T, failure>;

}  // namespace wherry
