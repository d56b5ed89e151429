// SPDX-License-Identifier: Apache-2.0
#include "source/line_rows.hpp"

#include <utility>

namespace wherry::app {

int lines_before_rows(const report_format& format) noexcept {
  return format.skip + (format.header ? 1 : 0);
}

bool has_totals(const report_format& format) noexcept {
  return format.totals > 0 || !format.totals_begin.empty();
}

line_rows::line_rows(const report_format& format)
    : format_(format),
      delimiter_(format.delimiter != '\0'                  ? format.delimiter
                 : format.type == report_format::kind::tsv ? '\t'
                                                           : ','),
      lines_left_(lines_before_rows(format)) {}

// One within a field that is not quoted is a character as any other; a doubled one ends quoted text
// and begins it again.
bool line_rows::is_quote(char c) {
  const bool is_mark = format_.quote != '\0' && c == format_.quote && !is_escaped_ &&
                       (is_quoted_ || begins_field_ || has_closed_);
  is_escaped_ = !is_escaped_ && is_quoted_ && format_.escape != '\0' && c == format_.escape;
  has_closed_ = is_mark && is_quoted_;
  if (is_mark) is_quoted_ = !is_quoted_;
  begins_field_ = !is_quoted_ && c == delimiter_;
  return is_mark;
}

void line_rows::add(std::string_view piece) {
  for (const char c : piece) {
    ++position_;
    if (c == '\n' && (!is_quoted_ || lines_left_ > 0)) {
      end_line();
      continue;
    }
    is_blank_ = is_blank_ && (c == ' ' || c == '\t' || c == '\r');
    if (!is_quote(c) && beginning_.size() < format_.totals_begin.size()) beginning_ += c;
  }
}

void line_rows::finish() {
  if (begin_ < position_) end_line();
}

void line_rows::end_line() {
  const bool is_row = lines_left_ == 0 && !is_blank_;
  if (lines_left_ > 0) --lines_left_;
  if (is_row) {
    ++rows_;
    if (format_.totals > 0) {
      totals_.push_back(begin_);
      if (std::cmp_greater(totals_.size(), format_.totals)) totals_.pop_front();
    } else if (!format_.totals_begin.empty() && beginning_ == format_.totals_begin) {
      totals_.push_back(begin_);
    } else {
      totals_.clear();
    }
  }
  begin_ = position_;
  beginning_.clear();
  is_blank_ = begins_field_ = true;
  is_quoted_ = has_closed_ = is_escaped_ = false;
}

std::uint64_t line_rows::count() const noexcept { return rows_ - totals_.size(); }

bool line_rows::lacks_totals() const noexcept {
  return rows_ > 0 && std::cmp_less(rows_, format_.totals);
}

std::uint64_t line_rows::size_without_totals() const noexcept {
  return totals_.empty() ? position_ : totals_.front();
}

}  // namespace wherry::app
