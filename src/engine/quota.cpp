// SPDX-License-Identifier: Apache-2.0
// Counting calls by parts of a window.

#include "wherry/engine/quota.hpp"

#include <algorithm>
#include <utility>

#include "wherry/engine/codec.hpp"

namespace wherry::detail {

BOOST_DESCRIBE_STRUCT(quota_window::kept, (), (per_ms, newest, spent))

namespace {

constexpr std::chrono::milliseconds shortest{1};
constexpr std::chrono::milliseconds longest = std::chrono::days(366);

std::int64_t ceil_div(std::int64_t a, std::int64_t b) noexcept { return (a + b - 1) / b; }

/// As it is stored.
struct kept_windows {
  std::vector<quota_window::kept> windows;
};
BOOST_DESCRIBE_STRUCT(kept_windows, (), (windows))

}  // namespace

quota_window::quota_window(quota limit) noexcept
    : limit_{std::max<std::int64_t>(limit.calls, 1), std::clamp(limit.per, shortest, longest)},
      part_(ceil_div(limit_.per.count(), parts)),
      span_(ceil_div(limit_.per.count(), part_.count())) {}

std::int64_t quota_window::part_of(system_time at) const noexcept {
  const auto ms = at.time_since_epoch().count();
  return ms >= 0 ? ms / part_.count() : -ceil_div(-ms, part_.count());
}

system_time quota_window::begin_of(std::int64_t part) const noexcept {
  return system_time{part_ * part};
}

std::int64_t& quota_window::count(std::int64_t part) noexcept {
  const auto size = static_cast<std::int64_t>(ring_.size());
  return ring_[static_cast<std::size_t>(((part % size) + size) % size)];
}

std::int64_t quota_window::count(std::int64_t part) const noexcept {
  return const_cast<quota_window&>(*this).count(part);
}

// Forward: what falls out of the span is forgotten. Back: the parts follow the clock, so that each
// keeps its age; the newest two become one, for the calls of the older one may be that young.
void quota_window::move_to(std::int64_t part) noexcept {
  if (part > newest_) {
    const auto steps = std::min(part - newest_, span_ + 1);
    for (std::int64_t i = 0; i < steps; ++i) {
      auto& oldest = count(newest_ - span_ + i);
      sum_ -= std::exchange(oldest, 0);
    }
    newest_ = part;
  } else if (part < newest_) {
    std::array<std::int64_t, static_cast<std::size_t>(parts) + 1> ages{};  // by age, newest first
    for (std::int64_t age = 0; age <= span_; ++age) {
      ages[static_cast<std::size_t>(std::max<std::int64_t>(age - 1, 0))] += count(newest_ - age);
    }
    ring_ = {};
    newest_ = part;
    for (std::int64_t age = 0; age <= span_; ++age) {
      count(part - age) = ages[static_cast<std::size_t>(age)];
    }
  }
}

system_time quota_window::next_call(system_time now) noexcept {
  move_to(part_of(now));
  auto left = sum_;
  if (left < limit_.calls) return now;
  for (auto part = newest_ - span_; part <= newest_; ++part) {
    left -= count(part);
    if (left < limit_.calls) return begin_of(part + span_ + 1);
  }
  return begin_of(newest_ + span_ + 1);
}

void quota_window::spend(system_time now) noexcept {
  move_to(part_of(now));
  ++count(newest_);
  ++sum_;
}

void quota_window::give_back(system_time at) noexcept {
  const auto part = std::min(part_of(at), newest_);  // as the clock may have been set back since
  if (part < newest_ - span_ || count(part) == 0) return;
  --count(part);
  --sum_;
}

system_time quota_window::empty_at() const noexcept {
  if (sum_ == 0) return {};
  for (auto part = newest_;; --part) {
    if (count(part) > 0) return begin_of(part + span_ + 1);
  }
}

quota_window::kept quota_window::keep() const {
  kept counts{.per_ms = limit_.per.count(), .newest = newest_, .spent = {}};
  auto left = sum_;
  for (auto part = newest_; left > 0; --part) {
    counts.spent.push_back(count(part));
    left -= count(part);
  }
  return counts;
}

void quota_window::restore(const kept& counts) noexcept {
  const auto is_count = [](std::int64_t each) { return each >= 0 && each <= INT32_MAX; };
  if (counts.per_ms != limit_.per.count() || std::ssize(counts.spent) > span_ + 1 ||
      !std::ranges::all_of(counts.spent, is_count)) {
    return;
  }
  ring_ = {};
  sum_ = 0;
  newest_ = counts.newest;
  auto part = newest_;
  for (const auto each : counts.spent) {
    count(part--) = each;
    sum_ += each;
  }
}

std::string keep(const std::vector<quota_window>& windows) {
  kept_windows all;
  for (const auto& each : windows) {
    if (each.empty_at() != system_time{}) all.windows.push_back(each.keep());
  }
  return all.windows.empty() ? std::string() : encode(all);
}

void restore(std::vector<quota_window>& windows, std::string_view text) {
  if (text.empty()) return;
  const auto all = decode<kept_windows>(text);
  if (!all) return;
  for (auto& window : windows) {
    for (const auto& each : all->windows) {
      if (each.per_ms == window.limit().per.count()) window.restore(each);
    }
  }
}

}  // namespace wherry::detail
