// SPDX-License-Identifier: Apache-2.0
// Paying for calls of steps that are under way: first come, first served, lane by lane.

#include <utility>

#include "lane_entry.hpp"
#include "wherry/csp/select.hpp"
#include "wherry/csp/timeout.hpp"
#include "wherry/engine/lane_board.hpp"

namespace wherry::detail {

/// A call's place in its lane's line, given up however the wait ends.
class lane_board::place_in_line {
 public:
  place_in_line(lane_board& board, const std::string& lane) : board_(board) {
    const std::lock_guard guard(board_.mutex_);
    lane_ = &board_.entry_of(lane);
    refuse_if_stopped(*lane_, now());
    if (lane_->calls_waiting == 0 && board_.try_call(*lane_, now())) return;
    waits_ = true;
    ++lane_->calls_waiting;
    if (lane_->line) return;
    // As many may wait as there are calls of steps in flight: the window bounds the steps.
    lane_->line = channel<std::monostate>{fixed{1}, {UINT32_MAX}};
    lane_->line->offer({});
  }
  place_in_line(const place_in_line&) = delete;
  place_in_line& operator=(const place_in_line&) = delete;
  ~place_in_line() {
    if (!waits_) return;
    bool changes = false;
    {
      const std::lock_guard guard(board_.mutex_);
      if (is_first_) lane_->line->offer({});
      if (--lane_->calls_waiting == 0) changes = board_.wake_on_event(*lane_);
    }
    if (changes) board_.changed_.offer(std::monostate{});
  }

  [[nodiscard]] bool waits() const noexcept { return waits_; }
  [[nodiscard]] channel<std::monostate> line() const { return *lane_->line; }
  void become_first() noexcept { is_first_ = true; }

  /// Pays, or says when to ask again.
  [[nodiscard]] std::optional<system_time> try_pay() {
    const std::lock_guard guard(board_.mutex_);
    refuse_if_stopped(*lane_, now());
    if (board_.try_call(*lane_, now())) return std::nullopt;
    return lane_->limit.next_call(now());
  }
  [[nodiscard]] system_time next_call() {
    const std::lock_guard guard(board_.mutex_);
    refuse_if_stopped(*lane_, now());
    return lane_->limit.next_call(now());
  }

 private:
  static system_time now() { return scheduler::current().system_now(); }

  lane_board& board_;
  entry* lane_ = nullptr;
  bool waits_ = false;
  bool is_first_ = false;
};

bool lane_board::try_call(entry& each, system_time now) {
  if (!each.limit.try_call(now)) return false;
  if (each.limit.has_memory()) paid_.insert(each.name);
  return true;
}

// Once the time has come a call is one of those that try it.
void lane_board::refuse_if_stopped(const entry& each, system_time now) {
  if (each.stopped_by.empty() || now >= each.stopped_until) return;
  throw call_refused{each.stopped_by, each.stopped_until};
}

void lane_board::refuse_if_stopped(std::string_view lane) {
  const std::lock_guard guard(mutex_);
  const auto found = lanes_.find(lane);
  if (found != lanes_.end()) refuse_if_stopped(found->second, scheduler::current().system_now());
}

task<> lane_board::pay(std::string lane) {
  place_in_line place(*this, lane);
  if (!place.waits()) co_return;
  const auto give_up = time_after(scheduler::current().now(), options_.call_wait);
  const auto chosen = co_await select(priority, place.line().take(), timeout_at(give_up).take());
  if (chosen.index() == 1) throw call_postponed{place.next_call()};
  place.become_first();
  while (const auto next = place.try_pay()) {
    const auto wait = *next - scheduler::current().system_now();
    if (time_after(scheduler::current().now(), wait) > give_up) throw call_postponed{*next};
    co_await timeout(wait).take();
  }
}

}  // namespace wherry::detail
