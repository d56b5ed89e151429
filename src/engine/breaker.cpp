// SPDX-License-Identifier: Apache-2.0
#include "wherry/engine/breaker.hpp"

#include <algorithm>
#include <limits>

namespace wherry::detail {

breaker::breaker(breaker_limits limits) noexcept : limits_(limits) {
  constexpr std::chrono::milliseconds one{1}, year = std::chrono::days(366);
  limits_.longest = std::clamp(limits_.longest, one, year);
  limits_.open_for = std::clamp(limits_.open_for, one, limits_.longest);
}

bool breaker::is_open() const noexcept {
  return limits_.failures > 0 && failures_ >= limits_.failures;
}

std::chrono::milliseconds breaker::time_open() const noexcept {
  auto time = limits_.open_for;
  for (auto i = limits_.failures; i < failures_ && time < limits_.longest; ++i) time *= 2;
  return std::min(time, limits_.longest);
}

// Keeps what it says of time within what a clock that was set back allows.
void breaker::look(system_time now) noexcept {
  if (is_open()) open_until_ = std::min(open_until_, now + time_open());
  news_ = std::min(news_, now);
  if (!probing_ && failures_ > 0 && now >= forgotten_at()) failures_ = 0;
}

bool breaker::allows(system_time now) noexcept {
  look(now);
  return !is_open() || (now >= open_until_ && !probing_);
}

std::optional<system_time> breaker::next(system_time now) noexcept {
  look(now);
  if (!is_open()) return now;
  if (probing_) return std::nullopt;
  return std::max(now, open_until_);
}

bool breaker::pass() noexcept {
  probing_ = is_open();
  return probing_;
}

void breaker::succeeded(bool is_probe) noexcept {
  if (is_open() && !is_probe) return;
  failures_ = 0;
  probing_ = false;
  open_until_ = {};
}

void breaker::failed(bool is_probe, system_time now) noexcept {
  if (limits_.failures <= 0) return;
  look(now);
  if (is_open() && !is_probe) return;
  if (failures_ < std::numeric_limits<std::int32_t>::max()) ++failures_;
  probing_ = false;
  news_ = now;
  if (is_open()) open_until_ = now + time_open();
}

void breaker::neither(bool is_probe) noexcept {
  if (is_probe) probing_ = false;
}

void breaker::restore(kept state, system_time now) noexcept {
  failures_ = limits_.failures > 0 ? std::max(state.failures, 0) : 0;
  open_until_ = state.open_until;
  news_ = now;
  probing_ = false;
}

system_time breaker::forgotten_at() const noexcept {
  if (failures_ == 0) return {};
  return std::max(news_, is_open() ? open_until_ : system_time{}) + limits_.longest;
}

}  // namespace wherry::detail
