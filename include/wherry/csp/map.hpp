// SPDX-License-Identifier: Apache-2.0
#pragma once
// map: a function over the values of several channels, one of each at a time.
//
// How: a process for each input, which takes one value a round, so that a round waits for all
// inputs at once and their order does not matter. They live in a scope of their own: when one input
// ends, the takes of the others are withdrawn.

#include <concepts>
#include <functional>
#include <optional>
#include <type_traits>
#include <utility>
#include <variant>

#include "wherry/csp/combine.hpp"

namespace wherry {
namespace detail {

/// One input of a map: asked for a value, it gives one.
template <class T>
struct map_input {
  take_channel<T> from;
  channel<std::monostate> wanted{fixed{1}};
  channel<T> given{fixed{1}};
  std::optional<T> had{};
};

template <class T>
task<> take_when_wanted(take_channel<T> from, channel<std::monostate> wanted, put_channel<T> to) {
  const closing_end<T> end(to);
  while (co_await wanted.take()) {
    auto value = co_await from.take();
    if (!value) co_return;
    co_await to.put(std::move(*value));
  }
}

template <class R, class Function, class... T>
task<> map_rounds(scope* inside, Function function, put_channel<R> to, map_input<T>... inputs) {
  (inside->go(take_when_wanted<T>(inputs.from, inputs.wanted, inputs.given)), ...);
  for (;;) {
    bool complete = true;
    (inputs.wanted.offer(std::monostate{}), ...);
    ((complete = complete && (inputs.had = co_await inputs.given.take()).has_value()), ...);
    if (!complete) break;
    if (!co_await to.put(R(std::invoke(function, std::move(*inputs.had)...)))) break;
  }
  inside->cancel();
}

template <class R, class Function, class... T>
task<> map_all(Function function, put_channel<R> to, take_channel<T>... from) {
  const closing_end<R> end(to);
  co_await with_scope([&](scope& inside) {
    return map_rounds<R>(&inside, std::move(function), to, map_input<T>{from}...);
  });
}

}  // namespace detail

/// Gives function(a, b, …) for the first values of all channels, then for the second ones, and so
/// on; closes when one of them ends, and values that others gave in that round are dropped.
/// Source: core.async map.
template <class Function, taking... From>
  requires(sizeof...(From) > 0) && std::invocable<Function&, take_value_t<From>...>
auto map(output_options options, Function function, const From&... from) {
  using made = std::remove_cvref_t<std::invoke_result_t<Function&, take_value_t<From>...>>;
  channel<made> to{options.buffer};
  detail::start_in(options.in, detail::map_all<made, Function, take_value_t<From>...>(
                                   std::move(function), to, take_channel(from)...));
  return take_channel<made>(to);
}
template <class Function, taking... From>
  requires(sizeof...(From) > 0) && std::invocable<Function&, take_value_t<From>...>
auto map(Function function, const From&... from) {
  return map(output_options{}, std::move(function), from...);
}

}  // namespace wherry
