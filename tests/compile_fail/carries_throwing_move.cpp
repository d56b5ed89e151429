// SPDX-License-Identifier: Apache-2.0
// A move that throws half way between two processes would leave the value with neither.
// expected: constraints not satisfied for class template 'channel' .with T = heavy.
// because: because 'std::is_nothrow_move_constructible_v<heavy>' evaluated to false
#include "wherry/csp/channel.hpp"

struct heavy {
  heavy(heavy&&) noexcept(false);
};

void use(wherry::channel<heavy> cargo);
