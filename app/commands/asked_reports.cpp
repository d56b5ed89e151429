// SPDX-License-Identifier: Apache-2.0
#include "commands/asked_reports.hpp"

#include <algorithm>
#include <utility>

#include "commands/pages.hpp"
#include "spec/closing.hpp"

namespace wherry::app {

std::vector<client_days> days_of_clients(const spec& of, std::chrono::sys_seconds now) {
  const auto then = now - std::chrono::ceil<std::chrono::seconds>(of.delay);
  std::vector<client_days> all;
  for (const auto& each : of.clients) {
    all.push_back({.newest_due = newest_ended(then, each.timezone),
                   .newest_ended = newest_ended(now, each.timezone)});
  }
  return all;
}

backlog_request daily_range(const std::vector<client_days>& of, int look_back) {
  const auto [first, last] = std::ranges::minmax(of, {}, &client_days::newest_due);
  return {.from = to_string(day{first.newest_due - std::chrono::days(look_back)}),
          .to = to_string(day{last.newest_due}),
          .clients = {}};
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
