// SPDX-License-Identifier: Apache-2.0
#pragma once
// Tables of keys: the one description of the spec's language. A `key` ties a name to a form and to
// a field, with a sentence of documentation; read_table walks a TOML table by it, and spec_schema
// prints the same tables as a JSON Schema. Internal to app/spec.

#include <algorithm>
#include <span>
#include <string_view>
#include <vector>

#include "spec/forms.hpp"

namespace wherry::app::toml_file {

struct key_info;
enum class need { optional, required };
enum class privacy { shown, secret };

/// What is known of a form when its type is not: what a schema and a message need.
struct form_info {
  unsigned takes = 0;
  std::string_view wanted;
  std::string_view schema;
  std::vector<key_info> (*keys)() = nullptr;        ///< of the tables that it holds
  bool items_or_text = false;                       ///< a list whose items may also be strings
  std::optional<std::pair<int, int>> bounds;        ///< of a number
  bool also_list = false;                           ///< a table, or a list of such tables
  std::vector<key_info> (*table_keys)() = nullptr;  ///< a list, or a table of these keys
};

struct key_info {
  std::string_view name;
  std::string_view doc;
  need needed = need::optional;
  privacy shows = privacy::shown;
  form_info form;
};

/// A key of a table that is read into a T.
template <class T>
struct key : key_info {
  void (*read)(reader& r, const value& from, T& to) = nullptr;
};

template <class Form>
constexpr form_info describe() {
  form_info form{Form::takes, Form::wanted, Form::schema, nullptr,
                 false,       std::nullopt, false,        nullptr};
  if constexpr (requires { Form::keys(); }) form.keys = Form::keys;
  if constexpr (requires { Form::items_or_text; }) form.items_or_text = Form::items_or_text;
  if constexpr (requires { Form::also_list; }) form.also_list = Form::also_list;
  if constexpr (requires { Form::table_keys(); }) form.table_keys = Form::table_keys;
  if constexpr (requires { Form::bounds; }) form.bounds = Form::bounds;
  return form;
}

template <class T>
T owner_of_member(auto T::*);

/// A key whose form is read into one field.
template <class Form, auto Field>
constexpr auto entry(std::string_view name, std::string_view doc, need needed = need::optional,
                     privacy shows = privacy::shown) {
  using owner = decltype(owner_of_member(Field));
  return key<owner>{
      {name, doc, needed, shows, describe<Form>()},
      [](reader& r, const value& from, owner& to) { Form::read(r, from, to.*Field); }};
}

/// A key whose form is read into the whole struct.
template <class Form, class T>
constexpr key<T> whole_entry(std::string_view name, std::string_view doc,
                             need needed = need::optional, privacy shows = privacy::shown) {
  return {{name, doc, needed, shows, describe<Form>()},
          [](reader& r, const value& from, T& to) { Form::read(r, from, to); }};
}

/// Reports a key that the table does not have, and hides its value.
void report_unknown(reader& r, const member& stray, std::span<const std::string_view> known);

/// Reports a value of a kind that the key does not take.
void report_kind(reader& r, const value& from, const form_info& form);

/// Reports a required key that is not there.
void report_missing(reader& r, const value& in, const key_info& key);

/// Reads a TOML table by a table of keys.
template <class T, std::size_t Count>
void read_table(reader& r, const value& from, T& to, const key<T> (&keys)[Count]) {
  std::vector<std::string_view> known;
  for (const auto& key : keys) known.push_back(key.name);
  for (const auto& member : from.members) {
    const reader::inside here{r, member.name};
    const auto found = std::ranges::find(keys, member.name, &key_info::name);
    if (found == std::end(keys)) {
      report_unknown(r, member, known);
      continue;
    }
    if (found->shows == privacy::secret) r.hide(member.item);
    if ((found->form.takes & member.item.is) == 0)
      report_kind(r, member.item, found->form);
    else
      found->read(r, member.item, to);
  }
  for (const auto& key : keys) {
    if (key.needed == need::required && from.find({key.name}) == nullptr)
      report_missing(r, from, key);
  }
}

template <const auto& Keys>
std::vector<key_info> infos() {
  return {std::begin(Keys), std::end(Keys)};
}

/// The form of a table within a table.
template <const auto& Keys>
struct table_of {
  static constexpr unsigned takes = table;
  static constexpr std::string_view wanted = "a table";
  static constexpr std::string_view schema = R"({"type":"object"})";
  static constexpr auto keys = infos<Keys>;
  template <class T>
  static void read(reader& r, const value& from, T& to) {
    read_table(r, from, to, Keys);
  }
};

/// The form of a table that need not be there.
template <const auto& Keys, class T>
struct optional_table : table_of<Keys> {
  static void read(reader& r, const value& from, std::optional<T>& to) {
    read_table(r, from, to.emplace(), Keys);
  }
};

/// The keys of the file itself: [import], [source] and so on.
[[nodiscard]] std::vector<key_info> spec_keys();

/// Reads a whole file by them.
void read_all(reader& r, spec& to);

/// Checks what no key can say alone: limits against the window, the addresses of every client,
/// doubles, credentials. Fills in what defaults to the environment.
void check_whole(reader& r, spec& whole);

}  // namespace wherry::app::toml_file
