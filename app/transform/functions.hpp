// SPDX-License-Identifier: Apache-2.0
#pragma once
// The SQL functions that Wherry adds to DuckDB.
//
//   convert_unit(value double, from varchar, to varchar) -> double
//   convert_currency(amount, from varchar, to varchar, day date) -> decimal(38,10)
//
// An amount is a DECIMAL of at most 10 decimals or a whole number, both taken exactly, or a DOUBLE,
// rounded to 10 decimals first. The same currency is the identity. A NULL argument gives NULL.
// Literal units and currencies are looked up while the statement is prepared: a wrong one is an
// error before the first row, and a right one costs nothing per row.

#include "transform/duckdb_handle.hpp"
#include "transform/rates.hpp"
#include "transform/units.hpp"

namespace wherry::app {

/// How errors of these functions begin, whatever DuckDB puts before them.
inline constexpr std::string_view unit_error_tag = "convert_unit: ";
inline constexpr std::string_view currency_error_tag = "convert_currency: ";

/// What the functions look things up in; must outlive the database.
struct function_context {
  app::units* units;
  const app::rates* rates;  ///< null: convert_currency says that there are none
};

/// Makes both functions known to the whole database; false when DuckDB refuses.
bool register_functions(duckdb_connection connection, const function_context& context);

struct decimal_type {
  std::uint8_t width;
  std::uint8_t scale;
};

struct decimal_cast {
  decimal_type from;
  decimal_type to;
};

/// Replaces DuckDB's cast between two DECIMAL types by the same one in machine arithmetic: DuckDB's
/// takes 2 us a row where 128 bits are scaled down, ours 0.01 us. False when DuckDB refuses.
bool register_decimal_cast(duckdb_connection connection, decimal_cast cast);

}  // namespace wherry::app
