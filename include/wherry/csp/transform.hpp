// SPDX-License-Identifier: Apache-2.0
#pragma once
// transform_channel<In, Out>: a channel with a transform on it. What is put is an In; what is taken
// is an Out: none, one or many for each In.
//
//   using namespace wherry::transforms;
//   const auto lines = transformed<std::string>(fixed{16}, map(parse) | filter(valid), on_error);
//   co_await lines.put("a;1");                    take_channel<row> rows = lines;
//
// The functions run inside the put, or inside a take that lets a parked put in, under the channel's
// lock. They must be short, must not block or suspend, and must use no channel; one that uses this
// channel ends the program with a sentence.
//
// Invariants, besides those of channel.hpp
// 1. Values are fed one at a time, in the order in which their puts committed.
// 2. One put may overfill a fixed buffer; the next waits until there is room again.
// 3. A transform that wants no more closes the channel: puts that wait are released with true, and
//    their values are gone, as they would be with a transform that lets nothing through.
// 4. A close flushes what the transform holds, once, after the last put that was let in.
// 5. Memory that runs out while the functions run ends the program.

#include <concepts>
#include <deque>
#include <exception>
#include <optional>
#include <utility>

#include "wherry/csp/direction.hpp"
#include "wherry/csp/transforms.hpp"

namespace wherry {

/// A handler of a transform's failures: drops what failed, and says nothing to anybody.
struct drop_failures_t {
  std::nullopt_t operator()(const std::exception_ptr&) const noexcept { return std::nullopt; }
};
/// For `transformed`: what failed is dropped.
inline constexpr drop_failures_t drop_failures;

namespace detail {

struct no_handler {};

template <class Handler, class Out>
concept failure_handler =
    std::invocable<Handler&, std::exception_ptr> &&
    std::convertible_to<std::invoke_result_t<Handler&, std::exception_ptr>, std::optional<Out>>;

template <class In, class Running, class Handler>
class transform_state final : public channel_core {
 public:
  using output = typename Running::output;
  using outcome = waiter::outcome;

  transform_state(any_buffer buffer, std::size_t limit, Running running, Handler handler)
      : channel_core(limit),
        buffer_(buffer),
        running_(std::move(running)),
        handler_(std::move(handler)) {}

  // Under the lock.
  outcome try_put(In& value, wake_list& wakes) noexcept {
    if (closed_) return outcome::closed;
    if (full()) return outcome::none;
    feed(value, wakes);
    serve_takers(wakes);
    return outcome::committed;
  }

  outcome try_take(std::optional<output>& into, wake_list& wakes) noexcept {
    if (out_.empty()) return closed_ ? outcome::closed : outcome::none;
    pop_into(into);
    let_putters_in(wakes);
    return outcome::committed;
  }

  // A full buffer may have putters before it: their values come before the flush.
  void close_locked(wake_list& wakes) noexcept override {
    closed_ = true;
    if (!full()) flush_once();
    serve_takers(wakes);
  }

 private:
  [[nodiscard]] bool full() const noexcept {
    return buffer_.kind == buffer_kind::fixed && out_.size() >= buffer_.size;
  }

  void add(output&& value) noexcept {
    if (buffer_.kind != buffer_kind::fixed && out_.size() >= buffer_.size) {
      if (buffer_.kind == buffer_kind::dropping) return;
      out_.pop_front();
    }
    out_.push_back(std::move(value));
  }

  void pop_into(std::optional<output>& into) noexcept {
    into.emplace(std::move(out_.front()));
    out_.pop_front();
  }

  /// Runs functions of the user.
  template <class Work>
  void guarded(Work work) noexcept {
    const user_code_under here(&lock_);
    if constexpr (std::same_as<Handler, no_handler>) {
      work();
    } else {
      try {
        work();
      } catch (...) {
        std::optional<output> instead = handler_(std::current_exception());
        if (instead) add(std::move(*instead));
      }
    }
  }

  void feed(In& value, wake_list& wakes) noexcept {
    bool wants_more = true;
    guarded([&] {
      In fed(std::move(value));  // the put has committed, whatever the functions do
      auto sink = [this](output&& made) noexcept { return add(std::move(made)), true; };
      wants_more = running_.feed(std::move(fed), sink);
    });
    if (!wants_more) end(wakes);
  }

  void flush_once() noexcept {
    if (std::exchange(flushed_, true)) return;
    auto sink = [this](output&& made) noexcept { return add(std::move(made)), true; };
    running_.flush(sink, [this](auto work) { this->guarded(work); });
  }

  void end(wake_list& wakes) noexcept {
    closed_ = true;
    while (waiter* const putter = putters_.pop_claimed()) {
      static_cast<void>(In(std::move(*static_cast<put_waiter<In>*>(putter)->value)));
      putter->result = outcome::committed;
      wakes.add(*putter);
    }
    flush_once();
  }

  void let_putters_in(wake_list& wakes) noexcept {
    while (!full()) {
      waiter* const putter = putters_.pop_claimed();
      if (putter == nullptr) {
        if (closed_) flush_once();
        return;
      }
      feed(*static_cast<put_waiter<In>*>(putter)->value, wakes);
      putter->result = outcome::committed;
      wakes.add(*putter);
    }
  }

  void serve_takers(wake_list& wakes) noexcept {
    while (!out_.empty()) {
      waiter* const taker = takers_.pop_claimed();
      if (taker == nullptr) return;
      pop_into(static_cast<take_waiter<output>*>(taker)->value);
      taker->result = outcome::committed;
      wakes.add(*taker);
    }
    if (closed_) channel_core::close_locked(wakes);
  }

  const any_buffer buffer_;
  bool flushed_ = false;
  std::deque<output> out_;
  Running running_;
  [[no_unique_address]] Handler handler_;
};

}  // namespace detail

/// Both sides of a channel that carries In on one side and Out on the other. A handle: copies are
/// the same channel. Made by `transformed`.
template <class In, class Out>
class transform_channel {
 public:
  /// As channel<In>::put; true also for a value of which the transform makes nothing.
  auto put(In&& value) const { return in_.put(std::move(value)); }
  auto put(const In& value) const
    requires std::copy_constructible<In>
  {
    return in_.put(value);
  }
  /// As channel<In>::offer.
  bool offer(In&& value) const { return in_.offer(std::move(value)); }
  bool offer(const In& value) const
    requires std::copy_constructible<In>
  {
    return in_.offer(value);
  }
  /// Lets nothing more in; what is inside still comes out, and after it what the transform holds.
  void close() const noexcept { in_.close(); }

  /// As channel<Out>::take.
  auto take() const { return out_.take(); }
  /// As channel<Out>::poll.
  std::optional<Out> poll() const { return out_.poll(); }

  /// Either side alone, as of a channel.
  operator put_channel<In>() const noexcept { return in_; }
  operator take_channel<Out>() const noexcept { return out_; }
  /// Whether both are the same channel.
  friend bool operator==(const transform_channel& a, const transform_channel& b) noexcept {
    return a.in_ == b.in_;
  }

  /// Takes over one reference to `state`.
  template <class State>
  transform_channel(detail::adopt_t, State* state) noexcept
      : in_(detail::adopt, state), out_(detail::adopt, (state->retain(), state)) {}

 private:
  put_channel<In> in_;
  take_channel<Out> out_;
};

template <class In, class Out>
put_channel(transform_channel<In, Out>) -> put_channel<In>;
template <class In, class Out>
take_channel(transform_channel<In, Out>) -> take_channel<Out>;

/// Makes a channel of In with a transform on it. `on_error` gets the exception of a function that
/// threw and gives a value to add in its place, or none; it must not throw. Source: core.async chan
/// with a transducer and an ex-handler; there what failed without a handler is dropped.
/// Requires: a buffer (fixed, dropping, sliding); a handler, unless all functions are noexcept.
template <class In, class Buffer, class... Stages, class Handler = detail::no_handler>
auto transformed(Buffer buffer, transforms::chain<Stages...> transform, Handler on_error = {},
                 waiters_limit limit = {}) {
  using running = transforms::detail::running<In, Stages...>;
  using output = typename running::output;
  static_assert(std::same_as<Buffer, fixed> || std::same_as<Buffer, dropping> ||
                    std::same_as<Buffer, sliding>,
                "a transform needs a buffer to put its results in: fixed, dropping or sliding");
  static_assert(
      std::is_nothrow_move_constructible_v<In> && std::is_nothrow_move_constructible_v<output>,
      "what a channel carries must move without throwing");
  if constexpr (std::same_as<Handler, detail::no_handler>) {
    static_assert(
        running::never_throws,
        "a function of this transform may throw: give transformed() a handler of failures "
        "(drop_failures drops them), or declare the function noexcept");
  } else {
    static_assert(detail::failure_handler<Handler, output>,
                  "a handler of failures takes a std::exception_ptr and gives an optional value");
  }
  using state = detail::transform_state<In, running, Handler>;
  return transform_channel<In, output>(
      detail::adopt, new state(buffer, limit.count, transforms::detail::start<In>(transform),
                               std::move(on_error)));
}

}  // namespace wherry
