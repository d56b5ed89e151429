// SPDX-License-Identifier: Apache-2.0
#pragma once
// Channels that are wrong on purpose, in the ways in which channels go wrong: so that it is known
// that the checker can find it. Each is the library's channel but for one rule.

#include <optional>
#include <utility>

#include "../reference/program.hpp"
#include "../reference/token.hpp"
#include "wherry/csp/channel.hpp"

namespace wherry::reference {

using sound_state = wherry::detail::channel_state<token>;
using wherry::detail::wake_list;
using outcome = wherry::detail::waiter::outcome;

/// A put that would have to wait says that it was accepted, and its value is gone.
struct loses_values : sound_state {
  using sound_state::sound_state;
  outcome try_put(token& value, wake_list& wakes) noexcept {
    const auto had = sound_state::try_put(value, wakes);
    if (had != outcome::none) return had;
    static_cast<void>(token(std::move(value)));
    return outcome::committed;
  }
};

/// What was taken goes in once more, if there is room.
struct doubles_values : sound_state {
  using sound_state::sound_state;
  outcome try_take(std::optional<token>& into, wake_list& wakes) noexcept {
    const auto had = sound_state::try_take(into, wakes);
    if (had == outcome::committed) {
      token again = *into;
      sound_state::try_put(again, wakes);
    }
    return had;
  }
};

/// A take does not see at once that a put waits: it waits, too.
struct misses_each_other : sound_state {
  using sound_state::sound_state;
  outcome try_take(std::optional<token>& into, wake_list& wakes) noexcept {
    return ++takes_ % 2 == 1 ? outcome::none : sound_state::try_take(into, wakes);
  }
  int takes_ = 0;
};

/// Closing throws away what is inside.
struct empties_on_close : sound_state {
  using sound_state::sound_state;
  void close_locked(wake_list& wakes) noexcept override {
    std::optional<token> lost;
    while (sound_state::try_take(lost, wakes) == outcome::committed) {}
    sound_state::close_locked(wakes);
  }
};

/// A closed channel with room lets values in.
struct accepts_when_closed : sound_state {
  using sound_state::sound_state;
  outcome try_put(token& value, wake_list& wakes) noexcept {
    const bool was = closed_.exchange(false);
    const auto had = sound_state::try_put(value, wakes);
    closed_ = was;
    return had == outcome::none && was ? outcome::closed : had;
  }
};

/// A put that is refused keeps its value: this one takes it all the same.
struct keeps_refused_values : sound_state {
  using sound_state::sound_state;
  outcome try_put(token& value, wake_list& wakes) noexcept {
    const auto had = sound_state::try_put(value, wakes);
    if (had == outcome::closed) static_cast<void>(token(std::move(value)));
    return had;
  }
};

/// The second value comes out before the first.
struct swaps_values : sound_state {
  using sound_state::sound_state;
  outcome try_take(std::optional<token>& into, wake_list& wakes) noexcept {
    const auto had = sound_state::try_take(into, wakes);
    std::optional<token> second;
    if (had == outcome::committed && sound_state::try_take(second, wakes) == outcome::committed) {
      token first = std::move(*into);
      into.emplace(std::move(*second));
      sound_state::try_put(first, wakes);
    }
    return had;
  }
};

/// The operations of a channel<token>, on another state.
template <class State>
class flawed_channel {
  struct port {
    State* state;
    [[nodiscard]] wherry::detail::channel_core& core() const noexcept { return *state; }
    // A guess that is never wrong to be tried.
    [[nodiscard]] static bool may_put() noexcept { return true; }
    [[nodiscard]] static bool may_take() noexcept { return true; }
    outcome try_put(token& value, wake_list& wakes) const noexcept {
      return state->try_put(value, wakes);
    }
    outcome try_take(std::optional<token>& into, wake_list& wakes) const noexcept {
      return state->try_take(into, wakes);
    }
  };
  [[nodiscard]] port where() const { return {state_.get()}; }

 public:
  explicit flawed_channel(wherry::detail::buffer_choice buffer) : state_(new State(buffer, 1024)) {}

  auto put(token&& value) const {
    return wherry::detail::put_operation<token, token&, port>(where(), value);
  }
  auto take() const { return wherry::detail::take_operation<token, port>(where()); }
  bool offer(token&& value) const {
    return wherry::detail::try_now(*state_.get(),
                                   [&](auto& wakes) { return state_->try_put(value, wakes); });
  }
  std::optional<token> poll() const {
    std::optional<token> value;
    wherry::detail::try_now(*state_.get(),
                            [&](auto& wakes) { return state_->try_take(value, wakes); });
    return value;
  }
  void close() const noexcept { state_->close(); }

 private:
  wherry::detail::core_handle<State> state_;
};

/// Makes such a channel, unbuffered or fixed.
template <class State>
auto make_flawed() {
  return [](const lane& wanted) {
    const bool buffered = wanted.kind == lane_kind::fixed;
    return flawed_channel<State>(buffered ? wherry::detail::buffer_choice(fixed{wanted.size})
                                          : wherry::detail::buffer_choice());
  };
}

}  // namespace wherry::reference
