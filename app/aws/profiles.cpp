// SPDX-License-Identifier: Apache-2.0
#include "aws/profiles.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "spec/spelling.hpp"

namespace wherry::app {
namespace {

constexpr std::string_view blanks = " \t\r";

std::string_view trimmed(std::string_view text) {
  const auto begin = text.find_first_not_of(blanks);
  if (begin == text.npos) return {};
  return text.substr(begin, text.find_last_not_of(blanks) + 1 - begin);
}

// A value ends where a comment begins after a blank: a secret key may hold a "#" of its own.
std::string_view value_of(std::string_view text) {
  for (std::size_t i = 1; i < text.size(); ++i) {
    const bool begins = text[i] == '#' || text[i] == ';';
    if (begins && blanks.contains(text[i - 1])) return trimmed(text.substr(0, i));
  }
  return trimmed(text);
}

// The profile that a section is about; null: it is about something else.
aws_profile* profile_of(std::string_view section, profile_file kind, aws_profiles& to) {
  constexpr std::string_view word = "profile";
  auto name = trimmed(section);
  if (kind == profile_file::config && name != "default") {
    if (!name.starts_with(word)) return nullptr;
    name.remove_prefix(word.size());
    if (name.empty() || !blanks.contains(name.front())) return nullptr;
    name = trimmed(name);
  }
  return &to[std::string{name}];
}

}  // namespace

std::expected<void, std::string> add_profiles(std::string_view text, profile_file kind,
                                              aws_profiles& to) {
  aws_profile* now = nullptr;
  for (int number = 1; !text.empty(); ++number) {
    const auto whole = text.substr(0, text.find('\n'));
    text.remove_prefix(std::min(whole.size() + 1, text.size()));
    const auto line = trimmed(whole);
    if (line.empty() || line.front() == '#' || line.front() == ';') continue;
    if (line.front() == '[') {
      const auto close = line.find(']');
      if (close == line.npos) {
        return std::unexpected(fmt::format("line {} begins a section and lacks its ]", number));
      }
      now = profile_of(line.substr(1, close - 1), kind, to);
      continue;
    }
    if (blanks.contains(whole.front())) continue;
    const auto equals = line.find('=');
    if (equals == line.npos) {
      return std::unexpected(fmt::format("line {} is neither [section] nor name = value", number));
    }
    if (now == nullptr) continue;
    (*now)[in_lower_case(trimmed(line.substr(0, equals)))] = value_of(line.substr(equals + 1));
  }
  return {};
}

}  // namespace wherry::app
