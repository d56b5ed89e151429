// SPDX-License-Identifier: Apache-2.0
#pragma once
// All orders of a small program: which process goes on next, wherever more than one can, and which
// case a fair select looks at first.

#include <array>
#include <cstdint>
#include <string>

#include "../every_choice.hpp"
#include "../reference/performance.hpp"

namespace wherry::reference {

/// States of the random generator from which a fair select of two looks at its first case first,
/// and at its second. A test sees to it that they do.
inline constexpr std::array<std::uint64_t, 2> draw_for{1, 1ull << 63};

struct orders_seen {
  long orders = 0;
  std::string fault;  // the first that the model does not explain: what, and in which program
};

/// Plays `wanted` in each of its orders, until one is wrong. What comes after the first phase only
/// ends the program: in one order.
template <class Make>
orders_seen in_every_order(const program& wanted, const Make& make) {
  test::every_choice choices;
  orders_seen all;
  while (choices.next()) {
    bool branches = true;
    const auto choose = [&](std::size_t count) { return branches ? choices.choose(count) : 0; };
    performance_options options;
    options.before_phase = [&](int phase) { branches = phase == 0; };
    options.before_draw = [&] { wherry::detail::this_thread.random = draw_for[choose(2)]; };
    history seen;
    {
      virtual_scheduler home(choose);
      seen = perform(home, wanted, make, options);
    }
    ++all.orders;
    all.fault = unexplained(wanted, seen, points::at_call);
    if (all.fault.empty() && token::alive() != 0) all.fault = "values were left alive";
    if (all.fault.empty()) continue;
    all.fault = to_text(wanted) + "order " + std::to_string(all.orders) + ": " + all.fault;
    return all;
  }
  return all;
}

}  // namespace wherry::reference
