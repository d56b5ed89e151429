// SPDX-License-Identifier: Apache-2.0
#pragma once
// mult<T>: every value of one channel to each of many. Taps come and go at any time.
//
//   const mult all{prices};                       all.tap(log), all.tap(chart); … all.untap(chart);
//
// Every tap must accept a value before the next is taken: the slowest sets the pace, and a buffer
// on a tap (sliding, perhaps) gives it slack. Without a tap, values are dropped.
//
// How: one process takes. What a tap can accept at once it gets at once; for the others a process
// each puts, in a scope that is joined before the next value.

#include <algorithm>
#include <concepts>
#include <memory>
#include <mutex>
#include <utility>
#include <variant>
#include <vector>

#include "wherry/csp/combine.hpp"
#include "wherry/csp/select.hpp"

namespace wherry {

/// What becomes of a tap, or of a subscriber (pub.hpp), at the end.
struct tap_options {
  /// Whether the tap is closed when the source ends.
  bool closes = true;
};

namespace detail {

template <class T>
struct one_tap {
  put_channel<T> to;
  bool closes;
  channel<std::monostate> gone;  // closes when it is untapped
};

/// The taps of a mult. Threads: any. The list is replaced, never changed: who goes through it does
/// so in peace.
template <class T>
class tap_set {
 public:
  using list = std::vector<one_tap<T>>;

  void add(const put_channel<T>& to, bool closes) {
    std::unique_lock guard(mutex_);
    if (ended_) {
      guard.unlock();
      if (closes) to.close();
      return;
    }
    auto changed = without(to);
    changed->push_back({to, closes, {}});
    all_ = std::move(changed);
  }
  /// Gives how many are left.
  std::size_t remove(const put_channel<T>& to) {
    const std::lock_guard guard(mutex_);
    auto changed = without(to);
    for (const auto& each : *all_) {
      if (each.to == to) each.gone.close();
    }
    all_ = std::move(changed);
    return all_->size();
  }
  void remove_all() {
    const std::lock_guard guard(mutex_);
    for (const auto& each : *all_) each.gone.close();
    all_ = std::make_shared<const list>();
  }
  void end() {
    std::unique_lock guard(mutex_);
    ended_ = true;
    const auto last = std::exchange(all_, std::make_shared<const list>());
    guard.unlock();
    for (const auto& each : *last) {
      if (each.closes) each.to.close();
    }
  }
  [[nodiscard]] std::shared_ptr<const list> now() const {
    const std::lock_guard guard(mutex_);
    return all_;
  }

 private:
  std::shared_ptr<list> without(const put_channel<T>& to) const {
    auto changed = std::make_shared<list>();
    std::ranges::copy_if(*all_, std::back_inserter(*changed),
                         [&](const auto& each) { return !(each.to == to); });
    return changed;
  }

  mutable std::mutex mutex_;
  bool ended_ = false;
  std::shared_ptr<const list> all_ = std::make_shared<const list>();
};

/// Ends the taps when the process does, however that is.
template <class T>
class taps_end {
 public:
  explicit taps_end(std::shared_ptr<tap_set<T>> taps) : taps_(std::move(taps)) {}
  taps_end(const taps_end&) = delete;
  taps_end& operator=(const taps_end&) = delete;
  ~taps_end() { taps_->end(); }

 private:
  std::shared_ptr<tap_set<T>> taps_;
};

template <class T>
task<> put_to_tap(one_tap<T> tap, T value, std::shared_ptr<tap_set<T>> taps) {
  const auto won = co_await select(tap.to.put(std::move(value)), tap.gone.take());
  if (won.index() == 0 && !std::get<0>(won)) taps->remove(tap.to);
}

template <class T>
task<> fan_out(take_channel<T> from, std::shared_ptr<tap_set<T>> taps) {
  const taps_end<T> end(taps);
  while (auto value = co_await from.take()) {
    const auto all = taps->now();
    std::vector<const one_tap<T>*> slow;
    for (const auto& each : *all) {
      if (!each.to.offer(std::as_const(*value))) slow.push_back(&each);
    }
    if (slow.size() == 1) {
      co_await put_to_tap<T>(*slow[0], std::move(*value), taps);
    } else if (slow.size() > 1) {
      co_await with_scope([&](scope& inside) -> task<> {
        for (const auto* each : slow) inside.go(put_to_tap<T>(*each, *value, taps));
        co_return;
      });
    }
  }
}

}  // namespace detail

/// A handle: copies are the same mult. It runs until its source ends, also without handles.
template <std::copy_constructible T>
class mult {
 public:
  /// Begins to take from `source`. Source: core.async mult.
  template <taking From>
  explicit mult(const From& source, process_options options = {})
      : taps_(std::make_shared<detail::tap_set<T>>()) {
    detail::start_in(options.in, detail::fan_out<T>(take_channel(source), taps_));
  }

  /// Adds a tap: it gets the values taken from now on. A tap that is found closed is removed; one
  /// that is added after the source ended is closed at once, if `.closes`. Threads: any.
  template <putting To>
  void tap(const To& to, tap_options options = {}) const {
    taps_->add(put_channel(to), options.closes);
  }
  /// Takes a tap away, also out of a put that waits for it. It is not closed. Threads: any.
  template <putting To>
  void untap(const To& to) const {
    taps_->remove(put_channel(to));
  }
  /// Takes all taps away; none is closed. Threads: any.
  void untap_all() const { taps_->remove_all(); }

 private:
  std::shared_ptr<detail::tap_set<T>> taps_;
};

template <taking From>
mult(const From&) -> mult<take_value_t<From>>;
template <taking From>
mult(const From&, process_options) -> mult<take_value_t<From>>;

}  // namespace wherry
