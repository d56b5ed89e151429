// SPDX-License-Identifier: Apache-2.0
#pragma once
// Turns one downloaded CSV report into one output file by SQL.
//
// Everything that can be done once is done in `open`: one DuckDB instance, locked down; N
// connections, each with the statement prepared; units, rates, SQL and result columns checked
// against the declared columns of the source. `run` then costs a fraction of a millisecond of CPU
// for a few hundred rows.
//
//   1. The output's bytes are a function of the report, the spec and the version of Wherry alone
//      (as long as the SQL is: it may not use random() or the time of day).
//   2. The output is whole or absent; a failed run removes what it began.
//   3. A row that cannot be read is an error of its report; or, with bad_rows, put aside up to a
//      share. Rows are told by what the report says; a result that does not fit [transform] columns
//      is of no single row, and an error.
//   4. A report whose columns are not exactly those declared is an error that names the difference.
//
// Without declared source columns DuckDB guesses columns and types of each report (`read_csv`) and
// prepares the SQL each time: some 8 ms a report, and the SQL is checked only by the first one.

#include <cstdint>
#include <expected>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <string_view>
#include <vector>

#include "spec/spec.hpp"
#include "transform/error.hpp"

namespace wherry::app {

struct transform_options {
  /// Absolute path of the directory in which reports and outputs lie (the spool). DuckDB itself
  /// touches files only for Parquet and for undeclared columns, and only there; else it may be
  /// empty. A Parquet file under way is named .wherry-<pid>-<n>.parquet there.
  std::string directory;
  /// For all runs together, as DuckDB spells it; empty: 512 MB, or 64 MB a thread if that is more.
  std::string memory_limit{};
};

struct transform_job {
  std::string client;
  std::string day;                 ///< 2025-01-31
  std::string input{};             ///< path of the report
  std::string output{};            ///< path of the file to write; created 0600, not fsynced
  std::size_t returned_bytes = 0;  ///< an output of at most so many is returned, and no file made
  // Of the client, for SQL.
  std::string account{};
  std::string currency{};
  std::string timezone{};
  /// Path of the file for rows that are put aside (bad_rows of the spec); made as `output` is, and
  /// only if there are any. Empty: they are counted alone.
  std::string rejected{};
};

struct transform_result {
  std::uint64_t rows_in = 0;
  std::uint64_t rows_out = 0;
  std::uint64_t rejected_rows = 0;      ///< of rows_in: those that were put aside
  std::uint64_t size_bytes = 0;         ///< of the output
  std::optional<std::string> output{};  ///< where no file was made
};

/// Rows as texts; an empty cell is NULL.
struct text_table {
  std::vector<column> columns;
  std::vector<std::vector<std::optional<std::string>>> rows;
};

/// Draws a table in plain text, aligned, NULL as such.
std::string drawn(const text_table& table);

struct transform_preview {
  text_table before;
  text_table after;
};

/// Threads: every function from any thread.
class transformer {
 public:
  /// Opens DuckDB and checks everything that can be checked before the first download.
  /// Errors: sql, columns, unit, currency; io when the rates or DuckDB cannot be read.
  [[nodiscard]] static std::expected<std::unique_ptr<transformer>, transform_error> open(
      const source& source, const transform& transform, const sink& sink,
      transform_options options = {});

  ~transformer();
  transformer(const transformer&) = delete;
  transformer& operator=(const transformer&) = delete;

  /// Converts one report. Blocks for its whole time; up to transform.threads calls run at once, a
  /// further one waits for one of them to end. A stop request makes this run, and no other, fail
  /// soon as `interrupted`.
  [[nodiscard]] std::expected<transform_result, transform_error> run(
      const transform_job& job, const std::stop_token& stop = {});

  /// Converts a report that lies in memory, whatever `input` is. Requires: declared source columns.
  [[nodiscard]] std::expected<transform_result, transform_error> run(
      std::string_view report, const transform_job& job, const std::stop_token& stop = {});

  /// The same of a report of which nothing else is known.
  [[nodiscard]] std::expected<transform_result, transform_error> run(
      std::string_view report, const std::string& output, const std::stop_token& stop = {});

  /// Shows the first rows of a report and of what would be written; writes nothing.
  [[nodiscard]] std::expected<transform_preview, transform_error> preview(const transform_job& job,
                                                                          std::size_t rows);

  /// The columns that are written, as DuckDB spells their types; empty before the first report when
  /// the source declares none.
  std::vector<column> result_columns() const;

 private:
  class body;
  explicit transformer(std::unique_ptr<body> opened);
  std::unique_ptr<body> body_;
};

}  // namespace wherry::app
