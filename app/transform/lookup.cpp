// SPDX-License-Identifier: Apache-2.0
#include "transform/lookup.hpp"

#include <algorithm>

#include <fmt/format.h>
#include <fmt/ranges.h>

namespace wherry::app {
namespace {

using kind = transform_error::kind;

// With declared columns a CSV is read as text and cast, so that an error names the column.
std::string reading(const lookup_table& table) {
  const auto path = quoted_text(table.file);
  const auto is = [&](std::string_view ending) {
    return table.file.ends_with(ending) || table.file.ends_with(std::string(ending) + ".gz");
  };
  if (table.file.ends_with(".parquet")) return fmt::format("read_parquet({})", path);
  if (is(".jsonl")) return fmt::format("read_ndjson({})", path);
  return fmt::format(
      "read_csv({}, header = true, delim = '{}', quote = '\"', escape = '\"', sample_size = -1{})",
      path, is(".tsv") ? "\t" : ",", table.columns.empty() ? "" : ", all_varchar = true");
}

transform_error about(const lookup_table& table, transform_error error) {
  error.message =
      fmt::format("[transform.tables.{}] {}: {}", table.name, table.file, error.message);
  return error;
}

std::string names_of(const std::vector<column>& columns) {
  constexpr std::size_t shown = 20;
  std::vector<std::string> names;
  for (const auto& one : columns) {
    if (names.size() == shown) break;
    names.push_back(one.name);
  }
  return fmt::format("\"{}\"{}", fmt::join(names, "\", \""), columns.size() > shown ? ", …" : "");
}

// What of the declared columns the file does not have.
std::vector<column> missing(const std::vector<column>& declared, const std::vector<column>& got) {
  std::vector<column> result;
  for (const auto& one : declared) {
    if (std::ranges::find(got, one.name, &column::name) == got.end()) result.push_back(one);
  }
  return result;
}

// Names the first value that its declared type does not take.
transform_error explained(duckdb_connection connection, const lookup_table& table,
                          transform_error error) {
  if (error.what != kind::columns) return error;
  for (const auto& one : table.columns) {
    const auto name = quoted_name(one.name);
    auto bad = query(connection,
                     fmt::format("select left(cast({0} as varchar), 40) from {1} where {0} is not "
                                 "null and try_cast({0} as {2}) is null limit 1",
                                 name, reading(table), one.type),
                     kind::columns);
    if (!bad) continue;
    const auto rows = read_texts(*bad);
    if (rows.empty()) continue;
    error.message = fmt::format("column \"{}\": '{}' is not a {}. Correct the file or the type",
                                one.name, rows[0][0].value_or(""), one.type);
    return error;
  }
  return error;
}

}  // namespace

std::expected<void, transform_error> load_lookup_table(duckdb_connection connection,
                                                       const lookup_table& table) {
  const auto got =
      describe(connection, fmt::format("select * from {}", reading(table)), kind::columns);
  if (!got) return std::unexpected(about(table, got.error()));
  if (const auto lacks = missing(table.columns, *got); !lacks.empty()) {
    return std::unexpected(about(
        table, {kind::columns,
                fmt::format("the file has no {}; it has {}. Bring the file or columns in line",
                            names_of(lacks), names_of(*got))}));
  }
  std::vector<std::string> selected;
  selected.reserve(table.columns.size());
  for (const auto& one : table.columns) {
    selected.push_back(fmt::format("cast({0} as {1}) as {0}", quoted_name(one.name), one.type));
  }
  const auto sql = fmt::format(
      "create table {} as select {} from {}", quoted_name(table.name),
      selected.empty() ? "*" : fmt::format("{}", fmt::join(selected, ", ")), reading(table));
  auto made = query(connection, sql, kind::columns);
  if (!made) {
    return std::unexpected(about(table, explained(connection, table, std::move(made.error()))));
  }
  return {};
}

}  // namespace wherry::app
