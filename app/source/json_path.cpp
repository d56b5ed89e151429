// SPDX-License-Identifier: Apache-2.0
#include "source/json_path.hpp"

#include <boost/json.hpp>
#include <charconv>

namespace wherry::app {
namespace {

const boost::json::value* child(const boost::json::value& of, std::string_view name) {
  const auto* const object = of.if_object();
  const auto* const array = of.if_array();
  if (name == "*") {
    if (object != nullptr && !object->empty()) return &object->begin()->value();
    return array != nullptr && !array->empty() ? &array->front() : nullptr;
  }
  if (object != nullptr) return object->if_contains(name);
  std::size_t index = 0;
  const auto read = std::from_chars(name.data(), name.data() + name.size(), index);
  if (array == nullptr || read.ec != std::errc{} || read.ptr != name.data() + name.size()) {
    return nullptr;
  }
  return array->if_contains(index);
}

}  // namespace

std::optional<boost::json::value> parse_json(std::string_view text) {
  const auto first = text.find_first_not_of(" \t\r\n");
  // A report in CSV must not cost a parser's work, nor pass for a number.
  if (first == text.npos || (text[first] != '{' && text[first] != '[')) return std::nullopt;
  boost::system::error_code wrong;
  auto parsed = boost::json::parse(text, wrong);
  if (wrong) return std::nullopt;
  return parsed;
}

const boost::json::value* value_at(const boost::json::value& in, std::string_view path) {
  const auto* at = &in;
  while (true) {
    const auto dot = path.find('.');
    at = child(*at, path.substr(0, dot));
    if (at == nullptr || dot == path.npos) return at;
    path.remove_prefix(dot + 1);
  }
}

std::optional<std::string> text_at(const boost::json::value& in, std::string_view path) {
  const auto* const at = value_at(in, path);
  if (at == nullptr) return std::nullopt;
  if (const auto* string = at->if_string()) return std::string{string->data(), string->size()};
  if (at->is_object() || at->is_array()) return std::nullopt;
  return boost::json::serialize(*at);
}

}  // namespace wherry::app
