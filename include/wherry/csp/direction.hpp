// SPDX-License-Identifier: Apache-2.0
#pragma once
// One side of a channel: put_channel<T> can only put and close, take_channel<T> can only take. A
// function that takes one of them says what it does with the channel, and cannot do otherwise.
//
//   task<> produce(put_channel<int> to);          channel<int> numbers;
//   task<> consume(take_channel<int> from);       produce(numbers), consume(numbers)
//
// Handles as channel<T> is: copyable, safe from any thread, and the channel lives as long as one of
// them. A channel turns into either side by itself, a side never into the other or into both. What
// is behind one may carry another type on its other side (transform.hpp), so an operation goes
// through a function pointer.

#include <concepts>
#include <optional>
#include <utility>

#include "wherry/csp/channel.hpp"

namespace wherry {
namespace detail {

template <class T>
struct put_port {
  channel_core* of;
  waiter::outcome (*put)(channel_core&, T&, wake_list&) noexcept;
  [[nodiscard]] channel_core& core() const noexcept { return *of; }
  waiter::outcome try_put(T& value, wake_list& wakes) const noexcept {
    return put(*of, value, wakes);
  }
  [[nodiscard]] static bool may_put() noexcept { return true; }
};

template <class T>
struct take_port {
  channel_core* of;
  waiter::outcome (*take)(channel_core&, std::optional<T>&, wake_list&) noexcept;
  [[nodiscard]] channel_core& core() const noexcept { return *of; }
  waiter::outcome try_take(std::optional<T>& into, wake_list& wakes) const noexcept {
    return take(*of, into, wakes);
  }
  [[nodiscard]] static bool may_take() noexcept { return true; }
};

template <class T, class State>
waiter::outcome put_into(channel_core& core, T& value, wake_list& wakes) noexcept {
  return static_cast<State&>(core).try_put(value, wakes);
}
template <class T, class State>
waiter::outcome take_from(channel_core& core, std::optional<T>& into, wake_list& wakes) noexcept {
  return static_cast<State&>(core).try_take(into, wakes);
}

/// Takes over one reference to a state made elsewhere.
struct adopt_t {};
inline constexpr adopt_t adopt;

}  // namespace detail

/// The side where values go in. Made of a channel<T>, or of what has such a side (transform.hpp).
template <class T>
class put_channel {
  using port = detail::put_port<T>;

 public:
  using value_type = T;

  put_channel(const channel<T>& both) noexcept
      : core_(both.state_), put_(detail::put_into<T, detail::channel_state<T>>) {}
  template <class State>
  put_channel(detail::adopt_t, State* state) noexcept
      : core_(state), put_(detail::put_into<T, State>) {}

  /// As channel<T>::put: the value stays with the caller unless it commits; of an lvalue, a copy.
  auto put(T&& value) const { return detail::put_operation<T, T&, port>(where(), value); }
  auto put(const T& value) const
    requires std::copy_constructible<T>
  {
    return detail::put_operation<T, T, port>(where(), T(value));
  }
  /// As channel<T>::offer.
  bool offer(T&& value) const {
    return detail::try_now(*core_.get(),
                           [&](auto& wakes) { return where().try_put(value, wakes); });
  }
  bool offer(const T& value) const
    requires std::copy_constructible<T>
  {
    return offer(T(value));
  }
  /// As channel<T>::close. It is for this side to say that nothing more will come.
  void close() const noexcept { core_->close(); }

  /// Whether both lead into the same channel.
  friend bool operator==(const put_channel& a, const put_channel& b) noexcept {
    return a.core_.get() == b.core_.get();
  }

 private:
  [[nodiscard]] port where() const noexcept { return {core_.get(), put_}; }
  detail::core_handle<detail::channel_core> core_;
  decltype(port::put) put_;
};

/// The side where values come out. Made of a channel<T>, or of what has such a side. It cannot
/// close: a reader that has enough lets its scope cancel who writes, or tells him by a channel.
template <class T>
class take_channel {
  using port = detail::take_port<T>;

 public:
  using value_type = T;

  take_channel(const channel<T>& both) noexcept
      : core_(both.state_), take_(detail::take_from<T, detail::channel_state<T>>) {}
  template <class State>
  take_channel(detail::adopt_t, State* state) noexcept
      : core_(state), take_(detail::take_from<T, State>) {}

  /// As channel<T>::take.
  auto take() const { return detail::take_operation<T, port>(where()); }
  /// As channel<T>::poll.
  std::optional<T> poll() const {
    std::optional<T> value;
    detail::try_now(*core_.get(), [&](auto& wakes) { return where().try_take(value, wakes); });
    return value;
  }

  /// Whether both lead out of the same channel.
  friend bool operator==(const take_channel& a, const take_channel& b) noexcept {
    return a.core_.get() == b.core_.get();
  }

 private:
  [[nodiscard]] port where() const noexcept { return {core_.get(), take_}; }
  detail::core_handle<detail::channel_core> core_;
  decltype(port::take) take_;
};

template <class T>
put_channel(channel<T>) -> put_channel<T>;
template <class T>
take_channel(channel<T>) -> take_channel<T>;

/// What values can be put into: whatever a put_channel can be made of.
template <class Channel>
concept putting = requires(const Channel& to) { put_channel(to); };
/// What can be put into it.
template <putting Channel>
using put_value_t = typename decltype(put_channel(std::declval<const Channel&>()))::value_type;

/// What values can be taken from: whatever a take_channel can be made of.
template <class Channel>
concept taking = requires(const Channel& from) { take_channel(from); };
/// What can be taken from it.
template <taking Channel>
using take_value_t = typename decltype(take_channel(std::declval<const Channel&>()))::value_type;

}  // namespace wherry
