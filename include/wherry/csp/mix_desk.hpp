// SPDX-License-Identifier: Apache-2.0
#pragma once
// The desk of a mix: which inputs there are, and what is done with each; and the processes that
// keep to it. See mix.hpp.

#include <algorithm>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <utility>
#include <variant>
#include <vector>

#include "wherry/csp/combine.hpp"
#include "wherry/csp/select.hpp"

namespace wherry {

/// What to do with an input of a mix. A soloed one is heard, whatever else is said of it.
struct mix_toggles {
  bool mute = false;   // taken, and dropped
  bool pause = false;  // not taken
  bool solo = false;   // only soloed ones are heard
};
/// What to change: `{.mute = true}`.
struct mix_change {
  std::optional<bool> mute{};
  std::optional<bool> pause{};
  std::optional<bool> solo{};
};
/// What happens to the others while some input is soloed.
enum class solo_others : std::uint8_t { muted, paused };

namespace detail {

enum class mix_state : std::uint8_t { heard, muted, paused, removed };

template <class T>
struct mix_input {
  explicit mix_input(take_channel<T> input) : from(std::move(input)) {}
  take_channel<T> from;
  channel<std::monostate> changed{sliding{1}};
  mix_toggles toggles{};
  bool removed = false;
};

template <class T>
struct mixed_value {
  T value;
  std::shared_ptr<mix_input<T>> of;
};

/// Threads: any.
template <class T>
class mix_desk {
 public:
  using entry = std::shared_ptr<mix_input<T>>;

  /// Applies `change` to the toggles of an input, which is added if need be.
  template <class Change>
  void set(const take_channel<T>& from, Change change) {
    const std::lock_guard guard(mutex_);
    if (ended_) return;
    auto found = find(from);
    if (found == all_.end()) {
      all_.push_back(std::make_shared<mix_input<T>>(from));
      admitted_.push_back(all_.back());
      found = all_.end() - 1;
    }
    const bool soloed = (*found)->toggles.solo;
    change((*found)->toggles);
    if (soloed != (*found)->toggles.solo) {
      soloed ? --solos_ : ++solos_;
      tell_all();
    } else {
      (*found)->changed.offer(std::monostate{});
    }
    admission_.offer(std::monostate{});
  }
  void remove(const take_channel<T>& from) {
    const std::lock_guard guard(mutex_);
    if (const auto found = find(from); found != all_.end()) erase(found);
  }
  void remove(const entry& input) {
    const std::lock_guard guard(mutex_);
    if (const auto found = std::ranges::find(all_, input); found != all_.end()) erase(found);
  }
  void remove_all() {
    const std::lock_guard guard(mutex_);
    while (!all_.empty()) erase(all_.end() - 1);
  }
  void set_solo_mode(solo_others mode) {
    const std::lock_guard guard(mutex_);
    mode_ = mode;
    tell_all();
  }
  void end() {
    remove_all();
    const std::lock_guard guard(mutex_);
    ended_ = true;
  }

  [[nodiscard]] mix_state state_of(const mix_input<T>& input) const {
    const std::lock_guard guard(mutex_);
    if (input.removed) return mix_state::removed;
    if (input.toggles.solo) return mix_state::heard;
    if (solos_ > 0) return mode_ == solo_others::muted ? mix_state::muted : mix_state::paused;
    if (input.toggles.pause) return mix_state::paused;
    return input.toggles.mute ? mix_state::muted : mix_state::heard;
  }
  /// Has a value when there are inputs that have no process yet.
  [[nodiscard]] const channel<std::monostate>& admission() const { return admission_; }
  [[nodiscard]] std::vector<entry> take_admitted() {
    const std::lock_guard guard(mutex_);
    return std::exchange(admitted_, {});
  }

 private:
  auto find(const take_channel<T>& from) {
    return std::ranges::find_if(all_, [&](const entry& each) { return each->from == from; });
  }
  void erase(typename std::vector<entry>::iterator found) {
    const entry gone = std::move(*found);
    all_.erase(found);
    gone->removed = true;
    gone->changed.offer(std::monostate{});
    if (gone->toggles.solo && --solos_ == 0) tell_all();
  }
  void tell_all() {
    for (const auto& each : all_) each->changed.offer(std::monostate{});
  }

  mutable std::mutex mutex_;
  std::vector<entry> all_;
  std::vector<entry> admitted_;
  std::size_t solos_ = 0;
  solo_others mode_ = solo_others::muted;
  bool ended_ = false;
  channel<std::monostate> admission_{sliding{1}};
};

template <class T>
task<> mix_one(std::shared_ptr<mix_input<T>> input, std::shared_ptr<mix_desk<T>> desk,
               channel<mixed_value<T>> to) {
  for (;;) {
    const auto state = desk->state_of(*input);
    if (state == mix_state::removed) co_return;
    if (state == mix_state::paused) {
      co_await input->changed.take();
      continue;
    }
    auto won = co_await select(priority, input->changed.take(), input->from.take());
    if (won.index() == 0) continue;
    auto& value = std::get<1>(won);
    if (!value) break;
    if (desk->state_of(*input) == mix_state::muted) continue;
    co_await to.put(mixed_value<T>{std::move(*value), input});
  }
  desk->remove(input);
}

template <class T>
task<> mix_values(scope* inside, put_channel<T> out, std::shared_ptr<mix_desk<T>> desk) {
  // As many putters as there are inputs.
  channel<mixed_value<T>> line{waiters_limit{UINT32_MAX}};
  for (bool open = true; open;) {
    auto won = co_await select(priority, desk->admission().take(), line.take());
    if (won.index() == 0) {
      for (auto& each : desk->take_admitted()) inside->go(mix_one<T>(std::move(each), desk, line));
      continue;
    }
    auto& mixed = std::get<1>(won);
    if (desk->state_of(*mixed->of) != mix_state::muted) {
      open = co_await out.put(std::move(mixed->value));
    }
  }
  inside->cancel();
}

/// Ends the desk when the process does, however that is.
template <class T>
class desk_end {
 public:
  explicit desk_end(std::shared_ptr<mix_desk<T>> desk) : desk_(std::move(desk)) {}
  desk_end(const desk_end&) = delete;
  desk_end& operator=(const desk_end&) = delete;
  ~desk_end() { desk_->end(); }

 private:
  std::shared_ptr<mix_desk<T>> desk_;
};

template <class T>
task<> mix_all(put_channel<T> out, std::shared_ptr<mix_desk<T>> desk) {
  const desk_end<T> end(desk);
  co_await with_scope([&](scope& inside) { return mix_values<T>(&inside, out, desk); });
}

}  // namespace detail
}  // namespace wherry
