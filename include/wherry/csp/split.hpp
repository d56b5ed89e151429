// SPDX-License-Identifier: Apache-2.0
#pragma once
// split: two channels out of one, by a predicate.

#include <concepts>
#include <functional>
#include <utility>

#include "wherry/csp/combine.hpp"

namespace wherry {

/// What split gives: `const auto [even, odd] = split(is_even, numbers);`
template <class T>
struct split_channels {
  take_channel<T> holds;
  take_channel<T> rest;
};

namespace detail {

template <class T, class Predicate>
task<> split_all(Predicate predicate, take_channel<T> from, put_channel<T> holds,
                 put_channel<T> rest) {
  const closing_end<T> end(holds);
  const closing_end<T> other_end(rest);
  while (auto value = co_await from.take()) {
    const bool chosen = std::invoke(predicate, std::as_const(*value));
    if (!co_await (chosen ? holds : rest).put(std::move(*value))) break;
  }
}

}  // namespace detail

/// Gives the values that `predicate` holds of on one channel and the others on another; both close
/// when `from` ends. With `.buffer` both have one; without, a side that nobody takes from stops the
/// other, too. Source: core.async split.
template <class Predicate, taking From>
  requires std::predicate<Predicate&, const take_value_t<From>&>
auto split(Predicate predicate, const From& from, output_options options = {}) {
  using value = take_value_t<From>;
  channel<value> holds{options.buffer};
  channel<value> rest{options.buffer};
  detail::start_in(options.in,
                   detail::split_all<value>(std::move(predicate), take_channel(from), holds, rest));
  return split_channels<value>{holds, rest};
}

}  // namespace wherry
