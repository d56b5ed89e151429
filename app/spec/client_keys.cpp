// SPDX-License-Identifier: Apache-2.0
// The keys of `clients` of [import]. A new key is a new line here.
#include "spec/sections.hpp"

namespace wherry::app::toml_file {
namespace {

constexpr key<client> client_keys[] = {
    entry<id_text, &client::id>("id", "The client, {client} in addresses.", need::required),
    entry<one_line, &client::account>("account",
                                      "Its account at the API, {account}; by default its id."),
    entry<currency_code, &client::currency>("currency", "Its currency, {currency}."),
    entry<timezone_name, &client::timezone>("timezone",
                                            "Its time zone, where its days end; UTC by default."),
};

struct command_words {
  static constexpr unsigned takes = list;
  static constexpr std::string_view wanted = R"(command = ["./clients.sh", "--all"])";
  static constexpr std::string_view schema =
      R"({"type":"array","minItems":1,"items":{"type":"string"}})";
  static void read(reader& r, const value& from, std::vector<std::string>& to) {
    if (from.items.empty()) r.wrong(from.begin, "is empty", fmt::format("write {}", wanted));
    for (const auto& item : from.items) {
      if (item.is != text) {
        r.wrong(item.begin, fmt::format("holds {}", name_of(item.is)),
                fmt::format("write {}", wanted));
      } else if (auto word = r.line(item)) {
        to.push_back(*std::move(word));
      }
    }
  }
};

constexpr key<client_list> list_keys[] = {
    entry<one_line, &client_list::file>("file", "A list of clients beside the spec, CSV or JSON."),
    entry<command_words, &client_list::command>("command",
                                                "A program that prints one, and its arguments.",
                                                need::optional, privacy::secret),
    entry<web_url, &client_list::url>(
        "url", "Where the API has one; asked with the credentials of [source]."),
    entry<duration, &client_list::timeout>("timeout",
                                           "Time for the command or an answer; 1m by default."),
    entry<one_line, &client_list::rows>("rows", "Where in JSON the clients are: data.accounts."),
    entry<one_line, &client_list::next>("next", "Where in JSON the next page's address is."),
    entry<one_line, &client_list::id>("id", "Its column, or path in JSON, that is the id."),
    entry<one_line, &client_list::account>("account", "Likewise the account."),
    entry<one_line, &client_list::currency>("currency", "Likewise the currency."),
    entry<one_line, &client_list::timezone>("timezone", "Likewise the time zone."),
};

void read_list(reader& r, const value& from, client_list& to) {
  read_table(r, from, to, list_keys);
  const auto is_there = [&](const char* key) { return from.find({key}) != nullptr; };
  if (is_there("file") + is_there("command") + is_there("url") != 1) {
    r.wrong(from.begin, "names not just one of file, command and url",
            R"(write clients = { file = "clients.csv" })");
  }
  if (is_there("next") && !is_there("url")) {
    r.wrong(from.begin, "has next without url", "only the answer of an API comes in pages");
  }
}

}  // namespace

std::vector<key_info> clients_form::keys() { return infos<client_keys>(); }
std::vector<key_info> clients_form::table_keys() { return infos<list_keys>(); }

// One client an item even where it is wrong, so that client i is item i of the file.
void clients_form::read(reader& r, const value& from, spec& to) {
  if (from.is == table) return read_list(r, from, to.client_list.emplace());
  if (from.items.empty()) r.wrong(from.begin, "is empty", fmt::format("write {}", wanted));
  for (const auto& item : from.items) {
    auto& made = to.clients.emplace_back();
    if (item.is == text) {
      id_text::read(r, item, made.id);
    } else if (item.is == table) {
      read_table(r, item, made, client_keys);
    } else {
      r.wrong(item.begin, fmt::format("holds {}", name_of(item.is)),
              fmt::format("write {}", wanted));
    }
    if (made.account.empty()) made.account = made.id;
    if (made.timezone.empty()) made.timezone = "UTC";
  }
}

}  // namespace wherry::app::toml_file
