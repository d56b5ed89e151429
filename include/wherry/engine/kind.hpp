// SPDX-License-Identifier: Apache-2.0
#pragma once
// A kind of machine: its states and its steps, checked at compile time, and the bridge between them
// and the engine's core, which knows only names and JSON.
//
//   struct report {
//     static constexpr std::string_view name = "report";
//     using state = std::variant<downloadable, uploadable, completed>;   // the last one is final
//     task<outcome<state>> step(downloadable now, step_context context);
//     task<outcome<state>> step(uploadable now, step_context context);
//     std::string lane(const downloadable& now) const;                   // optional
//   };
//
// A state without its exact step does not compile: an implicit conversion does not stand in for
// one.

#include <array>
#include <concepts>
#include <cstddef>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <variant>

#include "wherry/engine/codec.hpp"
#include "wherry/engine/outcome.hpp"
#include "wherry/engine/raw_kind.hpp"
#include "wherry/engine/step_context.hpp"

namespace wherry {

/// A state: a described plain struct with a declared name, which the store keeps.
template <class T>
concept machine_state = detail::described<T> && requires {
  { T::tag } -> std::convertible_to<std::string_view>;
};

namespace detail {

// By the type of the member, not by a call: a call would also accept what a state converts to.
template <class Kind, class State>
concept has_step = requires {
  static_cast<task<outcome<typename Kind::state>> (Kind::*)(State, step_context)>(&Kind::step);
} || requires {
  static_cast<task<outcome<typename Kind::state>> (Kind::*)(State, step_context) const>(
      &Kind::step);
};

template <class Variant>
struct states_of;
template <class... States>
struct states_of<std::variant<States...>> {
  static constexpr std::size_t count = sizeof...(States);
  template <std::size_t Index>
  using at = std::variant_alternative_t<Index, std::variant<States...>>;

  static constexpr bool are_states = (machine_state<States> && ...);
  static consteval bool have_distinct_tags() {
    const std::array<std::string_view, count> tags{States::tag...};
    for (std::size_t i = 0; i < count; ++i) {
      for (std::size_t j = i + 1; j < count; ++j) {
        if (tags[i] == tags[j]) return false;
      }
    }
    return true;
  }
  template <class Kind>
  static consteval bool have_steps() {
    return []<std::size_t... Index>(std::index_sequence<Index...>) {
      return (has_step<Kind, at<Index>> && ...);
    }(std::make_index_sequence<count - 1>{});
  }
};

}  // namespace detail

/// What an engine drives. The last alternative of `state` is final and has no step.
template <class T>
concept machine_kind =
    requires {
      typename T::state;
      { T::name } -> std::convertible_to<std::string_view>;
    } && detail::states_of<typename T::state>::are_states &&
    detail::states_of<typename T::state>::have_distinct_tags() &&
    detail::states_of<typename T::state>::template have_steps<T>();

namespace detail {

/// A typed kind, seen by the core as names and JSON.
template <machine_kind Kind>
class typed_kind final : public raw_kind {
  using state = typename Kind::state;
  using states = states_of<state>;

 public:
  explicit typed_kind(Kind kind) : kind_(std::move(kind)) {}

  [[nodiscard]] Kind& get() noexcept { return kind_; }

  raw_state encode_state(const state& value) const {
    return std::visit(
        [&]<class State>(const State& now) {
          raw_state raw{.tag = std::string(State::tag),
                        .data = encode(now),
                        .lane = std::string(State::tag),
                        .rank = static_cast<std::int32_t>(value.index()),
                        .is_final = value.index() == states::count - 1};
          if constexpr (requires {
                          { kind_.lane(now) } -> std::convertible_to<std::string>;
                        }) {
            raw.lane = kind_.lane(now);
          }
          return raw;
        },
        value);
  }

  task<raw_outcome> run(std::string tag, std::string data, step_context context) override {
    return run_state<0>(std::move(tag), std::move(data), std::move(context));
  }

  std::expected<state, std::string> decode_state(std::string_view tag,
                                                 std::string_view data) const {
    return decode_from<0>(tag, data);
  }

 private:
  template <std::size_t Index>
  task<raw_outcome> run_state(std::string tag, std::string data, step_context context) {
    if constexpr (Index + 1 < states::count) {
      using now = typename states::template at<Index>;
      if (tag == now::tag) return run_step<now>(std::move(data), std::move(context));
      return run_state<Index + 1>(std::move(tag), std::move(data), std::move(context));
    } else {
      return unknown(std::move(tag));
    }
  }

  template <class Now>
  task<raw_outcome> run_step(std::string data, step_context context) {
    auto now = decode<Now>(data);
    if (!now) {
      co_return raw_outcome{.kind = outcome_kind::died,
                            .error = "the stored state \"" + std::string(Now::tag) +
                                     "\" cannot be read: " + now.error()};
    }
    auto said = co_await kind_.step(std::move(*now), std::move(context));
    co_return std::visit([&](auto& each) { return raw(each); }, said.get());
  }

  static task<raw_outcome> unknown(std::string tag) {
    co_return raw_outcome{.kind = outcome_kind::died,
                          .error = "no step for the stored state \"" + tag +
                                   "\": the program that wrote it knows more states than this one"};
  }

  raw_outcome raw(state& next) const {
    return {.kind = outcome_kind::advanced, .next = encode_state(next)};
  }
  raw_outcome raw(go_back<state>& back) const {
    return {.kind = outcome_kind::went_back,
            .next = encode_state(back.to),
            .error = std::move(back.error)};
  }
  raw_outcome raw(transient& failed) const {
    return {.kind = outcome_kind::retried, .error = std::move(failed.error), .wait = failed.wait};
  }
  raw_outcome raw(throttled& failed) const {
    return {
        .kind = outcome_kind::throttled, .error = std::move(failed.error), .until = failed.until};
  }
  raw_outcome raw(permanent& failed) const {
    return {.kind = outcome_kind::died, .error = std::move(failed.error)};
  }

  template <std::size_t Index>
  std::expected<state, std::string> decode_from(std::string_view tag, std::string_view data) const {
    if constexpr (Index == states::count) {
      return std::unexpected("unknown state \"" + std::string(tag) + "\"");
    } else {
      using now = typename states::template at<Index>;
      if (tag != now::tag) return decode_from<Index + 1>(tag, data);
      auto value = decode<now>(data);
      if (!value) return std::unexpected(std::move(value.error()));
      return state(std::move(*value));
    }
  }

  Kind kind_;
};

}  // namespace detail
}  // namespace wherry
