// SPDX-License-Identifier: Apache-2.0
// How mistakes come to be, and how secrets stay out of them.
#include "spec/reader.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <tuple>

#include "spec/template.hpp"

namespace wherry::app::toml_file {
namespace {

bool is_name(std::string_view text) {
  const auto fits = [](char c) {
    return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_';
  };
  return !text.empty() && !(text[0] >= '0' && text[0] <= '9') && std::ranges::all_of(text, fits);
}

// "${A}" or "${A}${B}": says where a secret is, and not what it is.
bool is_only_references(std::string_view text) {
  while (text.starts_with("${")) {
    const auto close = text.find('}');
    if (close == text.npos || !is_name(text.substr(2, close - 2))) return false;
    text.remove_prefix(close + 1);
    if (text.empty()) return true;
  }
  return false;
}

// Cuts a comment off a line: what was commented out may be a secret too.
std::string_view without_comment(std::string_view line) {
  char quote = 0;
  for (std::size_t i = 0; i < line.size(); ++i) {
    const char c = line[i];
    if (c == '\\' && quote == '"')
      ++i;
    else if (quote != 0)
      quote = c == quote ? '\0' : quote;
    else if (c == '"' || c == '\'')
      quote = c;
    else if (c == '#')
      return line.substr(0, i);
  }
  return line;
}

bool is_control(char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7F; }

}  // namespace

std::string reader::table_name() const {
  if (path_.size() < 2) return "at the top level";
  return fmt::format("in [{}]", fmt::join(path_.begin(), path_.end() - 1, "."));
}

void reader::wrong(place at, std::string_view what, std::string remedy) {
  const auto& name = path_.back();
  report(at, fmt::format("{} {} {}", name.empty() ? "\"\"" : name, table_name(), what),
         std::move(remedy));
}

void reader::report(place at, std::string message, std::string remedy) {
  mistakes_.push_back({.file = {},
                       .line = at.line,
                       .column = at.column,
                       .key = fmt::format("{}", fmt::join(path_, ".")),
                       .message = std::move(message),
                       .remedy = std::move(remedy),
                       .source_line = {},
                       .caret = 0});
}

std::optional<std::string> reader::text(const value& from, braces how,
                                        std::map<std::string, secret>* used) {
  std::string out;
  std::string_view rest = from.string;
  std::vector<std::string> missing;
  while (true) {
    const auto dollar = std::min(rest.find('$'), rest.size());
    out += rest.substr(0, dollar);
    rest.remove_prefix(dollar);
    if (rest.empty()) break;
    if (!rest.starts_with("${")) {
      out += '$';
      rest.remove_prefix(rest.starts_with("$$") ? 2 : 1);
      continue;
    }
    const auto close = std::min(rest.find('}'), rest.size());
    const std::string name{rest.substr(2, close - 2)};
    if (close == rest.size() || !is_name(name)) {
      wrong(locate(from, "${"), "has a ${ without the name of a variable",
            "write ${NAME}, or $$ for a dollar sign");
      return std::nullopt;
    }
    rest.remove_prefix(close + 1);
    const auto found = variables_(name);
    if (!found && std::ranges::find(missing, name) == missing.end()) missing.push_back(name);
    if (found) used_[name].reveal = *found;
    if (found && used != nullptr) used->insert_or_assign(name, secret{*found});
    const auto value = found.value_or("");
    out += how == braces::doubled ? with_doubled_braces(value) : value;
  }
  for (const auto& name : missing) {
    wrong(locate(from, "${" + name + "}"),
          fmt::format("needs the environment variable {}, which is not set", name),
          fmt::format("export {}=…", name));
  }
  return missing.empty() ? std::optional{std::move(out)} : std::nullopt;
}

std::optional<std::string> reader::line(const value& from, braces how, emptiness empty) {
  auto out = text(from, how);
  if (!out) return std::nullopt;
  if (out->empty() && empty == emptiness::refused) {
    wrong(from.begin, "is empty", "write a value, or take the key out");
    return std::nullopt;
  }
  if (std::ranges::any_of(*out, is_control)) {
    wrong(from.begin, "has a line break or another control character", "write it in one line");
    return std::nullopt;
  }
  return out;
}

void reader::hide(const value& secret) {
  for (const auto& item : secret.items) hide(item);
  for (const auto& member : secret.members) hide(member.item);
  if ((secret.is & (list | table)) == 0 && !is_only_references(secret.string)) {
    hidden_.emplace_back(secret.begin, secret.end);
  }
}

place reader::locate(const value& in, std::string_view needle) const {
  return toml_file::locate(source_, in, needle);
}

place reader::place_of(std::initializer_list<std::string_view> path) const {
  const value* at = &root_;
  for (const auto name : path) {
    const auto* next = at->find({name});
    if (next == nullptr) break;
    at = next;
  }
  return at->begin;
}

std::vector<mistake> reader::finish(const std::string& file) {
  std::ranges::sort(mistakes_, {},
                    [](const mistake& m) { return std::tie(m.line, m.column, m.key, m.message); });
  constexpr std::size_t most_shown = 50;  // nobody reads on, and each costs a walk over the file
  for (std::size_t i = 0; i < mistakes_.size(); ++i) {
    mistakes_[i].file = file;
    if (i < most_shown) show_line(mistakes_[i], source_, hidden_);
  }
  return std::move(mistakes_);
}

void show_line(mistake& wrong, std::string_view source,
               const std::vector<std::pair<place, place>>& hidden) {
  constexpr int widest = 200;  // a longer line would bury its caret
  place at{wrong.line, 0};
  int width = 0;
  bool was_hidden = false;
  for (const char c : without_comment(line_of(source, wrong.line))) {
    const bool begins = begins_code_point(c);
    at.column += begins ? 1 : 0;
    const bool is_hidden = std::ranges::any_of(
        hidden, [&](const auto& region) { return region.first <= at && at < region.second; });
    if (at.column == wrong.column && begins) wrong.caret = width + 1;
    if (is_hidden && !was_hidden) wrong.source_line += "***";
    if (is_hidden && !was_hidden) width += 3;
    if (!is_hidden) wrong.source_line += is_control(c) ? ' ' : c;
    if (!is_hidden && begins) ++width;
    was_hidden = is_hidden;
  }
  if (wrong.caret == 0) wrong.caret = width + 1;  // the end of the line or of the file
  if (width > widest) wrong.source_line.clear();
}

}  // namespace wherry::app::toml_file
