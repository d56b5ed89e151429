// SPDX-License-Identifier: Apache-2.0
// A foreign coroutine has no process that a channel could wake.
// expected: no matching member function for call to 'await_suspend'
#include "wherry/csp/channel.hpp"

struct foreign {
  struct promise_type {
    foreign get_return_object() { return {}; }
    std::suspend_never initial_suspend() { return {}; }
    std::suspend_never final_suspend() noexcept { return {}; }
    void return_void() {}
    void unhandled_exception() {}
  };
};

foreign wait_for(wherry::channel<int> numbers) { co_await numbers.take(); }
