// SPDX-License-Identifier: Apache-2.0
// The only file that knows toml++. It throws at a syntax error; here that becomes a value.
#include "spec/document.hpp"

#define TOML_HEADER_ONLY 0
#include <toml++/toml.h>

#include <algorithm>

namespace wherry::app::toml_file {
namespace {

place convert(const toml::source_position& at) {
  return {static_cast<int>(at.line), static_cast<int>(at.column)};
}

kind convert(toml::node_type type) {
  switch (type) {
    case toml::node_type::string: return text;
    case toml::node_type::integer: return whole;
    case toml::node_type::floating_point: return real;
    case toml::node_type::boolean: return flag;
    case toml::node_type::array: return list;
    case toml::node_type::table: return table;
    default: return moment;
  }
}

value convert(const toml::node& from) {
  value to;
  to.is = convert(from.type());
  to.begin = convert(from.source().begin);
  to.end = convert(from.source().end);
  if (const auto* string = from.as_string()) to.string = string->get();
  if (const auto* integer = from.as_integer()) to.integer = integer->get();
  if (const auto* number = from.as_floating_point()) to.fraction = number->get();
  if (const auto* boolean = from.as_boolean()) to.boolean = boolean->get();
  if (const auto* items = from.as_array()) {
    for (const auto& item : *items) to.items.push_back(convert(item));
  }
  if (const auto* members = from.as_table()) {
    for (const auto& [key, item] : *members) {
      to.members.push_back({std::string{key.str()}, convert(key.source().begin), convert(item)});
    }
    std::ranges::sort(to.members, {}, &member::at);  // toml++ sorts by name
  }
  return to;
}

std::size_t offset_of(std::string_view text, place at) {
  std::size_t offset = 0;
  for (int line = 1; line < at.line && offset < text.size(); ++line) {
    offset = std::min(text.find('\n', offset), text.size() - 1) + 1;
  }
  for (int column = 1; column < at.column && offset < text.size(); ++column) {
    do ++offset;
    while (offset < text.size() && !begins_code_point(text[offset]));
  }
  return offset;
}

}  // namespace

std::string_view name_of(kind is) {
  switch (is) {
    case text: return "a string";
    case whole: return "a whole number";
    case real: return "a number with a fraction";
    case flag: return "true or false";
    case moment: return "a date or time";
    case list: return "an array";
    case table: return "a table";
  }
  return "a value";
}

const value* value::find(std::initializer_list<std::string_view> path) const {
  const value* at = this;
  for (const auto name : path) {
    const auto next = std::ranges::find(at->members, name, &member::name);
    if (next == at->members.end()) return nullptr;
    at = &next->item;
  }
  return at;
}

std::expected<value, syntax_error> parse(std::string_view text) {
  try {
    return convert(toml::parse(text));
  } catch (const toml::parse_error& error) {
    return std::unexpected(
        syntax_error{convert(error.source().begin), std::string{error.description()}});
  }
}

place locate(std::string_view text, const value& in, std::string_view needle) {
  const auto begin = offset_of(text, in.begin);
  const auto found = text.substr(begin, offset_of(text, in.end) - begin).find(needle);
  place at = in.begin;
  if (found == text.npos) return at;
  for (const char c : text.substr(begin, found)) {
    if (c == '\n')
      at = {at.line + 1, 1};
    else if (begins_code_point(c))
      ++at.column;
  }
  return at;
}

std::string_view line_of(std::string_view text, int line) {
  if (line < 1) return {};
  text.remove_prefix(std::min(offset_of(text, {line, 1}), text.size()));
  return text.substr(0, std::min(text.find_first_of("\r\n"), text.size()));
}

}  // namespace wherry::app::toml_file
