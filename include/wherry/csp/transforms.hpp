// SPDX-License-Identifier: Apache-2.0
#pragma once
// Transforms: what happens to values on their way, apart from any channel. Composed by `|`, left
// first; transform.hpp puts one on a channel, pipeline.hpp runs one on many values at once.
//
//   using namespace wherry::transforms;
//   const auto wanted = filter([](const row& r) noexcept { return r.cost > 0; }) | partition(100);
//
// A chain is a description, and copyable as its functions are; what counts or collects begins anew
// wherever it is used. A function gets its value as an rvalue; a predicate gets it const.
//
// Source: Clojure's transducers (map, filter, take, mapcat, partition-all, …), as core.async uses
// them.

#include <concepts>
#include <cstddef>
#include <functional>
#include <optional>
#include <ranges>
#include <tuple>
#include <utility>
#include <vector>

#include "wherry/csp/assert.hpp"
#include "wherry/csp/transform_stage.hpp"

namespace wherry::transforms {

/// Some stages, one after the other.
template <class... Stages>
struct chain {
  std::tuple<Stages...> stages;
};

/// First the left one, then the right one.
template <class... First, class... Then>
chain<First..., Then...> operator|(chain<First...> first, chain<Then...> then) {
  return {std::tuple_cat(std::move(first.stages), std::move(then.stages))};
}

/// Gives function(value) for each value.
template <class Function>
chain<detail::mapping<Function>> map(Function function) {
  return {{{std::move(function)}}};
}

/// Lets through what `wanted` holds of.
template <class Predicate>
chain<detail::filtering<Predicate>> filter(Predicate wanted) {
  return {{{std::move(wanted)}}};
}

/// Lets `count` values through and then wants no more: the channel closes.
inline chain<detail::taking_some> take_n(std::size_t count) { return {{{count}}}; }

/// Lets values through up to the first that `wanted` does not hold of, then wants no more.
template <class Predicate>
chain<detail::taking_while<Predicate>> take_while(Predicate wanted) {
  return {{{std::move(wanted)}}};
}

/// Drops the first `count` values.
inline chain<detail::dropping_some> drop_n(std::size_t count) { return {{{count}}}; }

/// Drops values up to the first that `unwanted` does not hold of.
template <class Predicate>
chain<detail::dropping_while<Predicate>> drop_while(Predicate unwanted) {
  return {{{std::move(unwanted)}}};
}

/// Gives each element of function(value), a range: none, one or many (Clojure's mapcat).
template <class Function>
chain<detail::expanding<Function>> expand(Function function) {
  return {{{std::move(function)}}};
}

/// Gives std::vectors of `size` values; the last may be shorter. Requires: size > 0.
inline chain<detail::partitioning> partition(std::size_t size) {
  WHERRY_ASSERT(size > 0, "a part of no values never comes to an end");
  return {{{size}}};
}

/// Gives std::vectors of neighbours of which `key` is the same.
template <class Key>
chain<detail::partitioning_by<Key>> partition_by(Key key) {
  return {{{std::move(key)}}};
}

/// Drops a value that equals the one before it. Requires: values that copy and compare.
inline chain<detail::deduping> dedupe() { return {}; }

/// Keeps `total = function(total, value)`, from `initial`, and gives a copy after each value.
template <class Function, std::copy_constructible Total>
chain<detail::scanning<Function, Total>> scan(Function function, Total initial) {
  return {{{std::move(function), std::move(initial)}}};
}

/// What a chain makes of values of type In.
template <class In, class Chain>
using output_t = typename detail::running_t<In, Chain>::output;

/// Whether no function of the chain can throw.
template <class In, class Chain>
inline constexpr bool never_throws = detail::running_t<In, Chain>::never_throws;

}  // namespace wherry::transforms
