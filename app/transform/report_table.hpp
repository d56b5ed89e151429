// SPDX-License-Identifier: Apache-2.0
#pragma once
// Feeds the rows of a CSV report to DuckDB as a table function, typed by the declared columns.
//
// Each connection has one `report_input`, to which the function is bound when a statement is
// prepared; `load` gives it the next report before the statement runs. Rows are parsed as DuckDB
// asks for them (report_scan.hpp); the text must outlive the execution and its result.
//
//   1. Columns are matched by name; the order in the file is free.
//   2. Every row of a report is checked, also those that the SQL never reads (`finish`).
//   3. Types that the reader does not know come as VARCHAR and are cast in the view `report`, whose
//      casts name line, column and value as the reader does.
//
// One thread at a time for each input.

#include <atomic>
#include <cstdint>
#include <expected>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "spec/spec.hpp"
#include "transform/report_scan.hpp"

namespace wherry::app {

/// How errors about a report's content begin, whatever DuckDB puts before them.
inline constexpr std::string_view report_error_tag = "report: ";

class report_input {
 public:
  static constexpr const char* empty_report =
      "the report is empty: 0 bytes, not even a header line. Check what the API answers for a day "
      "without rows; "
      "a header alone would be an empty report";

  explicit report_input(const report_shape& shape) : shape_(shape) {}

  /// Takes the next report and checks its encoding and header. Requires: `text` outlives its use.
  /// Errors: columns (drift, naming them), data (empty, not UTF-8, malformed header).
  [[nodiscard]] std::expected<void, transform_error> load(report_bytes text);

  /// Checks whatever the statement did not read. Returns the number of rows.
  [[nodiscard]] std::expected<std::uint64_t, transform_error> finish();

  /// Lets bad rows drop from now on; null: they are errors. Requires: it outlives its use.
  void drop_by(row_sieve* sieve);

  /// The error that made the last execution fail, if it was one of reading.
  const std::optional<transform_error>& error() const { return error_; }

  /// Makes a scan under way fail at its next chunk. Threads: any.
  void stop() { stopped_ = true; }
  void resume() { stopped_ = false; }
  bool stopped() const { return stopped_; }

 private:
  friend class report_table;
  report_scan scan() const { return {shape_, layout_, body_, passed_pages(bytes_), sieve_}; }
  std::expected<void, transform_error> read_header();
  std::expected<void, transform_error> match(const std::vector<csv_field>& header);

  const report_shape& shape_;
  report_bytes bytes_;
  csv_reader body_{{}};
  report_layout layout_;
  row_sieve* sieve_ = nullptr;
  std::optional<std::uint64_t> rows_;  // once a scan has read to the end
  std::optional<transform_error> error_;
  std::atomic<bool> stopped_ = false;
};

/// The table function itself: one for a database, shared by its connections.
class report_table {
 public:
  explicit report_table(report_shape shape) : shape_(std::move(shape)) {}

  /// Makes the function and the view `report` known to the whole database.
  /// Requires: this object outlives the database.
  [[nodiscard]] std::expected<void, std::string> install(duckdb_connection connection);

  /// Sets the input for statements prepared on a connection from now on.
  void attach(duckdb_connection connection, report_input& input);

  const report_shape& shape() const { return shape_; }

  /// Selects place and column of each value that the view cannot cast; empty: no column is cast.
  std::string uncastable_rows() const;

 private:
  static void bind(duckdb_bind_info info);
  static void init(duckdb_init_info info);
  static void run(duckdb_function_info info, duckdb_data_chunk output);
  std::string view() const;
  bool has_casts() const;

  report_shape shape_;
  std::mutex mutex_;
  std::map<idx_t, report_input*> inputs_;  // by connection
};

}  // namespace wherry::app
