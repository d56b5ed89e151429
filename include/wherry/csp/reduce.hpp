// SPDX-License-Identifier: Apache-2.0
#pragma once
// reduce, transduce, into: one value out of all that a channel gives.

#include <concepts>
#include <functional>
#include <utility>

#include "wherry/csp/combine.hpp"
#include "wherry/csp/transforms.hpp"

namespace wherry {

/// What the function of a reduce may give instead of the total: the total, and whether that is
/// enough. Then no more is taken.
template <class Total>
struct reduced {
  Total total;
  bool enough = true;
};

namespace detail {

template <class Total>
bool keep(Total& total, Total&& next) {
  total = std::move(next);
  return true;
}
template <class Total>
bool keep(Total& total, reduced<Total>&& next) {
  total = std::move(next.total);
  return !next.enough;
}

template <class T, class Running, class Function, class Total>
task<> reduce_all(Running running, Function function, Total total, take_channel<T> from,
                  put_channel<Total> to) {
  const closing_end<Total> end(to);
  auto sink = [&](typename Running::output&& value) {
    return keep(total, std::invoke(function, std::move(total), std::move(value)));
  };
  bool more = true;
  while (more) {
    auto value = co_await from.take();
    if (!value) break;
    more = running.feed(std::move(*value), sink);
  }
  auto flush_sink = [&](typename Running::output&& value) {
    return more = more && sink(std::move(value));
  };
  running.flush(flush_sink, [](auto work) { work(); });
  to.offer(std::move(total));
}

}  // namespace detail

/// As reduce below, over what `transform` makes of the values. Source: core.async transduce.
template <class... Stages, class Function, class Total, taking From>
take_channel<Total> transduce(transforms::chain<Stages...> transform, Function function,
                              Total initial, const From& from, process_options options = {}) {
  using value = take_value_t<From>;
  channel<Total> to{fixed{1}};
  auto work =
      detail::reduce_all<value>(transforms::detail::start<value>(transform), std::move(function),
                                std::move(initial), take_channel(from), put_channel<Total>(to));
  detail::start_in(options.in, std::move(work));
  return to;
}

/// Gives function(… function(function(initial, a), b) …, z) on a channel that then closes; it is
/// `initial` if `from` is closed and empty. The function may give a `reduced` to end early. A
/// reduce that fails or is cancelled closes the channel without a value.
/// Source: core.async reduce.
template <class Function, class Total, taking From>
take_channel<Total> reduce(Function function, Total initial, const From& from,
                           process_options options = {}) {
  return transduce(transforms::chain<>{}, std::move(function), std::move(initial), from, options);
}

/// Adds all values to `container`, at its end if it has one, and gives it. Source: core.async into.
template <class Container, taking From>
take_channel<Container> into(Container container, const From& from, process_options options = {}) {
  return reduce(
      [](Container all, take_value_t<From> value) {
        all.insert(all.end(), std::move(value));
        return all;
      },
      std::move(container), from, options);
}

}  // namespace wherry
