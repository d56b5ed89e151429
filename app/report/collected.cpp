// SPDX-License-Identifier: Apache-2.0
#include "report/collected.hpp"

#include <utility>

#include "source/line_rows.hpp"

namespace wherry::app {
namespace {

report_part under_way(const report_split& how, const collected& of) {
  if (!of.parts.empty()) return of.parts.front();
  return {0, static_cast<std::uint32_t>(how.values.size())};
}

}  // namespace

std::string part_text(const std::optional<report_split>& how, const collected& of) {
  std::string text;
  if (!how) return text;
  const auto part = under_way(*how, of);
  for (auto i = part.first; i < part.first + part.count && i < how->values.size(); ++i) {
    if (i > part.first) text += how->join;
    text += how->values[i];
  }
  return text;
}

std::optional<collected> halved(const report_split& how, collected of) {
  const auto part = under_way(how, of);
  if (part.count < 2) return std::nullopt;
  const auto first = (part.count + 1) / 2;
  const report_part halves[] = {{part.first, first}, {part.first + first, part.count - first}};
  if (!of.parts.empty()) of.parts.erase(of.parts.begin());
  of.parts.insert(of.parts.begin(), std::begin(halves), std::end(halves));
  of.pages.resize(of.whole);
  return of;
}

collected with_part_complete(collected of) {
  of.whole = static_cast<std::uint32_t>(of.pages.size());
  if (!of.parts.empty()) of.parts.erase(of.parts.begin());
  return of;
}

std::string_view without_header(std::string_view piece, int& lines_left) {
  while (lines_left > 0 && !piece.empty()) {
    const auto end = piece.find('\n');
    if (end == piece.npos) return {};
    piece.remove_prefix(end + 1);
    --lines_left;
  }
  return piece;
}

int repeated_lines(const report_format& format) {
  const bool is_lines =
      format.type == report_format::kind::csv || format.type == report_format::kind::tsv;
  return is_lines ? lines_before_rows(format) : 0;
}

}  // namespace wherry::app
