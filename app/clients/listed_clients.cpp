// SPDX-License-Identifier: Apache-2.0
#include "clients/listed_clients.hpp"

#include <fmt/format.h>

#include <cerrno>
#include <cstring>
#include <map>
#include <utility>

#include "clients/client_rows.hpp"
#include "clients/command_output.hpp"
#include "net/origin.hpp"
#include "source/source.hpp"
#include "spec/bounded_file.hpp"
#include "spec/clients.hpp"
#include "spec/template.hpp"
#include "spec/words.hpp"

namespace wherry::app {
namespace {

using listed = std::expected<std::vector<listed_client>, listing_error>;

constexpr std::size_t most_bytes = 64u << 20;
constexpr int most_pages = 1'000;
constexpr std::size_t most_shown = 20;

std::unexpected<listing_error> wrong(const std::string& where, std::string_view what) {
  return std::unexpected(listing_error{false, {fmt::format("{}: {}", where, what)}});
}

listed rows_of(const std::string& where, std::string_view text, const client_list& how) {
  auto read = read_client_rows(text, how);
  if (!read) return wrong(where, read.error());
  return std::move(read->rows);
}

listed in_file(const client_list& how) {
  const auto bytes = read_bounded(how.file, most_bytes);
  if (bytes) return rows_of(how.file, *bytes, how);
  if (bytes.error().code == EFBIG) {
    return wrong(how.file, "is over 64 MiB; make the list shorter");
  }
  return wrong(how.file, fmt::format("cannot read the list of clients: {}; put it there, the path "
                                     "is relative to the spec",
                                     std::strerror(bytes.error().code)));
}

listed by_command(const client_list& how) {
  const auto where = fmt::format("the command {}", in_quotes(how.command.front()));
  const auto said = output_of({.words = how.command,
                               .directory = how.directory,
                               .timeout = how.timeout,
                               .most_bytes = most_bytes});
  if (said) return rows_of(where, *said, how);
  auto error = wrong(where, said.error().message);
  error.error().stopped = said.error().stopped;
  return error;
}

task<listed> by_address(const spec* of, http_client* client) {
  const auto& how = *of->client_list;
  auto asked = of->source;
  asked.timeout = how.timeout;
  asked.request.reset();
  http_source from{asked, *client};
  std::vector<listed_client> all;
  auto url = how.url;
  for (int page = 1; !url.empty(); ++page) {
    const auto where = page == 1 ? place_of(url) : fmt::format("{}, page {}", place_of(url), page);
    const auto body = co_await from.get(url);
    if (!body) co_return wrong(where, fmt::format("no list of clients: {}", body.error().message));
    auto read = read_client_rows(*body, how);
    if (!read) co_return wrong(where, read.error());
    for (auto& row : read->rows) {
      if (page > 1) row.place = fmt::format("page {}, {}", page, row.place);
      all.push_back(std::move(row));
    }
    const auto next = read->next.empty() ? std::string{} : resolve_url(url, read->next);
    if (!read->next.empty() && (next == url || page == most_pages)) {
      co_return wrong(where, "the list of clients has no end; check `next`");
    }
    if (!next.empty() && parse_origin(next) != parse_origin(how.url)) {
      co_return wrong(where,
                      "the next page is elsewhere, where the credentials do not go; check `next`");
    }
    url = next;
  }
  co_return all;
}

std::string where_of(const client_list& how) {
  if (!how.file.empty()) return how.file;
  if (!how.url.empty()) return place_of(how.url);
  return fmt::format("the command {}", in_quotes(how.command.front()));
}

// All that is wrong with them, as the clients of `whole`.
std::vector<std::string> mistakes_of(const spec& whole, const std::vector<listed_client>& from) {
  std::vector<std::string> all;
  const auto add = [&](std::size_t client, std::string_view what) {
    all.push_back(
        fmt::format("{}, {}: {}", where_of(*whole.client_list), from[client].place, what));
  };
  std::map<std::string_view, std::size_t> first;
  for (std::size_t i = 0; i < from.size(); ++i) {
    for (const auto& each : mistakes_in(from[i].of)) add(i, each);
    const auto [known, is_new] = first.try_emplace(from[i].of.id, i);
    if (!is_new) {
      add(i, fmt::format("the client {} is also in {}; remove one", in_quotes(from[i].of.id),
                         from[known->second].place));
    }
  }
  if (!all.empty()) return all;
  for (const auto& [client, asker, why] : unfit_clients(whole)) {
    add(client, fmt::format("{}, which {} asks for; {}", why.message, asker, why.remedy));
  }
  if (const auto both = same_object(whole)) {
    add(both->second,
        fmt::format("the url of [sink] gives it the object of {}; put {{client}} into "
                    "it",
                    in_quotes(whole.clients[both->first].id)));
  }
  return all;
}

}  // namespace

task<std::expected<std::vector<client>, listing_error>> list_clients(const spec* of,
                                                                     http_client* client) {
  const auto& how = *of->client_list;
  listed rows;
  if (!how.file.empty()) {
    rows = in_file(how);
  } else if (!how.url.empty()) {
    rows = co_await by_address(of, client);
  } else {
    rows = by_command(how);
  }
  if (!rows) co_return std::unexpected(std::move(rows.error()));
  if (rows->empty()) {
    co_return wrong(where_of(how), "the list of clients is empty; a run without any is none");
  }
  auto whole = *of;
  whole.clients.clear();
  for (const auto& row : *rows) whole.clients.push_back(row.of);
  auto mistakes = mistakes_of(whole, *rows);
  if (mistakes.empty()) co_return std::move(whole.clients);
  if (const auto more = mistakes.size(); more > most_shown) {
    mistakes.resize(most_shown);
    mistakes.push_back(fmt::format("and {} more in that list", more - most_shown));
  }
  co_return std::unexpected(listing_error{false, std::move(mistakes)});
}

}  // namespace wherry::app
