// SPDX-License-Identifier: Apache-2.0
// Draws rows for people: a line each, columns aligned, for `wherry preview`.
#include <algorithm>

#include "transform/shown_text.hpp"
#include "transform/transformer.hpp"

namespace wherry::app {
namespace {

constexpr std::size_t widest = 40;  // characters of a cell; a longer text is cut

bool starts_character(char c) { return (static_cast<unsigned char>(c) & 0xC0) != 0x80; }

std::size_t width_of(std::string_view text) {
  return static_cast<std::size_t>(std::ranges::count_if(text, starts_character));
}

// One line of text, at most `widest` characters long.
std::string cell(const std::optional<std::string>& value) {
  if (!value) return "NULL";
  std::string text;
  std::size_t width = 0;
  for (const char c : plain_text(*value)) {
    if (starts_character(c) && ++width > widest) return text + "…";
    text.push_back(c);
  }
  return text;
}

void append_line(std::string& out, const std::vector<std::string>& cells,
                 const std::vector<std::size_t>& widths) {
  for (std::size_t i = 0; i < cells.size(); ++i) {
    if (i != 0) out += "  ";
    out += cells[i];
    if (i + 1 < cells.size()) out.append(widths[i] - width_of(cells[i]), ' ');
  }
  out += '\n';
}

}  // namespace

std::string drawn(const text_table& table) {
  std::vector<std::vector<std::string>> lines(2);
  for (const auto& one : table.columns) {
    lines[0].push_back(cell(one.name));
    lines[1].push_back(cell(one.type));
  }
  for (const auto& row : table.rows) {
    auto& line = lines.emplace_back();
    for (const auto& value : row) line.push_back(cell(value));
  }
  std::vector<std::size_t> widths(table.columns.size(), 0);
  for (const auto& line : lines) {
    for (std::size_t i = 0; i < line.size(); ++i)
      widths[i] = std::max(widths[i], width_of(line[i]));
  }
  std::string out;
  for (const auto& line : lines) append_line(out, line, widths);
  return out;
}

}  // namespace wherry::app
