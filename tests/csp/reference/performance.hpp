// SPDX-License-Identifier: Apache-2.0
#pragma once
// Carries out a program on real channels and notes its history.
//
// Each process gives way to the others between two operations, so that a scheduler can put anything
// there. Under virtual time a phase ends when nothing can go on, and that instant is noted; on
// threads nobody can tell, and the next phase begins a moment later; there a millisecond of a
// deadline is five microseconds.
//
// Threads: the processes share the channels and one counter that orders nothing but itself, so that
// a sanitizer sees the channels as they are.

#include <algorithm>
#include <array>
#include <atomic>
#include <deque>
#include <functional>
#include <utility>
#include <vector>

#include "either_case.hpp"
#include "history.hpp"
#include "wherry/csp/scheduler.hpp"
#include "wherry/csp/scope.hpp"

namespace wherry::reference {

/// Lets others run.
struct give_way {
  bool await_ready() const noexcept { return false; }
  void await_suspend(std::coroutine_handle<> caller) const noexcept {
    scheduler::current().post(caller);
  }
  void await_resume() const noexcept {}
};

/// The channel of the library that a lane describes.
inline channel<token> real_channel(const lane& wanted) {
  switch (wanted.kind) {
    case lane_kind::rendezvous: break;
    case lane_kind::fixed: return channel<token>(fixed{wanted.size});
    case lane_kind::dropping: return channel<token>(dropping{wanted.size});
    case lane_kind::sliding: return channel<token>(sliding{wanted.size});
    case lane_kind::promise: return channel<token>(promise{});
  }
  return channel<token>();
}

struct performance_options {
  /// Whether the scheduler's time is virtual: it passes when nothing can run.
  bool on_virtual_time = true;
  /// On threads: how often others may go on before the next phase begins.
  int patience = 100;
  /// Called when a phase begins.
  std::function<void(int)> before_phase = [](int) {};
  /// Called before a fair select.
  std::function<void()> before_draw = [] {};
};

/// Plays once: `co_await performance<...>(...).play()`. Requires: outlives it.
template <class Channel>
class performance {
 public:
  template <class Make>
  performance(const program& played, const Make& make, performance_options options)
      : program_(played), options_(std::move(options)) {
    for (const auto& each : played.lanes) lanes_.push_back(make(each));
    seen_.processes.resize(played.processes.size());
    for (std::size_t who = 0; who < played.processes.size(); ++who) {
      seen_.processes[who].reserve(played.processes[who].actions.size());
    }
  }

  task<> play() {
    home_ = &scheduler::current();
    for (std::size_t each = 0; each < program_.processes.size(); ++each) scopes_.emplace_back();
    const int last = program_.processes.empty() ? 0 : program_.processes.back().phase;
    for (int phase = 0; phase <= last; ++phase) {
      options_.before_phase(phase);
      for (std::size_t who = 0; who < program_.processes.size(); ++who) {
        if (program_.processes[who].phase != phase) continue;
        if (program_.processes[who].after_all) co_await join_all();
        scopes_[who].go(run(who));
      }
      if (options_.on_virtual_time) {
        co_await timeout(std::chrono::hours(1)).take();
        seen_.quiet.push_back({stamp(), now_ms()});
      } else {
        for (int each = 0; each < options_.patience; ++each) co_await give_way{};
      }
    }
    co_await join_all();
    seen_.stamps = stamps_.load();
  }

  [[nodiscard]] history seen() && { return std::move(seen_); }

 private:
  using one_case = either_case<Channel>;

  task<> join_all() {
    for (auto& each : scopes_) co_await each.join();
  }

  task<> run(std::size_t who) {
    const auto& actions = program_.processes[who].actions;
    if (!options_.on_virtual_time && program_.processes[who].phase == 0) co_await line_up();
    for (std::size_t step = 0; step < actions.size(); ++step) {
      if (step > 0) co_await give_way{};
      const action& now = actions[step];
      std::array<token, most_arms> mine = load(now);
      auto& note = seen_.processes[who].emplace_back();
      note.what = &now;
      note.called_ms = now_ms();
      note.called = stamp();
      try {
        note.had = co_await carry_out(now, mine);
      } catch (const cancelled&) {
        note.had = {.how = ending::cancelled};
      }
      note.returned = stamp();
      note.returned_ms = now_ms();
      note.kept_values = kept_rightly(now, mine, note.had);
      if (note.had.how == ending::cancelled) break;
    }
  }

  /// Waits until all of the first phase are there and two threads run them: else they would have
  /// ended one after the other before a second thread wakes.
  task<> line_up() {
    ++lined_up_;
    const auto wanted = std::ranges::count(program_.processes, 0, &script::phase);
    while (wanted > 1) {  // one alone would stay where it is
      const void* const here = &wherry::detail::this_thread;
      const void* first = nullptr;
      if (!first_thread_.compare_exchange_strong(first, here) && first != here) two_threads_ = true;
      if (two_threads_ && lined_up_ == wanted) co_return;
      co_await give_way{};
    }
  }

  task<answer> carry_out(const action& now, std::array<token, most_arms>& mine) {
    switch (now.what) {
      case verb::put: {
        const bool accepted = co_await at(now).put(std::move(mine[0]));
        co_return answer{.how = accepted ? ending::accepted : ending::refused};
      }
      case verb::take: co_return one_case::taken(co_await at(now).take());
      case verb::offer: {
        const bool accepted = at(now).offer(std::move(mine[0]));
        co_return answer{.how = accepted ? ending::accepted : ending::unready};
      }
      case verb::poll: {
        const auto had = at(now).poll();
        co_return had ? one_case::taken(had) : answer{.how = ending::unready};
      }
      case verb::close: lanes_[now.target].close(); co_return answer{};
      case verb::cancel: scopes_[now.target].cancel(); co_return answer{};
      case verb::select: break;
    }
    if (now.how == manner::priority) co_return co_await select_among(now, mine, priority);
    if (now.how == manner::or_default) co_return co_await select_among(now, mine, or_default);
    options_.before_draw();
    co_return co_await select_among(now, mine);
  }

  template <class... Manner>
  task<answer> select_among(const action& now, std::array<token, most_arms>& mine,
                            Manner... manner) {
    const auto nth = [&](std::size_t which) { return case_of(now.arms[which], mine[which]); };
    switch (now.count) {
      case 1: co_return told(co_await select(manner..., nth(0)));
      case 2: co_return told(co_await select(manner..., nth(0), nth(1)));
      case 3: co_return told(co_await select(manner..., nth(0), nth(1), nth(2)));
      default: co_return told(co_await select(manner..., nth(0), nth(1), nth(2), nth(3)));
    }
  }

  template <class... Each>
  static answer told(const std::variant<Each...>& won) {
    answer had = std::visit(
        []<class One>(const One& one) {
          if constexpr (std::is_same_v<One, answer>) return one;
          return answer{.how = ending::unready};
        },
        won);
    if (had.how != ending::unready) had.arm = static_cast<std::uint8_t>(won.index());
    return had;
  }

  one_case case_of(const arm& wanted, token& mine) {
    switch (wanted.what) {
      case side::put: return one_case(lanes_[wanted.lane], mine);
      case side::take: return one_case(lanes_[wanted.lane]);
      case side::deadline: break;
    }
    if (options_.on_virtual_time) return one_case(std::chrono::milliseconds(wanted.value));
    return one_case(std::chrono::microseconds(5 * wanted.value));
  }

  [[nodiscard]] const Channel& at(const action& now) const { return lanes_[now.arms[0].lane]; }

  static std::array<token, most_arms> load(const action& now) {
    std::array<token, most_arms> mine;
    for (std::size_t each = 0; each < now.count; ++each) {
      if (now.arms[each].what == side::put) mine[each] = token(now.arms[each].value);
    }
    return mine;
  }

  static bool kept_rightly(const action& now, const std::array<token, most_arms>& mine,
                           const answer& had) {
    for (std::size_t each = 0; each < now.count; ++each) {
      if (now.arms[each].what != side::put) continue;
      const bool gone = had.how == ending::accepted && had.arm == each;
      if (mine[each].holds() == gone) return false;
    }
    return true;
  }

  // Neither the compiler nor x86 moves other memory accesses across it; to a sanitizer it orders
  // nothing.
  long stamp() noexcept {
    std::atomic_signal_fence(std::memory_order_seq_cst);
    const long now = stamps_.fetch_add(1, std::memory_order_relaxed);
    std::atomic_signal_fence(std::memory_order_seq_cst);
    return now;
  }
  [[nodiscard]] std::int64_t now_ms() const {
    if (!options_.on_virtual_time) return 0;
    return std::chrono::floor<std::chrono::milliseconds>(home_->now().time_since_epoch()).count();
  }

  const program& program_;
  performance_options options_;
  scheduler* home_ = nullptr;
  std::vector<Channel> lanes_;
  std::deque<scope> scopes_;
  history seen_;
  std::atomic<long> stamps_{0};
  std::atomic<long> lined_up_{0};
  std::atomic<const void*> first_thread_{nullptr};
  std::atomic<bool> two_threads_{false};
};

/// Plays `wanted` on the channels that `make` makes; what was seen.
template <class Make>
history perform(scheduler& home, const program& wanted, const Make& make,
                performance_options options = {}) {
  using made = decltype(make(lane{}));
  performance<made> once(wanted, make, std::move(options));
  home.run(once.play());
  return std::move(once).seen();
}

}  // namespace wherry::reference
