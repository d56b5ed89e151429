// SPDX-License-Identifier: Apache-2.0
#pragma once
// Feeds the rows of a CSV report to DuckDB as a table function, typed by the declared columns.
//
// Each connection has one `report_input`, to which the function is bound when a statement is
// prepared; `load` gives it the next report before the statement runs. Rows are parsed as DuckDB
// asks for them, a chunk at a time, straight into its vectors; long strings stay views into the
// text. So the text must outlive the execution and its result.
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
#include "transform/csv_reader.hpp"
#include "transform/duckdb_handle.hpp"
#include "transform/error.hpp"

namespace wherry::app {

/// How errors about a report's content begin, whatever DuckDB puts before them.
inline constexpr std::string_view report_error_tag = "report: ";

/// A declared column, and how its fields are read.
struct report_column {
  std::string name;
  std::string type;     ///< as DuckDB spells it: "DECIMAL(18,6)"
  duckdb_type read_as;  ///< VARCHAR also for types that the view casts
  int width = 0;        ///< of a DECIMAL
  int scale = 0;
  bool cast = false;  ///< by the view
};

/// Fills a chunk's vectors from the records of a text. Stops at 2,048 rows, the end or an error.
class report_scan {
 public:
  report_scan(const std::vector<report_column>& columns, const std::vector<std::size_t>& order,
              csv_reader reader);

  /// Returns the number of rows read; 0 at the end. The vectors are those of the declared columns,
  /// then one BIGINT for the line, if any column is cast.
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
  bool put(const target& to, idx_t row, const csv_field& field);
  bool put_typed(const target& to, idx_t row, std::string_view text) const;
  std::unexpected<transform_error> wrong_value(const target& at, const csv_field& field) const;

  const std::vector<report_column>& columns_;
  const std::vector<std::size_t>& order_;  // field of the file -> declared column
  csv_reader reader_;
  std::vector<csv_field> fields_;
  std::vector<target> targets_;  // in the file's order
  std::int64_t* lines_ = nullptr;
  std::string scratch_;
  std::uint64_t rows_ = 0;
  bool at_end_ = false;
};

class report_input {
 public:
  static constexpr const char* empty_report =
      "the report is empty: 0 bytes, not even a header line. Check what the API answers for a day "
      "without rows; "
      "a header alone would be an empty report";

  explicit report_input(const std::vector<report_column>& columns) : columns_(columns) {}

  /// Takes the next report and checks its encoding and header. Requires: `text` outlives its use.
  /// Errors: columns (drift, naming them), data (empty, not UTF-8, malformed header).
  [[nodiscard]] std::expected<void, transform_error> load(std::string_view text);

  /// Checks whatever the statement did not read. Returns the number of rows.
  [[nodiscard]] std::expected<std::uint64_t, transform_error> finish();

  /// The error that made the last execution fail, if it was one of reading.
  const std::optional<transform_error>& error() const { return error_; }

  /// Makes a scan under way fail at its next chunk. Threads: any.
  void stop() { stopped_ = true; }
  void resume() { stopped_ = false; }
  bool stopped() const { return stopped_; }

 private:
  friend class report_table;
  report_scan scan() const { return {columns_, order_, body_}; }
  std::expected<void, transform_error> match(const std::vector<csv_field>& header);

  const std::vector<report_column>& columns_;
  csv_reader body_{{}};
  std::vector<std::size_t> order_;
  std::optional<std::uint64_t> rows_;  // once a scan has read to the end
  std::optional<transform_error> error_;
  std::atomic<bool> stopped_ = false;
};

/// The table function itself: one for a database, shared by its connections.
class report_table {
 public:
  explicit report_table(std::vector<report_column> columns) : columns_(std::move(columns)) {}

  /// Makes the function and the view `report` known to the whole database.
  /// Requires: this object outlives the database.
  [[nodiscard]] std::expected<void, std::string> install(duckdb_connection connection);

  /// Sets the input for statements prepared on a connection from now on.
  void attach(duckdb_connection connection, report_input& input);

  const std::vector<report_column>& columns() const { return columns_; }

 private:
  static void bind(duckdb_bind_info info);
  static void init(duckdb_init_info info);
  static void run(duckdb_function_info info, duckdb_data_chunk output);
  std::string view() const;
  bool has_casts() const;

  std::vector<report_column> columns_;
  std::mutex mutex_;
  std::map<idx_t, report_input*> inputs_;  // by connection
};

}  // namespace wherry::app
