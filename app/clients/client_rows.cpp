// SPDX-License-Identifier: Apache-2.0
#include "clients/client_rows.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <boost/json.hpp>
#include <optional>

#include "source/json_path.hpp"
#include "spec/words.hpp"
#include "transform/csv_reader.hpp"

namespace wherry::app {
namespace {

namespace json = boost::json;
using rows = std::expected<client_rows, std::string>;

// A column of the list, and the field of a client that it fills.
struct column_of {
  std::string_view key;  // of the spec
  std::string client_list::* name;
  std::string client::* field;
};
constexpr std::array<column_of, 4> columns{
    {{"id", &client_list::id, &client::id},
     {"account", &client_list::account, &client::account},
     {"currency", &client_list::currency, &client::currency},
     {"timezone", &client_list::timezone, &client::timezone}}};

listed_client complete(client made, std::string place) {
  if (made.account.empty()) made.account = made.id;
  if (made.timezone.empty()) made.timezone = "UTC";
  return {std::move(made), std::move(place)};
}

std::expected<listed_client, std::string> client_in(const json::value& row, const client_list& how,
                                                    std::string place) {
  client made{};
  if (const auto* id = row.if_string()) {
    made.id = {id->data(), id->size()};
    return complete(std::move(made), std::move(place));
  }
  for (const auto& [key, name, field] : columns) {
    const auto* const there = value_at(row, how.*name);
    if (there == nullptr || there->is_null()) continue;
    auto text = text_at(row, how.*name);
    if (!text) {
      return std::unexpected(
          fmt::format("{}: {} is no text; name another path in `{}`", place, how.*name, key));
    }
    made.*field = *std::move(text);
  }
  if (made.id.empty()) {
    return std::unexpected(fmt::format(
        "{} has no {}; say in `id` where a row has its id, and in `rows` where the rows are", place,
        in_quotes(how.id)));
  }
  return complete(std::move(made), std::move(place));
}

rows in_document(const json::value& document, const client_list& how) {
  client_rows made;
  const auto* const at = how.rows.empty() ? &document : value_at(document, how.rows);
  const auto* const list = at == nullptr ? nullptr : at->if_array();
  if (list == nullptr && (at == nullptr || !how.rows.empty() || !at->is_object())) {
    return std::unexpected(fmt::format(
        "the JSON has no array at {}; say in `rows` where the rows are", in_quotes(how.rows)));
  }
  const auto add = [&](const json::value& row) -> std::expected<void, std::string> {
    auto one = client_in(row, how, fmt::format("row {}", made.rows.size() + 1));
    if (!one) return std::unexpected(std::move(one.error()));
    made.rows.push_back(*std::move(one));
    return {};
  };
  if (list == nullptr) {  // a line of its own
    if (auto added = add(*at); !added) return std::unexpected(std::move(added.error()));
  } else {
    for (const auto& row : *list) {
      if (auto added = add(row); !added) return std::unexpected(std::move(added.error()));
    }
  }
  if (how.next.empty()) return made;
  const auto* const next = value_at(document, how.next);
  if (next != nullptr && next->is_string()) made.next = *text_at(document, how.next);
  return made;
}

rows in_lines(std::string_view text, const client_list& how) {
  client_rows made;
  for (int number = 1; !text.empty(); ++number) {
    const auto line = text.substr(0, text.find('\n'));
    text.remove_prefix(std::min(line.size() + 1, text.size()));
    if (trimmed(line).find_first_not_of('\r') == line.npos) continue;
    const auto row = parse_json(line);
    const auto place = fmt::format("line {}", number);
    if (!row) {
      return std::unexpected(
          fmt::format("{} is no JSON; write one document, or an object a line", place));
    }
    auto one = client_in(*row, how, place);
    if (!one) return std::unexpected(std::move(one.error()));
    made.rows.push_back(*std::move(one));
  }
  return made;
}

std::string value_of(const csv_field& field) {
  std::string value;
  if (field.doubled) {
    append_unquoted(value, field.text);
  } else {
    value = field.quoted ? field.text : trimmed(field.text);
  }
  return value;
}

// Where each of our columns stands; none: it is not there and need not be.
using places = std::array<std::optional<std::size_t>, columns.size()>;

std::expected<places, std::string> find_columns(const std::vector<csv_field>& header,
                                                const client_list& how) {
  std::vector<std::string> names;
  for (const auto& field : header) names.push_back(value_of(field));
  const std::vector<std::string_view> known{names.begin(), names.end()};
  places found;
  for (std::size_t i = 0; i < columns.size(); ++i) {
    const auto& name = how.*columns[i].name;
    const auto at = std::ranges::find(names, name);
    if (at != names.end()) {
      found[i] = static_cast<std::size_t>(at - names.begin());
    } else if (columns[i].key == "id" || name != columns[i].key) {
      return std::unexpected(fmt::format("line 1 has no column {}; name it in `{}`: {}",
                                         in_quotes(name), columns[i].key,
                                         did_you_mean(name, known, "columns there")));
    }
  }
  return found;
}

rows in_csv(std::string_view text, const client_list& how) {
  if (const auto line = line_of_invalid_utf8(text)) {
    return std::unexpected(fmt::format("line {} is not UTF-8; save the list as UTF-8", *line));
  }
  csv_reader reader{text};
  std::vector<csv_field> record;
  client_rows made;
  std::optional<places> at;
  std::size_t width = 0;
  for (;;) {
    const auto more = reader.next(record);
    if (!more) {
      return std::unexpected(
          fmt::format("line {}: {}; mend the list", more.error().line, more.error().what));
    }
    if (!*more) break;
    if (is_blank(record)) continue;
    if (!at) {
      auto found = find_columns(record, how);
      if (!found) return std::unexpected(std::move(found.error()));
      at = *found;
      width = record.size();
      continue;
    }
    if (record.size() != width) {
      return std::unexpected(fmt::format("line {} has {} fields, the header has {}; mend the list",
                                         reader.line(), record.size(), width));
    }
    client one{};
    for (std::size_t i = 0; i < columns.size(); ++i) {
      if ((*at)[i]) one.*columns[i].field = value_of(record[*(*at)[i]]);
    }
    made.rows.push_back(complete(std::move(one), fmt::format("line {}", reader.line())));
  }
  return made;
}

}  // namespace

rows read_client_rows(std::string_view text, const client_list& how) {
  const auto first = text.find_first_not_of(" \t\r\n");
  if (first == text.npos || (text[first] != '{' && text[first] != '[')) return in_csv(text, how);
  if (const auto document = parse_json(text)) return in_document(*document, how);
  return in_lines(text, how);
}

}  // namespace wherry::app
