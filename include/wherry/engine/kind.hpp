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
//     static constexpr std::array upgrades{&name_the_currency};          // optional: shape.hpp
//   };
//
// A state without its exact step does not compile: an implicit conversion does not stand in for
// one.

#include <array>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <expected>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <variant>

#include "wherry/engine/codec.hpp"
#include "wherry/engine/outcome.hpp"
#include "wherry/engine/raw_kind.hpp"
#include "wherry/engine/shape.hpp"
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

template <class Kind>
concept has_upgrades = requires { Kind::upgrades; };
template <class Kind>
concept has_good_upgrades =
    !has_upgrades<Kind> || requires { std::span<const upgrade>(Kind::upgrades); };

template <class Kind>
constexpr std::span<const upgrade> upgrades_of() {
  if constexpr (has_upgrades<Kind>) {
    return Kind::upgrades;
  } else {
    return {};
  }
}

}  // namespace detail

/// What an engine drives. The last alternative of `state` is final and has no step.
template <class T>
concept machine_kind =
    requires {
      typename T::state;
      { T::name } -> std::convertible_to<std::string_view>;
    } && detail::states_of<typename T::state>::are_states &&
    detail::states_of<typename T::state>::have_distinct_tags() &&
    detail::states_of<typename T::state>::template have_steps<T>() && detail::has_good_upgrades<T>;

/// The newest shape that `Kind` knows: what it writes is of it.
template <machine_kind Kind>
inline constexpr auto shape_of = static_cast<std::int32_t>(detail::upgrades_of<Kind>().size());

/// Whether a state of `Kind` has that tag.
template <machine_kind Kind>
[[nodiscard]] constexpr bool has_state(std::string_view tag) {
  return []<class... States>(std::string_view wanted, std::type_identity<std::variant<States...>>) {
    return ((wanted == States::tag) || ...);
  }(tag, std::type_identity<typename Kind::state>{});
}

namespace detail {

template <class State, std::size_t Index = 0>
std::expected<State, unreadable> state_from(state_json json) {
  if constexpr (Index == states_of<State>::count) {
    return std::unexpected(of_unknown_tag(json.tag));
  } else {
    using now = typename states_of<State>::template at<Index>;
    if (json.tag != now::tag) return state_from<State, Index + 1>(std::move(json));
    auto value = decode_value<now>(std::move(json.data));
    if (!value) return std::unexpected(damaged(json.tag, value.error()));
    return State(std::move(*value));
  }
}

}  // namespace detail

/// The state of `Kind` that was stored, upgraded if it is of an older shape: what an engine gives
/// to a step, and what a test of stored samples looks at.
template <machine_kind Kind>
std::expected<typename Kind::state, unreadable> read_state(const stored_state& stored) {
  auto json = detail::read_json(stored, detail::upgrades_of<Kind>());
  if (!json) return std::unexpected(std::move(json.error()));
  return detail::state_from<typename Kind::state>(std::move(*json));
}

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
                        .shape = shape_of<Kind>,
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

  task<raw_outcome> run(stored_state stored, step_context context) override {
    auto now = read_state<Kind>(stored);
    if (!now) co_return not_run(std::move(now.error()));
    auto said = co_await std::visit(
        [&](auto& state) { return step(std::move(state), std::move(context)); }, *now);
    co_return std::visit([&](auto& each) { return raw(each); }, said.get());
  }

  [[nodiscard]] std::optional<raw_outcome> foreign(const stored_state& stored) const override {
    auto now = read_state<Kind>(stored);
    if (now || now.error().what != unreadable::kind::foreign) return std::nullopt;
    return not_run(std::move(now.error()));
  }

 private:
  using last = typename states::template at<states::count - 1>;

  template <class Now>
  task<outcome<state>> step(Now now, step_context context) {
    return kind_.step(std::move(now), std::move(context));
  }
  /// An upgrade made the final state of one that was not.
  task<outcome<state>> step(last now, step_context) { co_return state(std::move(now)); }

  static raw_outcome not_run(unreadable why) {
    return {.kind = outcome_kind::died,
            .error = std::move(why.why),
            .leaves_alone = why.what == unreadable::kind::foreign};
  }

  raw_outcome raw(state& next) const {
    return {.kind = outcome_kind::advanced, .next = encode_state(next)};
  }
  raw_outcome raw(go_back<state>& back) const {
    return {.kind = outcome_kind::went_back,
            .next = encode_state(back.to),
            .error = std::move(back.error),
            .until = back.until.value_or(system_time{}),
            .makes_way = back.until.has_value()};
  }
  raw_outcome raw(transient& failed) const {
    return {.kind = outcome_kind::retried, .error = std::move(failed.error), .wait = failed.wait};
  }
  raw_outcome raw(throttled& failed) const {
    return {
        .kind = outcome_kind::throttled, .error = std::move(failed.error), .until = failed.until};
  }
  raw_outcome raw(postponed& wait) const {
    return {.kind = outcome_kind::postponed, .error = std::move(wait.why), .until = wait.until};
  }
  raw_outcome raw(stops_lane& failed) const {
    return {.kind = outcome_kind::postponed,
            .error = std::move(failed.error),
            .until = failed.until,
            .by_our_limits = true,
            .stops_lane = true};
  }
  raw_outcome raw(permanent& failed) const {
    return {.kind = outcome_kind::died, .error = std::move(failed.error)};
  }

  Kind kind_;
};

}  // namespace detail
}  // namespace wherry
