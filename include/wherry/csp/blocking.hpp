// SPDX-License-Identifier: Apache-2.0
#pragma once
// Puts, takes and selects for plain threads, which block where a process would suspend. They need
// no scheduler: channels between plain threads alone work, too.
//
// Requires, of all of them: not called from a process. They would stop the thread that all
// processes share; one that would wait there ends the program with a sentence. Nor with the
// channels of a virtual_scheduler, which is one thread's alone. Nothing cancels a plain thread:
// what it waits for must come, or the channel be closed.

#include <condition_variable>
#include <mutex>
#include <optional>
#include <type_traits>
#include <utility>

#include "wherry/csp/direction.hpp"
#include "wherry/csp/select.hpp"

namespace wherry {
namespace detail {

/// A plain thread, for as long as one wait lasts. Woken under its mutex: whoever wakes it is done
/// with it before it can go on and be gone.
class blocked_thread : public process {
 public:
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
  if (operation.park(self, {})) {
    WHERRY_ASSERT(this_thread.worker == nullptr,
                  "blocking_put, blocking_take or blocking_select would stop the thread that all "
                  "processes share: use co_await");
    self.wait();
  }
  return operation.await_resume();
}

}  // namespace detail

/// Blocks until the value is taken or buffered. False: the channel is closed, and the value stays
/// with the caller. Errors: too_many_waiters.
template <putting Channel>
bool blocking_put(const Channel& to, put_value_t<Channel>&& value) {
  return detail::block_on(to.put(std::move(value)));
}
/// The same of a copy.
template <putting Channel>
  requires std::copy_constructible<put_value_t<Channel>>
bool blocking_put(const Channel& to, const put_value_t<Channel>& value) {
  return detail::block_on(to.put(value));
}

/// Blocks until there is a value. Empty: closed and drained. Errors: too_many_waiters.
template <taking Channel>
std::optional<take_value_t<Channel>> blocking_take(const Channel& from) {
  return detail::block_on(from.take());
}

/// Blocks until one case commits, as `co_await select(...)` suspends; takes what select takes, and
/// gives what it gives. Errors: too_many_waiters.
template <class... Cases>
auto blocking_select(Cases... cases) {
  return detail::block_on(select(std::move(cases)...));
}

}  // namespace wherry
