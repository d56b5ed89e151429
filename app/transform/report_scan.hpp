// SPDX-License-Identifier: Apache-2.0
#pragma once
// Reads the rows of a report into DuckDB's vectors, typed by the declared columns, a chunk at a
// time. Long strings stay views into the text.
//
//   1. Every record is one row, is none (a blank line, a row of totals at the end), or is bad: it
//      has another number of fields, or a value that its column does not take. A bad row is an
//      error of the report, unless a sieve lets it drop.
//   2. A row is known by its place: the line on which it begins, or its number where the text was
//      made of JSON, which has no lines of its own.
//
// One thread at a time for each scan.

#include <cstdint>
#include <expected>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "spec/spec.hpp"
#include "transform/csv_reader.hpp"
#include "transform/duckdb_handle.hpp"
#include "transform/error.hpp"
#include "transform/files.hpp"

namespace wherry::app {

/// A declared column, and how its fields are read.
struct report_column {
  std::string name;
  std::string type;     ///< as DuckDB spells it: "DECIMAL(18,6)"
  duckdb_type read_as;  ///< VARCHAR also for types that the view casts
  int width = 0;        ///< of a DECIMAL
  int scale = 0;
  bool cast = false;      ///< by the view
  std::string path{};     ///< its header, or where it is in a row of JSON
  bool optional = false;  ///< a report may lack it
};

/// What all reports of an import have in common.
struct report_shape {
  std::vector<report_column> columns;
  report_format format;

  bool is_json() const;
  csv_dialect dialect() const;  ///< of the text that is scanned: of JSON that which is made of it
  std::string_view place_word() const { return is_json() ? "row" : "line"; }
};

/// What one report has of it.
struct report_layout {
  std::vector<std::size_t> order;   ///< field of the file -> declared column
  std::vector<std::size_t> absent;  ///< declared columns that it lacks
};

/// Lets bad rows drop.
struct row_sieve {
  /// Rows that only the view's casts find bad: the place, and the column that it is for.
  std::map<std::uint64_t, std::size_t> uncastable;

  struct bad_row {
    std::uint64_t place;
    std::string_view reason;  ///< column "day": 'x' is not a date
    std::string_view text;    ///< the record as it stands there
  };
  std::function<void(const bad_row&)> drop;  ///< empty: in silence
};

/// Says that a value is none of its column, without the place.
std::string not_of_type(const report_column& column, std::string_view value);

/// What to do about a value that is none of its column.
inline constexpr std::string_view wrong_value_remedy =
    "Correct the report at its source, or declare the column with another type in [source] columns";

/// A type as people write it.
std::string in_lower_case(std::string text);

/// Cuts a value for an error, between two characters, and makes it fit to be shown.
std::string cut_value(std::string_view text);

class report_scan {
 public:
  /// Requires: shape, layout and sieve (which may be null) outlive it.
  report_scan(const report_shape& shape, const report_layout& layout, csv_reader reader,
              passed_pages pages, row_sieve* sieve);

  /// Returns the number of rows read; 0 at the end. The vectors are those of the declared columns,
  /// then one BIGINT for the place, if any column is cast.
  [[nodiscard]] std::expected<idx_t, transform_error> fill(duckdb_data_chunk chunk);

  bool at_end() const { return at_end_; }
  std::uint64_t rows() const { return rows_; }

 private:
  struct target {
    const report_column* column;
    duckdb_vector vector;
    void* data;
  };
  void aim(duckdb_data_chunk chunk);
  void hold_totals_back();
  bool only_totals_follow();
  enum class found { row, end, error };
  found next();
  bool put_row(idx_t row);
  std::string why_bad() const;
  transform_error bad_row() const;
  bool put(const target& to, idx_t row, const csv_field& field);
  bool put_typed(const target& to, idx_t row, std::string_view text) const;
  std::string value_of(const csv_field& field) const;
  bool drops(idx_t row);
  void unput(idx_t row) const;
  std::uint64_t place() const { return shape_.is_json() ? records_ : reader_.line(); }

  const report_shape& shape_;
  const report_layout& layout_;
  csv_reader reader_;
  passed_pages pages_;
  row_sieve* sieve_;
  std::optional<csv_reader> ahead_;  // as many rows as are totals
  bool too_few_for_totals_ = false;
  const char* no_totals_before_ = nullptr;  // what begins so up to there is followed by a row
  std::vector<csv_field> fields_;
  std::vector<target> targets_;  // in the file's order
  std::vector<duckdb_vector> absent_;
  std::int64_t* places_ = nullptr;
  std::string scratch_;
  std::optional<transform_error> error_;  // of the last `next`
  std::size_t bad_field_ = 0;             // of the last `put_row`
  std::uint64_t records_ = 0;
  std::uint64_t rows_ = 0;
  bool at_end_ = false;
};

}  // namespace wherry::app
