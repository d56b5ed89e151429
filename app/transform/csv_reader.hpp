// SPDX-License-Identifier: Apache-2.0
#pragma once
// Splits CSV text (RFC 4180) into records, and reads the values of fields. Written for speed: one
// pass over the bytes, no copy; a field is a view into the text.
//
// Accepted: quoted fields with doubled quotes and line ends inside, \n or \r\n, a byte order mark,
// a missing final newline. Refused with the line: a quote that never closes, text after a closing
// quote, a quote in the middle of an unquoted field. An empty unquoted field is NULL, a quoted one
// is the empty string. So a blank line is a record of one NULL field: a row where the report has
// one column, and skipped by report_scan where it has more, both as DuckDB's own read_csv has it.
// In another dialect the same with other characters. Pure; one reader a thread.

#include <array>
#include <cstdint>
#include <expected>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace wherry::app {

/// The characters that mean something; all different, none of them a line end.
struct csv_dialect {
  char delimiter = ',';
  char quote = '"';    ///< '\0': there are none
  char escape = '\0';  ///< before a quote, or itself, within quotes; '\0': a quote is doubled
};

/// A field as it stands in the text, without its outer quotes.
struct csv_field {
  std::string_view text;
  bool quoted = false;
  bool doubled = false;  ///< holds doubled or escaped quotes: read it with `append_unquoted`
};

struct csv_error {
  std::uint64_t line;
  std::string what;
};

class csv_reader {
 public:
  /// Starts at the beginning of `text`, which must outlive the reader and its fields.
  explicit csv_reader(std::string_view text, csv_dialect dialect = {});

  /// Goes to the next line, whatever stands in this one; false at the end of the text.
  bool skip_line();

  /// Reads the next record into `fields`; false at the end of the text.
  /// Errors: malformed quoting, with its line.
  [[nodiscard]] std::expected<bool, csv_error> next(std::vector<csv_field>& fields);

  /// The line on which the last record began, from 1.
  std::uint64_t line() const { return record_line_; }

  /// The last record as it stands in the text, without its line end.
  std::string_view record() const;

  /// Where the next record begins; two readers of one text compare.
  const char* position() const { return at_; }

  const csv_dialect& dialect() const { return dialect_; }

 private:
  bool is_quote() const { return at_ != end_ && *at_ == dialect_.quote && dialect_.quote != '\0'; }
  const char* after_plain_text(const char* at) const;
  const char* closing_quote(bool& doubled);
  std::expected<csv_field, csv_error> quoted_field();

  csv_dialect dialect_;
  std::array<bool, 256> special_{};  // the bytes that end or forbid an unquoted field
  const char* record_begin_;
  const char* at_;
  const char* end_;
  std::uint64_t line_ = 1;
  std::uint64_t record_line_ = 1;
};

/// Appends the value of a quoted field: each doubled or escaped quote becomes one.
void append_unquoted(std::string& out, std::string_view text, const csv_dialect& dialect = {});

/// Tells a record of a blank line: one field, of nothing.
inline bool is_blank(const std::vector<csv_field>& record) {
  return record.size() == 1 && record[0].text.empty() && !record[0].quoted;
}

/// Returns the line of the first byte that is not valid UTF-8, or empty. `passed` hears now and
/// then how far it is.
std::optional<std::uint64_t> line_of_invalid_utf8(
    std::string_view text, const std::function<void(const char*)>& passed = {});

/// Reads a whole number; spaces around it are allowed, a plus sign is not.
template <class Integer>
std::optional<Integer> parse_integer(std::string_view text);

/// Reads a decimal or scientific number, inf or nan.
std::optional<double> parse_double(std::string_view text);

/// Reads true, false, t, f, 1 or 0 in any case.
std::optional<bool> parse_boolean(std::string_view text);

/// Reads YYYY-MM-DD. Units: days since 1970-01-01.
std::optional<std::int32_t> parse_date(std::string_view text);

/// Takes spaces and tabs off both ends.
std::string_view trimmed(std::string_view text);

}  // namespace wherry::app
