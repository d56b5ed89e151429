// SPDX-License-Identifier: Apache-2.0
// One splitter of templates into pieces; checking and expanding both walk the pieces.
#include "spec/template.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <functional>
#include <optional>

#include "spec/spelling.hpp"
#include "spec/words.hpp"

namespace wherry::app {
namespace {

const template_values none;

struct piece {
  enum class kind { literal, placeholder, stray } is;
  std::string_view text;  // of a placeholder with its braces
  std::string_view name, pattern;
};

// Literals come out unescaped: of "{{" only one brace.
std::vector<piece> split(std::string_view text) {
  std::vector<piece> pieces;
  const auto add = [&](piece::kind is, std::string_view part) {
    pieces.push_back({is, part, {}, {}});
  };
  while (!text.empty()) {
    const auto brace = std::min(text.find_first_of("{}"), text.size());
    if (brace > 0) {
      add(piece::kind::literal, text.substr(0, brace));
      text.remove_prefix(brace);
      continue;
    }
    const auto close = text.find('}', 1);
    if (text.starts_with("{{") || text.starts_with("}}")) {
      add(piece::kind::literal, text.substr(0, 1));
      text.remove_prefix(2);
    } else if (text[0] == '}' || close == text.npos) {
      add(piece::kind::stray, text.substr(0, 1));
      text.remove_prefix(1);
    } else {
      const auto inner = text.substr(1, close - 1);
      const auto colon = std::min(inner.find(':'), inner.size());
      pieces.push_back({piece::kind::placeholder, text.substr(0, close + 1), inner.substr(0, colon),
                        inner.substr(std::min(colon + 1, inner.size()))});
      text.remove_prefix(close + 1);
    }
  }
  return pieces;
}

bool has_pattern(const piece& part) { return part.text.find(':') != part.text.npos; }

std::string_view day_pattern(const piece& part) {
  return has_pattern(part) ? part.pattern : std::string_view{"%Y-%m-%d"};
}

using names = std::vector<std::string_view>;

names names_of(template_scope scope) {
  names all{"client", "account", "currency"};
  if (scope == template_scope::client) return all;
  all.push_back("day");
  if (scope == template_scope::report) return all;
  if (scope == template_scope::object) {
    all.insert(all.end(), {"sha256", "spec"});
    return all;
  }
  all.insert(all.end(), {"part", "cursor", "offset", "page", "size"});
  if (scope == template_scope::remote) all.push_back("report");
  return all;
}

std::optional<template_error> fault(const piece& part, const names& allowed) {
  const auto wrong = [&](std::string message, std::string remedy) {
    return template_error{std::string{part.text}, std::move(message), std::move(remedy)};
  };
  if (part.is == piece::kind::literal) return std::nullopt;
  if (part.is == piece::kind::stray) {
    return wrong(fmt::format("has a lone {}", part.text), "write {{ or }} for a brace");
  }
  if (std::ranges::find(allowed, part.name) == allowed.end()) {
    const auto best = closest(part.name, allowed);
    return wrong(fmt::format("has an unknown placeholder {}", in_quotes(part.text)),
                 best ? fmt::format("did you mean {{{}}}?", *best)
                      : fmt::format("known: {{{}}}", fmt::join(allowed, "}, {")));
  }
  if (!has_pattern(part)) return std::nullopt;
  if (part.name != "day") {
    return wrong(fmt::format("gives {{{}}} a format, which only {{day}} takes", part.name),
                 fmt::format("write {{{}}}", part.name));
  }
  const auto unknown = day_pattern_fault(part.pattern);
  if (!unknown && !part.pattern.empty()) return std::nullopt;
  return wrong(unknown ? fmt::format("has an unknown day format {}", in_quotes(*unknown))
                       : std::string{"has an empty day format"},
               "write {day}, or {day:%Y%m%d} with %Y, %m, %d");
}

/// What a template is about.
struct subject {
  const client& of;
  std::optional<day> on;
  const template_values& more;

  [[nodiscard]] names allowed() const {
    auto all = names_of(on ? template_scope::report : template_scope::client);
    for (const auto& [name, value] : more) all.push_back(name);
    return all;
  }
};

std::string_view value_of(std::string_view name, const client& of) {
  if (name == "client") return of.id;
  return name == "account" ? of.account : of.currency;
}

enum class encoding { none, percent, file_name };

std::expected<std::string, template_error> expand(std::string_view text, const subject& about,
                                                  encoding how) {
  const auto& of = about.of;
  const auto allowed = about.allowed();
  std::string out;
  for (const auto& part : split(text)) {
    if (auto wrong = fault(part, allowed)) {
      return std::unexpected(*std::move(wrong));
    }
    if (part.is == piece::kind::literal) {
      out += part.text;
    } else if (part.name == "day") {
      out += format_day(*about.on, day_pattern(part));
    } else {
      const auto more = about.more.find(part.name);
      const bool is_of_client = more == about.more.end();
      const auto value = is_of_client ? value_of(part.name, of) : std::string_view{more->second};
      if (value.empty() && is_of_client) {
        return std::unexpected(template_error{
            std::string{part.text}, fmt::format("client {} has no {}", in_quotes(of.id), part.name),
            fmt::format(R"(give it one: {{ id = {}, {} = "…" }})", in_quotes(of.id), part.name)});
      }
      if (how == encoding::file_name && value.contains('/')) {
        return std::unexpected(template_error{
            std::string{part.text},
            fmt::format("client {} has a \"/\" in its {}", in_quotes(of.id), part.name),
            "a file name cannot hold it: name files by {client}"});
      }
      out += how == encoding::percent ? uri_encode(value, slash::encode) : std::string{value};
    }
  }
  return out;
}

constexpr std::string_view plain_path = "say plainly where it leads, without the dots";

bool has_dot_segment(std::string_view url) {
  if (url.starts_with("http")) url = url.substr(0, url.find_first_of("?#"));
  while (true) {
    const auto slash = url.find('/');
    const auto segment = url.substr(0, slash);
    if (segment == "." || segment == "..") return true;
    if (slash == url.npos) return false;
    url.remove_prefix(slash + 1);
  }
}

template <class Spell>
replacements names_of_values(const std::map<std::string, secret>& variables, Spell spell) {
  replacements values;  // what it says, and its name
  for (const auto& [name, value] : variables) {
    if (!value.reveal.empty()) values.emplace_back(spell(value.reveal), spell("${" + name + "}"));
  }
  return values;
}

replacements marks_of(const std::map<std::string, secret>& variables) {
  auto marks = names_of_values(variables, [](std::string part) { return part; });
  for (const auto& [name, value] : variables) {
    auto encoded = uri_encode(value.reveal, slash::encode);
    if (encoded != value.reveal) marks.emplace_back(std::move(encoded), "${" + name + "%}");
  }
  return marks;
}

/// How much of the text's beginning spells the value, plain, encoded or in part; 0: none.
std::size_t spelled(std::string_view text, std::string_view value) {
  if (text.starts_with(value)) return value.size();
  std::size_t size = 0;
  for (const char wanted : value) {
    const auto left = text.substr(size);
    const bool is_encoded = left.starts_with('%') &&
                            uri_decode(left.substr(0, 3)) == std::string_view(&wanted, 1) &&
                            left.size() >= 3;
    if (!is_encoded && !left.starts_with(wanted)) return 0;
    size += is_encoded ? 3 : 1;
  }
  return size;
}

}  // namespace

std::vector<template_error> check_template(std::string_view text, template_scope scope) {
  std::vector<template_error> faults;
  const auto allowed = names_of(scope);
  for (const auto& part : split(text)) {
    if (auto wrong = fault(part, allowed)) faults.push_back(*std::move(wrong));
  }
  if (scope != template_scope::client && has_dot_segment(text)) {
    faults.push_back({"/.", R"(has a ".." or "." in its path)", std::string{plain_path}});
  }
  return faults;
}

bool tells_days_apart(std::string_view text) {
  std::string patterns;
  for (const auto& part : split(text)) {
    if (part.is == piece::kind::placeholder && part.name == "day") patterns += day_pattern(part);
  }
  const auto has = [&](std::string_view field) { return patterns.find(field) != patterns.npos; };
  return has("%Y") && has("%m") && has("%d");
}

std::expected<std::string, template_error> expand_url(std::string_view text, const client& of,
                                                      day on, const template_values& more) {
  const bool is_file = text.starts_with("file:");
  auto url = expand(text, {of, on, more}, is_file ? encoding::file_name : encoding::percent);
  if (url && has_dot_segment(*url)) {
    return std::unexpected(
        template_error{std::string{text},
                       fmt::format(R"(client {} puts a ".." or "." in its path)", in_quotes(of.id)),
                       std::string{plain_path}});
  }
  return url;
}

std::expected<std::string, template_error> expand_lane(std::string_view text, const client& of) {
  return expand(text, {of, std::nullopt, none}, encoding::none);
}

std::expected<std::string, template_error> expand_text(std::string_view text, const client& of,
                                                       day on, const template_values& more) {
  return expand(text, {of, on, more}, encoding::none);
}

std::string with_doubled_braces(std::string_view text) {
  std::string doubled;
  for (const char c : text) doubled.append(c == '{' || c == '}' ? 2 : 1, c);
  return doubled;
}

std::string address_without_variables(std::string text,
                                      const std::map<std::string, secret>& variables) {
  std::vector<std::pair<std::string_view, std::string_view>> all;  // what it says, and its name
  for (const auto& [name, value] : variables) {
    if (!value.reveal.empty()) all.emplace_back(value.reveal, name);
  }
  std::ranges::sort(all, std::greater{}, [](const auto& each) { return each.first.size(); });
  std::string without;
  for (std::string_view left = text; !left.empty();) {
    std::size_t size = 0;
    const auto here = std::ranges::find_if(
        all, [&](const auto& each) { return (size = spelled(left, each.first)) > 0; });
    if (here == all.end()) {
      without += left.front();
      left.remove_prefix(1);
      continue;
    }
    const bool is_plain = left.starts_with(here->first);
    without += fmt::format("${{{}{}}}", here->second, is_plain ? "" : "%");
    left.remove_prefix(size);
  }
  return without;
}

std::string address_with_variables(std::string text,
                                   const std::map<std::string, secret>& variables) {
  auto marks = marks_of(variables);
  for (auto& [value, mark] : marks) std::swap(value, mark);
  return with_replaced(std::move(text), std::move(marks));
}

std::string without_variables(std::string text, const std::map<std::string, secret>& variables) {
  return with_replaced(std::move(text),
                       names_of_values(variables, [](std::string part) { return part; }));
}

std::string template_without_variables(std::string text,
                                       const std::map<std::string, secret>& variables) {
  return with_replaced(std::move(text), names_of_values(variables, [](const std::string& part) {
                         return with_doubled_braces(part);
                       }));
}

}  // namespace wherry::app
