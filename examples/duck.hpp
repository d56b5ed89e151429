// SPDX-License-Identifier: Apache-2.0
#pragma once
// A few lines over DuckDB's C API, shared by the example programs: open a database in memory, run a
// query, walk its rows chunk by chunk. The database reaches files, never the network: extensions
// are neither installed nor loaded by themselves.
//
// Errors are exceptions: these are small programs that end with the message.

#include <duckdb.h>

#include <stdexcept>
#include <string>
#include <string_view>

namespace example {

/// Holds the rows of one query; freed at the end of its scope.
class duck_result {
 public:
  duck_result() = default;
  duck_result(const duck_result&) = delete;
  duck_result& operator=(const duck_result&) = delete;
  ~duck_result() { duckdb_destroy_result(&raw_); }

  idx_t columns() { return duckdb_column_count(&raw_); }
  std::string name(idx_t column) { return duckdb_column_name(&raw_, column); }

  /// Calls `visit(chunk, row)` for every row in order.
  template <class Visit>
  void each_row(Visit visit) {
    while (duckdb_data_chunk chunk = duckdb_fetch_chunk(raw_)) {
      const idx_t rows = duckdb_data_chunk_get_size(chunk);
      for (idx_t row = 0; row < rows; ++row) visit(chunk, row);
      duckdb_destroy_data_chunk(&chunk);
    }
  }

 private:
  friend class duck;
  duckdb_result raw_{};
};

/// Reads a cell of a column whose C type is `T` (int16_t for SMALLINT). The cell must not be null.
template <class T>
T number(duckdb_data_chunk chunk, idx_t column, idx_t row) {
  return static_cast<T*>(duckdb_vector_get_data(duckdb_data_chunk_get_vector(chunk, column)))[row];
}

/// Reads a cell of a VARCHAR column; null is empty. Valid while the chunk is being visited.
inline std::string_view text(duckdb_data_chunk chunk, idx_t column, idx_t row) {
  duckdb_vector cells = duckdb_data_chunk_get_vector(chunk, column);
  auto* valid = duckdb_vector_get_validity(cells);
  if (valid && !duckdb_validity_row_is_valid(valid, row)) return {};
  auto* cell = static_cast<duckdb_string_t*>(duckdb_vector_get_data(cells)) + row;
  return {duckdb_string_t_data(cell), duckdb_string_t_length(*cell)};
}

/// Opens a database in memory.
class duck {
 public:
  duck() {
    if (duckdb_open(nullptr, &database_) != DuckDBSuccess ||
        duckdb_connect(database_, &connection_) != DuckDBSuccess) {
      duckdb_close(&database_);
      throw std::runtime_error("DuckDB did not open a database in memory");
    }
    run("set autoinstall_known_extensions = false");
    run("set autoload_known_extensions = false");
  }
  duck(const duck&) = delete;
  duck& operator=(const duck&) = delete;
  ~duck() {
    duckdb_disconnect(&connection_);
    duckdb_close(&database_);
  }

  /// Runs a statement for its effect.
  void run(const std::string& sql) {
    duck_result ignored;
    query(sql, ignored);
  }

  /// Runs a query. Errors: std::runtime_error with DuckDB's own message.
  void query(const std::string& sql, duck_result& into) {
    if (duckdb_query(connection_, sql.c_str(), &into.raw_) != DuckDBSuccess) {
      throw std::runtime_error(duckdb_result_error(&into.raw_));
    }
  }

 private:
  duckdb_database database_ = nullptr;
  duckdb_connection connection_ = nullptr;
};

}  // namespace example
