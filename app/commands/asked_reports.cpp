// SPDX-License-Identifier: Apache-2.0
#include "commands/asked_reports.hpp"

#include <algorithm>
#include <utility>

#include "commands/pages.hpp"
#include "spec/closing.hpp"

namespace wherry::app {

backlog_request daily_range(const spec& of, int look_back, std::chrono::sys_seconds now) {
  const auto then = now - std::chrono::ceil<std::chrono::seconds>(of.delay);
  std::chrono::sys_days first = std::chrono::sys_days::max(), last = std::chrono::sys_days::min();
  for (const auto& each : of.clients) {
    const std::chrono::sys_days newest{newest_ended(then, each.timezone)};
    first = std::min(first, newest - std::chrono::days(look_back));
    last = std::max(last, newest);
  }
  return {.from = to_string(day{first}), .to = to_string(day{last}), .clients = {}};
}

asked_reports::asked_reports(backlog wanted, const std::vector<client>& clients)
    : wanted_(std::move(wanted)), clients_(clients) {
  for (std::size_t i = 0; i < clients.size(); ++i) client_index_.emplace(clients[i].id, i);
}

const client& asked_reports::client_of(std::size_t index) const {
  return clients_[wanted_[index].client];
}

std::string asked_reports::day_of(std::size_t index) const { return to_string(wanted_[index].day); }

std::string asked_reports::id_of(std::size_t index) const {
  return to_string(wanted_[index], clients_);
}

bool asked_reports::is_due(std::size_t index, std::chrono::milliseconds delay,
                           std::chrono::sys_seconds now) const {
  return end_of_day(wanted_[index].day, client_of(index).timezone) + delay <= now;
}

bool asked_reports::is_recent(std::size_t index, int days, std::chrono::sys_seconds now) const {
  const std::chrono::sys_days newest{newest_ended(now, client_of(index).timezone)};
  return std::chrono::sys_days{wanted_[index].day} >= newest - std::chrono::days(days);
}

bool asked_reports::contains(std::string_view id) const {
  const auto slash = id.rfind('/');
  if (slash == id.npos) return false;
  const auto who = client_index_.find(id.substr(0, slash));
  const auto on = parse_day(id.substr(slash + 1));
  return who != client_index_.end() && on && wanted_.contains({who->second, *on});
}

std::expected<not_completed, store_error> find_not_completed(store& where,
                                                             const asked_reports& asked) {
  not_completed found;
  auto looked = for_each_machine(where, {.phase = phase::dead}, [&](machine_view& each) {
    if (!asked.contains(each.id)) return;
    if (found.dead++ < not_completed::kept) found.first_dead.push_back(std::move(each));
  });
  if (!looked) return std::unexpected(std::move(looked.error()));
  looked = for_each_machine(where, {.phase = phase::cancelled}, [&](const machine_view& each) {
    if (asked.contains(each.id)) ++found.cancelled;
  });
  if (!looked) return std::unexpected(std::move(looked.error()));
  return found;
}

}  // namespace wherry::app
