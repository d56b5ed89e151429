// SPDX-License-Identifier: Apache-2.0
#pragma once
// Prints DuckDB's result chunks as rows of text into a buffer: CSV, or JSON lines. One object a
// thread.
//
// Of JSON lines: an object a row, its members in the order of the columns, all of them in each row;
// NULL is null. Integers and decimals are numbers with all their digits, so that money stays exact
// for a reader that keeps them; floats are numbers, too, but what JSON has none for (nan, inf) is a
// text, as dates, times and all else are, spelt as in CSV.

#include <string>
#include <vector>

#include "spec/spec.hpp"
#include "transform/duckdb_handle.hpp"

namespace wherry::app {

class result_writer {
 public:
  /// Learns the columns' types. Requires: only types that `result_plan::select` leaves for text.
  result_writer(duckdb_result& result, const std::vector<app::column>& columns, file_format format);

  /// Appends the header row, if the format has one.
  void header(std::string& out) const;

  /// Appends the rows of a chunk of that result.
  void rows(duckdb_data_chunk chunk, std::string& out);

 private:
  struct column {
    duckdb_type type;
    int scale = 0;
    const void* values = nullptr;
    const std::uint64_t* valid = nullptr;
    std::string name{};  ///< as it stands before a value: of CSV nothing, of JSON lines "name":
  };
  void csv_row(idx_t row, std::string& out) const;
  void json_row(idx_t row, std::string& out) const;
  static void json_value(const column& column, idx_t row, std::string& out);
  static void value(const column& column, idx_t row, std::string& out);

  std::string header_;
  bool is_json_;
  std::vector<column> columns_;
};

}  // namespace wherry::app
