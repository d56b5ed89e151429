// SPDX-License-Identifier: Apache-2.0
#pragma once
// One DuckDB instance for an import, locked down: no network, no extensions, no temporary files, no
// files outside one directory, no configuration afterwards. One thread inside: each caller's thread
// runs its own connection, so that a report costs no hand-over. Also: what DuckDB's errors mean
// here.

#include <expected>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "spec/spec.hpp"
#include "transform/duckdb_handle.hpp"
#include "transform/error.hpp"

namespace wherry::app {

struct database_options {
  std::string directory;  ///< the only one whose files may be read or written; empty: none
  std::string memory_limit = "512MB";  ///< as DuckDB spells it
};

/// Opens an instance in memory. It is open to configuration until `lock_down`.
[[nodiscard]] std::expected<database_handle, transform_error> open_database(
    const database_options& options);

/// Takes away, in the order that works: extensions, network and files, changes to the
/// configuration.
[[nodiscard]] std::expected<void, transform_error> lock_down(duckdb_connection connection,
                                                             const database_options& options);

[[nodiscard]] std::expected<connection_handle, transform_error> connect(duckdb_database database);

/// Runs one statement. Errors: as DuckDB says, taken as one of `otherwise` unless its text tells
/// better.
[[nodiscard]] std::expected<result_handle, transform_error> query(duckdb_connection connection,
                                                                  const std::string& sql,
                                                                  transform_error::kind otherwise);

[[nodiscard]] std::expected<statement_handle, transform_error> prepare(
    duckdb_connection connection, const std::string& sql, transform_error::kind otherwise);

/// Names and types of what a query returns, as DuckDB spells them.
[[nodiscard]] std::expected<std::vector<column>, transform_error> describe(
    duckdb_connection connection, const std::string& sql, transform_error::kind otherwise);

/// A table of texts; empty cells are NULL.
using text_rows = std::vector<std::vector<std::optional<std::string>>>;

/// Reads a result whose columns are all VARCHAR.
text_rows read_texts(result_handle& result);

/// A message of DuckDB's without the SQL that it quotes (with all variables filled in).
struct duckdb_message {
  std::string_view text;
  std::string place;  ///< "line 2, column 8" of the SQL that was prepared; empty: none was given
};
duckdb_message split_message(std::string_view message);

/// Says what a message of DuckDB's means: an error of our own functions keeps its kind and loses
/// DuckDB's prefix, a lack of memory or space is io, anything else is `otherwise`. No SQL is
/// quoted.
transform_error from_duckdb(std::string_view message, transform_error::kind otherwise);

}  // namespace wherry::app
