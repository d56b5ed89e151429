// SPDX-License-Identifier: Apache-2.0
// The rules of channels, one after the other.

#include "model.hpp"

#include <algorithm>

namespace wherry::reference {

model::model(const program& of) : parts_(of.processes.size()) {
  for (const auto& each : of.lanes)
    lanes_.push_back({.plan = each, .buffer = {}, .putters = {}, .takers = {}});
}

bool model::request(std::size_t who, const action& what, std::size_t preferred,
                    std::int64_t now_ms) {
  part& asking = parts_[who];
  asking.had.reset();
  if (what.what == verb::close || what.what == verb::cancel) {
    what.what == verb::close ? close(lanes_[what.target]) : cancel(what.target);
    asking.had = answer{};
    return true;
  }
  const auto cases = what.cases();
  std::size_t chosen = cases.size();
  for (std::size_t each = cases.size(); each-- > 0;) {
    if (is_ready(cases[each])) chosen = each;
  }
  if (chosen < cases.size() && what.what == verb::select && what.how != manner::priority) {
    if (preferred >= cases.size() || !is_ready(cases[preferred])) return false;
    chosen = preferred;
  }
  if (chosen < cases.size()) {
    asking.had = commit(cases[chosen]);
    asking.had->arm = static_cast<std::uint8_t>(chosen);
    const bool is_try = what.what == verb::offer || what.what == verb::poll;
    if (is_try && (asking.had->how == ending::refused || asking.had->how == ending::ended)) {
      asking.had->how = ending::unready;
    }
  } else if (!what.waits()) {
    asking.had = answer{.how = ending::unready, .arm = 0};
  } else if (asking.cancelled) {
    asking.had = answer{.how = ending::cancelled};
  } else {
    park(who, what, now_ms);
  }
  return true;
}

bool model::is_ready(const arm& one) const {
  if (one.what == side::deadline) return false;  // none is of zero
  const auto& at = lanes_[one.lane];
  if (at.closed) return true;
  if (one.what == side::take) return !at.buffer.empty() || !at.putters.empty();
  const bool unbounded = at.plan.kind != lane_kind::rendezvous && at.plan.kind != lane_kind::fixed;
  return unbounded || !at.takers.empty() || at.buffer.size() < at.plan.size;
}

answer model::commit(const arm& one) {
  auto& at = lanes_[one.lane];
  return one.what == side::put ? put(at, one.value) : take(at);
}

answer model::put(lane_state& into, int value) {
  if (into.closed) return {.how = ending::refused};
  const answer accepted{.how = ending::accepted};
  if (into.plan.kind == lane_kind::promise) {
    if (into.buffer.empty()) {
      into.buffer.push_back(value);
      while (!into.takers.empty()) {
        const waiter first = into.takers.front();
        wake(first.who, {ending::taken, first.arm, value});
      }
    }
    return accepted;
  }
  if (!into.takers.empty()) {
    const waiter first = into.takers.front();
    wake(first.who, {ending::taken, first.arm, value});
    return accepted;
  }
  if (into.buffer.size() < into.plan.size) {
    into.buffer.push_back(value);
  } else if (into.plan.kind == lane_kind::sliding) {
    into.buffer.erase(into.buffer.begin());
    into.buffer.push_back(value);
  }  // dropping: that was it
  return accepted;
}

answer model::take(lane_state& from) {
  if (from.plan.kind == lane_kind::promise) {
    if (from.buffer.empty()) return {.how = ending::ended};
    return {.how = ending::taken, .arm = 0, .value = from.buffer.front()};
  }
  // As if all who wait to put stood in line behind the buffer.
  answer had{.how = ending::ended};
  if (!from.buffer.empty()) {
    had = {.how = ending::taken, .arm = 0, .value = from.buffer.front()};
    from.buffer.erase(from.buffer.begin());
  }
  if (!from.putters.empty()) {
    const waiter first = from.putters.front();
    if (had.how == ending::taken) {
      from.buffer.push_back(first.value);
    } else {
      had = {.how = ending::taken, .arm = 0, .value = first.value};
    }
    wake(first.who, {ending::accepted, first.arm, 0});
  }
  return had;
}

void model::close(lane_state& which) {
  which.closed = true;
  while (!which.takers.empty()) {
    const waiter first = which.takers.front();
    wake(first.who, {ending::ended, first.arm, 0});
  }
}

void model::cancel(std::size_t who) {
  parts_[who].cancelled = true;
  if (is_parked(who)) wake(who, {.how = ending::cancelled});
}

void model::advance(std::int64_t now_ms) {
  for (std::size_t who = 0; who < parts_.size(); ++who) {
    if (!is_parked(who)) continue;
    const auto cases = parts_[who].asks->cases();
    for (std::size_t each = 0; each < cases.size(); ++each) {
      if (cases[each].what == side::deadline &&
          parts_[who].asked_ms + cases[each].value <= now_ms) {
        wake(who, {.how = ending::timed_out, .arm = static_cast<std::uint8_t>(each)});
        break;
      }
    }
  }
}

void model::park(std::size_t who, const action& what, std::int64_t now_ms) {
  parts_[who].asks = &what;
  parts_[who].asked_ms = now_ms;
  const auto cases = what.cases();
  for (std::size_t each = 0; each < cases.size(); ++each) {
    const auto& one = cases[each];
    if (one.what == side::deadline) continue;
    auto& at = lanes_[one.lane];
    (one.what == side::put ? at.putters : at.takers)
        .push_back({who, static_cast<std::uint8_t>(each), one.value});
  }
}

void model::wake(std::size_t who, answer with) {
  for (const auto& one : parts_[who].asks->cases()) {
    if (one.what == side::deadline) continue;
    const auto is_it = [&](const waiter& each) { return each.who == who; };
    std::erase_if(lanes_[one.lane].putters, is_it);
    std::erase_if(lanes_[one.lane].takers, is_it);
  }
  parts_[who].asks = nullptr;
  parts_[who].had = with;
}

}  // namespace wherry::reference
