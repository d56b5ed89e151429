// SPDX-License-Identifier: Apache-2.0
// The control: a kind as it should be, and a task that is awaited as it should be.
#include "kind.hpp"

struct right {
  static constexpr std::string_view name = "right";
  using state = std::variant<begun, done>;
  wherry::task<wherry::outcome<state>> step(begun now, wherry::step_context) {
    co_return done{now.number};
  }
};

template void drive<right>();

wherry::task<int> one();
wherry::task<int> two() { co_return co_await one() + 1; }
