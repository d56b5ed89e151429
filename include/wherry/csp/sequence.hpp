// SPDX-License-Identifier: Apache-2.0
#pragma once
// onto, to_channel, take_n: from a range to a channel, and the beginning of one.

#include <algorithm>
#include <cstddef>
#include <ranges>
#include <utility>
#include <variant>

#include "wherry/csp/combine.hpp"

namespace wherry {
namespace detail {

template <class T, class Range>
task<> put_range(Range range, put_channel<T> to, bool closes, channel<std::monostate> done) {
  const closing_end<std::monostate> ended(done);
  const closing_end<T> end(to, closes);
  for (auto&& each : range) {
    // What the range holds was made for this; what it only refers to stays as it is.
    constexpr bool moves = !std::ranges::view<Range> && std::same_as<decltype(each), T&>;
    if constexpr (moves) {
      if (!co_await to.put(std::move(each))) co_return;
    } else {
      if (!co_await to.put(T(each))) co_return;
    }
  }
}

template <class T>
task<> take_some(std::size_t count, take_channel<T> from, put_channel<T> to) {
  const closing_end<T> end(to);
  for (; count > 0; --count) {
    auto value = co_await from.take();
    if (!value || !co_await to.put(std::move(*value))) co_return;
  }
}

}  // namespace detail

/// Puts the elements of `range` into `to`, then closes it if `.closes`; a `to` that is closed
/// meanwhile ends it. Gives a channel that closes when that is done.
/// Requires: the range is copied or moved in; what a view refers to lives as long.
/// Source: core.async onto-chan!.
template <std::ranges::input_range Range, putting To>
take_channel<std::monostate> onto(const To& to, Range range, filling_options options = {}) {
  channel<std::monostate> done;
  detail::start_in(options.in, detail::put_range<put_value_t<To>>(std::move(range), put_channel(to),
                                                                  options.closes, done));
  return done;
}

/// Gives the elements of `range` on a channel, and then its end. The buffer is by default that of
/// core.async: as many as there are, 100 at most.
/// Requires: as onto. Source: core.async to-chan!.
template <std::ranges::input_range Range>
auto to_channel(Range range, output_options options = {}) {
  using value = std::ranges::range_value_t<Range>;
  std::size_t size = 100;
  if constexpr (std::ranges::sized_range<Range>) {
    size = std::clamp<std::size_t>(std::ranges::size(range), 1, size);
  }
  channel<value> to{options.buffer.size == 0 ? any_buffer(fixed{size}) : options.buffer};
  onto(to, std::move(range), {.in = options.in});
  return take_channel<value>(to);
}

/// Gives the first `count` values of `from`, then closes; earlier if `from` ends. Takes no more
/// than it gives. Source: core.async take.
template <taking From>
auto take_n(std::size_t count, const From& from, output_options options = {}) {
  using value = take_value_t<From>;
  channel<value> to{options.buffer};
  detail::start_in(options.in, detail::take_some<value>(count, take_channel(from), to));
  return take_channel<value>(to);
}

}  // namespace wherry
