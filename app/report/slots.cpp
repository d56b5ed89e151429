// SPDX-License-Identifier: Apache-2.0
#include "report/slots.hpp"

#include "report/states.hpp"

namespace wherry::app {
namespace {

constexpr auto compare_every = std::chrono::seconds(30);

}  // namespace

bool remote_slots::take(const std::string& lane, const std::string& report, system_time now) {
  const std::lock_guard lock(mutex_);
  if (compared_ == system_time{}) compare(now);
  auto& all = held_[lane];
  if (!all.contains(report) && all.size() >= most_ && now - compared_ >= compare_every) {
    compare(now);
  }
  auto& after = held_[lane];
  if (!after.contains(report) && after.size() >= most_) return false;
  after.insert(report);
  asking_.insert_or_assign(report, now);
  return true;
}

void remote_slots::heard(const transition& of) {
  if (of.from != requestable::tag && of.from != pending::tag) return;
  const std::lock_guard lock(mutex_);
  asking_.erase(of.id);
  const bool is_pending =
      of.to == pending::tag && (of.phase == phase::waiting || of.phase == phase::ready);
  if (is_pending) return;
  for (auto& [lane, reports] : held_) reports.erase(of.id);
}

// Those that are about to be pending stay.
void remote_slots::compare(system_time now) {
  compared_ = now;
  auto seen = look_();
  if (!seen) return;
  std::erase_if(asking_, [&](const auto& each) { return now - each.second > longest_request_; });
  for (const auto& [lane, reports] : held_) {
    for (const auto& each : reports) {
      if (asking_.contains(each)) (*seen)[lane].insert(each);
    }
  }
  held_ = *std::move(seen);
}

}  // namespace wherry::app
