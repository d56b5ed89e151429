// SPDX-License-Identifier: Apache-2.0
#pragma once
// mix<T>: a mixing desk. Inputs come and go, each can be muted (its values are taken and dropped),
// paused (nothing is taken) or soloed (only soloed inputs are heard) while it runs.
//
//   const mix desk{out};                          desk.admix(a), desk.admix(b);
//   desk.toggle(a, {.mute = true});               desk.solo_mode(solo_others::paused);
//
// How: a process for each input, and one that puts into `out`. What an input had taken when it was
// paused or unmixed, one value at most, still comes; what it had taken when it was muted does not.

#include <algorithm>
#include <concepts>
#include <memory>
#include <utility>
#include <variant>

#include "wherry/csp/mix_desk.hpp"

namespace wherry {

/// A handle: copies are the same mix. It runs until `out` is found closed; it never closes it.
template <class T>
class mix {
 public:
  /// Begins to put into `out`. Source: core.async mix.
  template <putting To>
  explicit mix(const To& out, process_options options = {})
      : desk_(std::make_shared<detail::mix_desk<T>>()) {
    detail::start_in(options.in, detail::mix_all<T>(put_channel(out), desk_));
  }

  /// Adds an input, neither muted, paused nor soloed. One that ends is removed. Threads: any.
  template <taking From>
  void admix(const From& from) const {
    desk_->set(take_channel(from), [](mix_toggles&) {});
  }
  /// Takes an input away. Threads: any.
  template <taking From>
  void unmix(const From& from) const {
    desk_->remove(take_channel(from));
  }
  /// Takes all inputs away. Threads: any.
  void unmix_all() const { desk_->remove_all(); }

  /// Changes what is named in `change`; an input that is not there yet is added so.
  /// Threads: any. Source: core.async toggle.
  template <taking From>
  void toggle(const From& from, mix_change change) const {
    desk_->set(take_channel(from), [&](mix_toggles& now) {
      now.mute = change.mute.value_or(now.mute);
      now.pause = change.pause.value_or(now.pause);
      now.solo = change.solo.value_or(now.solo);
    });
  }
  /// What is done with the others while some input is soloed. Threads: any.
  void solo_mode(solo_others mode) const { desk_->set_solo_mode(mode); }

 private:
  std::shared_ptr<detail::mix_desk<T>> desk_;
};

template <putting To>
mix(const To&) -> mix<put_value_t<To>>;
template <putting To>
mix(const To&, process_options) -> mix<put_value_t<To>>;

}  // namespace wherry
