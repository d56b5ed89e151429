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

/// How many lines of a page stand before its rows.
int repeated_lines(const report_format& format) {
  const bool is_lines =
      format.type == report_format::kind::csv || format.type == report_format::kind::tsv;
  return is_lines ? lines_before_rows(format) : 0;
}

/// Without what stands around a line: a byte order mark, and the end of lines as Windows has it.
std::string_view plain(std::string_view line) {
  if (line.starts_with("\xef\xbb\xbf")) line.remove_prefix(3);
  if (line.ends_with('\r')) line.remove_suffix(1);
  return line;
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

header_cutter::header_cutter(const report_format& format) : lines_(repeated_lines(format)) {}

void header_cutter::begin_page() {
  if (is_first_) wanted_ = seen_;
  is_first_ = !wanted_;
  left_ = lines_;
  seen_.clear();
}

std::string_view header_cutter::take(std::string_view piece) {
  auto rest = piece;
  while (left_ > 0 && !rest.empty()) {
    const auto end = rest.find('\n');
    if (left_ == 1) seen_ += rest.substr(0, end);
    if (end != rest.npos) --left_;
    rest.remove_prefix(end == rest.npos ? rest.size() : end + 1);
  }
  return is_first_ ? piece : rest;
}

bool header_cutter::differs() const { return wanted_ && plain(seen_) != plain(*wanted_); }

}  // namespace wherry::app
