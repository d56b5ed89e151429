// SPDX-License-Identifier: Apache-2.0
// The arithmetic of a backlog and the words for what is wrong with a request.
#include "spec/backlog.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "spec/words.hpp"

namespace wherry::app {
namespace {

constexpr std::size_t most_reports = 10'000'000;

std::expected<day, backlog_error> read_flag(std::string_view flag, std::string_view text) {
  if (const auto value = parse_day(text)) return *value;
  return std::unexpected(backlog_error{fmt::format("{} {} is not a day", flag, in_quotes(text)),
                                       fmt::format("write {} 2025-01-31", flag)});
}

std::expected<std::size_t, backlog_error> find_client(std::string_view id,
                                                      std::span<const client> clients) {
  const auto found = std::ranges::find(clients, id, &client::id);
  if (found != clients.end()) return static_cast<std::size_t>(found - clients.begin());
  std::vector<std::string_view> known;
  for (const auto& one : clients) known.push_back(one.id);
  return std::unexpected(backlog_error{fmt::format("the spec has no client {}", in_quotes(id)),
                                       did_you_mean(id, known, "known clients")});
}

std::expected<std::vector<std::size_t>, backlog_error> choose(std::span<const std::string> wanted,
                                                              std::span<const client> clients) {
  std::vector<bool> chosen(clients.size(), wanted.empty());
  for (const auto& id : wanted) {
    const auto index = find_client(id, clients);
    if (!index) return std::unexpected(index.error());
    chosen[*index] = true;
  }
  std::vector<std::size_t> indexes;
  for (std::size_t i = 0; i < chosen.size(); ++i) {
    if (chosen[i]) indexes.push_back(i);
  }
  return indexes;
}

}  // namespace

std::expected<backlog, backlog_error> backlog::make(const backlog_request& request,
                                                    std::span<const client> clients) {
  const auto from = read_flag("--from", request.from);
  if (!from) return std::unexpected(from.error());
  const auto to = read_flag("--to", request.to);
  if (!to) return std::unexpected(to.error());
  if (*from > *to) {
    return std::unexpected(
        backlog_error{fmt::format("--from {} is after --to {}", to_string(*from), to_string(*to)),
                      fmt::format("write --from {} --to {}", to_string(*to), to_string(*from))});
  }
  auto chosen = choose(request.clients, clients);
  if (!chosen) return std::unexpected(chosen.error());

  backlog made;
  made.first_ = *from;
  made.days_ = static_cast<std::size_t>((std::chrono::sys_days{*to} - made.first_).count()) + 1;
  made.clients_ = *std::move(chosen);
  if (made.size() > most_reports) {
    return std::unexpected(backlog_error{
        fmt::format("--from {} --to {} asks for {} reports, more than {} in one import",
                    to_string(*from), to_string(*to), made.size(), most_reports),
        "import a shorter range of days, or fewer clients, at a time"});
  }
  return made;
}

report_id backlog::operator[](std::size_t index) const {
  const auto days = std::chrono::days{days_ - 1 - index / clients_.size()};
  return {.client = clients_[index % clients_.size()], .day = day{first_ + days}};
}

bool backlog::contains(const report_id& id) const noexcept {
  const std::chrono::sys_days on{id.day};
  return on >= first_ && on < first_ + std::chrono::days{days_} &&
         std::ranges::binary_search(clients_, id.client);
}

std::string to_string(const report_id& id, std::span<const client> clients) {
  return clients[id.client].id + "/" + to_string(id.day);
}

std::expected<report_id, backlog_error> parse_report_id(std::string_view text,
                                                        std::span<const client> clients) {
  const auto slash = text.rfind('/');
  const auto date = slash == text.npos ? std::nullopt : parse_day(text.substr(slash + 1));
  if (!date) {
    return std::unexpected(
        backlog_error{fmt::format("{} is not the id of a report", in_quotes(text)),
                      "write CLIENT/DAY, such as acme/2025-01-31"});
  }
  const auto index = find_client(text.substr(0, slash), clients);
  if (!index) return std::unexpected(index.error());
  return report_id{.client = *index, .day = *date};
}

}  // namespace wherry::app
