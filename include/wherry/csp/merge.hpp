// SPDX-License-Identifier: Apache-2.0
#pragma once
// merge: one channel with the values of many.

#include <algorithm>
#include <concepts>
#include <cstddef>
#include <memory>
#include <ranges>
#include <utility>
#include <vector>

#include "wherry/csp/combine.hpp"

namespace wherry {
namespace detail {

template <class T>
task<> merge_one(take_channel<T> from, put_channel<T> to, std::shared_ptr<closing_end<T>> last) {
  const auto held = std::move(last);  // whoever lets go last closes
  while (auto value = co_await from.take()) {
    if (!co_await to.put(std::move(*value))) break;
  }
}

template <class T>
take_channel<T> merge_all(std::vector<take_channel<T>> from, const output_options& options) {
  channel<T> to{options.buffer, {std::max(waiters_limit{}.count, from.size())}};
  const auto last = std::make_shared<closing_end<T>>(to);
  for (auto& each : from) {
    start_in(options.in, merge_one<T>(std::move(each), to, last));
  }
  return to;
}

}  // namespace detail

/// Gives all values of all channels, each channel's in its order, and closes after the last has
/// ended. A process an input: up to one value of each is on its way while nobody takes.
/// Source: core.async merge.
template <std::ranges::input_range Channels>
  requires taking<std::ranges::range_value_t<Channels>>
auto merge(const Channels& from, output_options options = {}) {
  std::vector<take_channel<take_value_t<std::ranges::range_value_t<Channels>>>> all;
  for (const auto& each : from) all.emplace_back(each);
  return detail::merge_all(std::move(all), options);
}

/// The same of channels by name: `merge(ships, trains)`.
template <taking First, taking... Rest>
  requires(std::same_as<take_value_t<First>, take_value_t<Rest>> && ...)
auto merge(output_options options, const First& first, const Rest&... rest) {
  std::vector<take_channel<take_value_t<First>>> all;
  (all.emplace_back(first), ..., all.emplace_back(rest));
  return detail::merge_all(std::move(all), options);
}
template <taking First, taking... Rest>
  requires(std::same_as<take_value_t<First>, take_value_t<Rest>> && ...)
auto merge(const First& first, const Rest&... rest) {
  return merge(output_options{}, first, rest...);
}

}  // namespace wherry
