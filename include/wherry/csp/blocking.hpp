// SPDX-License-Identifier: Apache-2.0
#pragma once
// Puts and takes for plain threads, which block where a process would suspend. Never call these from
// a process: they would stop the thread that all processes share.

#include <optional>
#include <utility>

#include "wherry/csp/channel.hpp"

namespace wherry {
namespace detail {

template <class Operation>
auto block_on(Operation operation) {
  if (!operation.await_ready()) {
    process self{nullptr};
    operation.enqueue_locked(self);
    const bool parked = self.park({});
    WHERRY_ASSERT(parked, "a plain thread cannot be cancelled");
    operation.core().lock_.unlock();
    self.block();
    return operation.await_resume();
  }
  return operation.await_resume();
}

}  // namespace detail

/// Blocks until the value is taken or buffered. False: the channel is closed.
template <class T>
bool blocking_put(channel<T>& to, T&& value) {
  return detail::block_on(to.put(std::move(value)));
}

/// Blocks until there is a value. Empty: closed and drained.
template <class T>
std::optional<T> blocking_take(channel<T>& from) {
  return detail::block_on(from.take());
}

}  // namespace wherry
