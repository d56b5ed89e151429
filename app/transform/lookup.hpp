// SPDX-License-Identifier: Apache-2.0
#pragma once
// Lookup tables of [transform.tables]: files that are read once, before DuckDB is locked down, and
// that the SQL of every report may join. They stay in DuckDB's memory and count in its limit; what
// changes in a file is seen by the next start.

#include <expected>

#include "spec/spec.hpp"
#include "transform/database.hpp"

namespace wherry::app {

/// Reads a file into a table of its name. With declared columns the table has these, of their
/// types, and the file may have more. Requires: the connection may still read files.
/// Errors: columns (names that the file lacks; a value that its type does not take), io.
[[nodiscard]] std::expected<void, transform_error> load_lookup_table(duckdb_connection connection,
                                                                     const lookup_table& table);

}  // namespace wherry::app
