// SPDX-License-Identifier: Apache-2.0
#pragma once
// The smallest spec, and what read_spec says of a change to it. Tests change one thing and compare
// whole lines: place, message, remedy.

#include <doctest/doctest.h>

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "spec/read.hpp"

namespace wherry::app::sample {

using lines = std::vector<std::string>;
using variables = std::map<std::string, std::string>;

inline constexpr std::string_view smallest = R"([import]
name = "ads"
clients = ["acme"]
[source]
url = "https://host/{client}/{day}.csv"
[transform]
columns = { day = "date" }
[sink]
url = "file:///out/{day}/{client}.csv"
)";

/// The smallest spec with one piece replaced. Requires: `piece` occurs in it.
inline std::string changed(std::string_view piece, std::string_view by) {
  std::string text{smallest};
  const auto at = text.find(piece);
  REQUIRE(at != text.npos);
  return text.replace(at, piece.size(), by);
}

/// The smallest spec with lines added to the end of a table, or a new table at the end.
inline std::string added(std::string_view header, std::string_view more) {
  std::string text{smallest};
  auto at = text.find(header);
  if (at == text.npos) return text + std::string{header} + "\n" + std::string{more} + "\n";
  at = std::min(text.find("\n[", at) + 1, text.size());
  return text.insert(at == 0 ? text.size() : at, std::string{more} + "\n");
}

inline environment from(variables set) {
  return [set = std::move(set)](const std::string& name) -> std::optional<std::string> {
    const auto found = set.find(name);
    return found == set.end() ? std::nullopt : std::optional{found->second};
  };
}

/// The spec of a text that has no mistake.
inline spec good(std::string_view text, variables set = {}) {
  auto made = parse_spec(text, "ads.toml", from(std::move(set)));
  if (!made) {
    for (const auto& wrong : made.error()) MESSAGE(to_string(wrong));
  }
  REQUIRE(made);
  return *std::move(made);
}

/// All mistakes in full, with the source line and the caret.
inline lines shown(std::string_view text, variables set = {}) {
  lines out;
  const auto made = parse_spec(text, "ads.toml", from(std::move(set)));
  if (made) return out;
  for (const auto& wrong : made.error()) out.push_back(to_string(wrong));
  return out;
}

/// The first line of each mistake.
inline lines mistakes(std::string_view text, variables set = {}) {
  auto out = shown(text, std::move(set));
  for (auto& line : out) line.resize(std::min(line.find('\n'), line.size()));
  return out;
}

}  // namespace wherry::app::sample
