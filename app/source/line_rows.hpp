// SPDX-License-Identifier: Apache-2.0
#pragma once
// line_rows: counts the rows of a CSV, as its bytes go by, and finds where the totals at its end
// begin. A row is a line, but for line breaks within quotes, which are such where a field begins; a
// blank line is none. Pure.

#include <cstdint>
#include <deque>
#include <string>
#include <string_view>

#include "spec/spec.hpp"

namespace wherry::app {

/// How many lines stand before the rows.
[[nodiscard]] int lines_before_rows(const report_format& format) noexcept;

/// Whether rows at the end of a report are none.
[[nodiscard]] bool has_totals(const report_format& format) noexcept;

/// Requires: `format` is of lines, and outlives it.
class line_rows {
 public:
  explicit line_rows(const report_format& format);

  void add(std::string_view piece);
  /// Ends the last line. Call once, after all.
  void finish();

  /// How many rows there were, without the totals.
  [[nodiscard]] std::uint64_t count() const noexcept;
  /// Whether there are rows, but fewer than are to be totals.
  [[nodiscard]] bool lacks_totals() const noexcept;
  /// So many bytes are in front of the totals: all, if there are none.
  [[nodiscard]] std::uint64_t size_without_totals() const noexcept;

 private:
  void end_line();
  [[nodiscard]] bool is_quote(char c);

  const report_format& format_;
  const char delimiter_;
  int lines_left_;  // before the rows
  std::uint64_t position_ = 0;
  std::uint64_t begin_ = 0;  // of the line under way
  std::string beginning_;    // its first characters, without quotes
  bool is_blank_ = true;
  bool begins_field_ = true;  // the next character
  bool is_quoted_ = false;
  bool has_closed_ = false;  // the character before was a quote that ended the quoted text
  bool is_escaped_ = false;
  std::uint64_t rows_ = 0;            // totals, too
  std::deque<std::uint64_t> totals_;  // where those lines begin that may be totals
};

}  // namespace wherry::app
