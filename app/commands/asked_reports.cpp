// SPDX-License-Identifier: Apache-2.0
#include "commands/asked_reports.hpp"

#include <utility>

#include "commands/pages.hpp"

namespace wherry::app {

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
