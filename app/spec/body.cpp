// SPDX-License-Identifier: Apache-2.0
// Bodies of requests: JSON whose texts are templates.
#include <boost/json.hpp>
#include <charconv>
#include <cstdint>

#include "spec/template.hpp"

namespace wherry::app {
namespace {

namespace json = boost::json;

/// A text that is but a count stands for that number.
bool is_count(std::string_view text) {
  return text == "{offset}" || text == "{page}" || text == "{size}";
}

std::optional<template_error> expand_texts(json::value& in, const client& of, day on,
                                           const template_values& more) {
  if (auto* text = in.if_string()) {
    auto made = expand_text(*text, of, on, more);
    if (!made) return std::move(made.error());
    std::uint64_t number = 0;
    const auto* const end = made->data() + made->size();
    const bool is_number =
        is_count(*text) && !made->empty() && std::from_chars(made->data(), end, number).ptr == end;
    if (is_number) {
      in = number;
    } else {
      *text = *made;
    }
    return std::nullopt;
  }
  if (auto* items = in.if_array()) {
    for (auto& each : *items) {
      if (auto wrong = expand_texts(each, of, on, more)) return wrong;
    }
  }
  if (auto* members = in.if_object()) {
    for (auto& each : *members) {
      if (auto wrong = expand_texts(each.value(), of, on, more)) return wrong;
    }
  }
  return std::nullopt;
}

}  // namespace

std::expected<std::string, template_error> expand_body(std::string_view text, const client& of,
                                                       day on, const template_values& more) {
  if (text.empty()) return std::string();
  auto body = json::parse(json::string_view(text.data(), text.size()));  // as read_spec wrote it
  if (auto wrong = expand_texts(body, of, on, more)) return std::unexpected(*std::move(wrong));
  return json::serialize(body);
}

}  // namespace wherry::app
