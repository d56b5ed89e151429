// SPDX-License-Identifier: Apache-2.0
#pragma once
// Puts and takes for plain threads, which block where a process would suspend. Never call these
// from a process: they would stop the thread that all processes share.

#include <condition_variable>
#include <mutex>
#include <optional>
#include <type_traits>
#include <utility>

#include "wherry/csp/channel.hpp"

namespace wherry {
namespace detail {

/// A plain thread, for as long as one wait lasts. Woken under its mutex: whoever wakes it is done
/// with it before it can go on and be gone.
class blocked_thread : public process {
 public:
  blocked_thread() noexcept : process(nullptr) {}
  /// Returns once `end_wait` was called.
  void wait();
  void end_wait() noexcept;

 private:
  std::mutex mutex_;
  std::condition_variable woken_;
  bool is_woken_ = false;
};

template <class Operation>
auto block_on(Operation operation) {
  if (operation.await_ready()) return operation.await_resume();
  blocked_thread self;
  const bool queued = operation.enqueue_locked(self);
  const bool parked = queued && self.park({});
  operation.core().lock_.unlock();
  if (!queued) throw too_many_waiters{};
  WHERRY_ASSERT(parked, "a plain thread cannot be cancelled");
  WHERRY_ASSERT(this_thread.worker == nullptr,
                "blocking_put or blocking_take would stop the thread that all processes share: "
                "co_await put or take instead");
  self.wait();
  return operation.await_resume();
}

}  // namespace detail

/// Blocks until the value is taken or buffered. False: the channel is closed, and the value stays
/// with the caller. Errors: too_many_waiters.
template <class T>
bool blocking_put(const channel<T>& to, std::type_identity_t<T>&& value) {
  return detail::block_on(to.put(std::move(value)));
}
template <class T>
  requires std::copy_constructible<T>
bool blocking_put(const channel<T>& to, const std::type_identity_t<T>& value) {
  return detail::block_on(to.put(value));
}

/// Blocks until there is a value. Empty: closed and drained. Errors: too_many_waiters.
template <class T>
std::optional<T> blocking_take(const channel<T>& from) {
  return detail::block_on(from.take());
}

}  // namespace wherry
