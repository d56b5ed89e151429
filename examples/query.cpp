// SPDX-License-Identifier: Apache-2.0
// query_results: prints the answer of one SQL query over files (csv, csv.gz, parquet) as a table,
// so that what an import wrote can be looked at with nothing else installed.
//
//   query_results "select origin, count(*) from 'build/demo/flights/*.parquet' group by all"

#include "duck.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstdio>
#include <exception>
#include <string>
#include <string_view>
#include <vector>

namespace {

using table_row = std::vector<std::string>;

/// Counts code points, which is near enough to the width on a terminal.
std::size_t width(std::string_view cell) {
  return static_cast<std::size_t>(std::ranges::count_if(
      cell, [](char byte) { return (static_cast<unsigned char>(byte) & 0xC0U) != 0x80U; }));
}

std::vector<table_row> answer(std::string sql) {
  sql.erase(sql.find_last_not_of("; \n") + 1);  // it becomes a subquery
  example::duck database;
  example::duck_result result;
  database.query("select columns(*)::varchar from (" + sql + "\n)", result);
  std::vector<table_row> rows(1);
  for (idx_t column = 0; column < result.columns(); ++column) {
    rows.front().push_back(result.name(column));
  }
  result.each_row([&](duckdb_data_chunk chunk, idx_t row) {
    auto& cells = rows.emplace_back();
    for (idx_t column = 0; column < rows.front().size(); ++column) {
      cells.emplace_back(example::text(chunk, column, row));
    }
  });
  return rows;
}

void print(const std::vector<table_row>& rows) {
  std::vector<std::size_t> widths(rows.front().size());
  for (const auto& cells : rows) {
    for (std::size_t i = 0; i < cells.size(); ++i) widths[i] = std::max(widths[i], width(cells[i]));
  }
  auto line = [&](const table_row& cells) {
    for (std::size_t i = 0; i < cells.size(); ++i) {
      fmt::print("  {}{:{}}", cells[i], "", widths[i] - width(cells[i]));
    }
    fmt::print("\n");
  };
  line(rows.front());
  for (const std::size_t w : widths) fmt::print("  {:-<{}}", "", w);
  fmt::print("\n");
  std::for_each(rows.begin() + 1, rows.end(), line);
}

}  // namespace

int main(int count, char** arguments) {
  if (count != 2) {
    fmt::print(stderr, "usage: query_results \"select … from 'directory/*.parquet'\"\n");
    return 2;
  }
  try {
    print(answer(arguments[1]));
    return 0;
  } catch (const std::exception& error) {
    fmt::print(stderr, "query_results: {}\n", error.what());
    return 1;
  }
}
