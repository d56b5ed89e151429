// SPDX-License-Identifier: Apache-2.0
#pragma once
// Prints DuckDB's result chunks as CSV rows into a text buffer. One object a thread.

#include <string>
#include <vector>

#include "spec/spec.hpp"
#include "transform/duckdb_handle.hpp"

namespace wherry::app {

class result_writer {
 public:
  /// Appends the header row.
  static void header(const std::vector<column>& columns, std::string& out);

  /// Learns the columns' types. Requires: only types that `result_plan::select` leaves for CSV.
  explicit result_writer(duckdb_result& result);

  /// Appends the rows of a chunk of that result.
  void rows(duckdb_data_chunk chunk, std::string& out);

 private:
  struct column {
    duckdb_type type;
    int scale = 0;
    const void* values = nullptr;
    const std::uint64_t* valid = nullptr;
  };
  static void value(const column& column, idx_t row, std::string& out);

  std::vector<column> columns_;
};

}  // namespace wherry::app
