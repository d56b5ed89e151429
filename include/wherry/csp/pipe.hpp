// SPDX-License-Identifier: Apache-2.0
#pragma once
// pipe: lets all values of one channel run into another.

#include <concepts>
#include <utility>

#include "wherry/csp/combine.hpp"

namespace wherry {
namespace detail {

template <class From, class To>
task<> pipe_all(take_channel<From> from, put_channel<To> to, bool closes) {
  const closing_end<To> end(to, closes);
  while (auto value = co_await from.take()) {
    if (!co_await to.put(To(std::move(*value)))) break;
  }
}

}  // namespace detail

/// Puts into `to` what it takes from `from`. Closes `to` when `from` ends, if `.closes`; stops at
/// the first value that a closed `to` refuses, and that value is dropped.
/// Source: core.async pipe.
template <taking From, putting To>
  requires std::constructible_from<put_value_t<To>, take_value_t<From>>
void pipe(const From& from, const To& to, filling_options options = {}) {
  detail::start_in(options.in,
                   detail::pipe_all(take_channel(from), put_channel(to), options.closes));
}

}  // namespace wherry
