// SPDX-License-Identifier: Apache-2.0
#pragma once
// Compares what the spec declares with what DuckDB makes of it, before the first report.
//
// Names and order of the result must be those of [transform] columns. A type that differs is cast
// to the declared one by an outer select (so that a decimal(18,6) comes out as one, whatever the
// SQL's arithmetic made of it); a value that does not fit is an error of its report, naming the
// column.

#include <expected>
#include <string>
#include <string_view>
#include <vector>

#include "spec/spec.hpp"
#include "transform/database.hpp"
#include "transform/report_table.hpp"

namespace wherry::app {

/// A column that the outer select casts.
struct planned_cast {
  std::string name;
  std::string from;
  std::string to;
};

struct result_plan {
  std::string sql;              ///< of the spec, ready to stand in parentheses
  std::vector<column> columns;  ///< of the result, types as DuckDB spells them
  std::vector<planned_cast> casts;

  /// The statement whose result is written: with every cast, and for CSV as text whatever our
  /// writer does not know.
  std::string select(file_format format) const;
};

/// Spells out the declared columns of the report. Errors: columns, naming a type that does not
/// exist.
[[nodiscard]] std::expected<std::vector<report_column>, transform_error> plan_report(
    duckdb_connection connection, const std::vector<column>& declared);

/// Checks SQL and result columns. Registers faster casts where money is rounded.
/// Errors: sql, unit, currency, columns (each difference by name).
[[nodiscard]] std::expected<result_plan, transform_error> plan_result(duckdb_connection connection,
                                                                      const transform& transform);

/// Checks only that the SQL is one statement that parses: all that is known before a report whose
/// columns are not declared.
[[nodiscard]] std::expected<void, transform_error> check_syntax(duckdb_connection connection,
                                                                const transform& transform);

}  // namespace wherry::app
