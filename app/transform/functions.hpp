// SPDX-License-Identifier: Apache-2.0
#pragma once
// The SQL functions that Wherry adds to DuckDB.
//
//   convert_unit(value double, from varchar, to varchar) -> double
//   convert_currency(amount, from varchar, to varchar, day date) -> decimal(38,10)
//   currency_rate(from varchar, to varchar, day date) -> decimal(38,18)
//   currency_rate_day(from varchar, to varchar, day date) -> date
//   from_minor(amount, currency varchar) -> decimal(38,10)
//   from_micros(amount) -> decimal(38,10)
//   client_id() client_account() client_currency() client_timezone() -> varchar
//   report_day() -> date
//
// An amount is a DECIMAL of at most 10 decimals or a whole number, both taken exactly, or a DOUBLE,
// rounded to 10 decimals first. The same currency is the identity. A NULL argument gives NULL.
// Literal units and currencies are looked up while the statement is prepared: a wrong one is an
// error before the first row, and a right one costs nothing per row.

#include <cstdint>
#include <map>
#include <mutex>
#include <string>
#include <string_view>

#include "transform/duckdb_handle.hpp"
#include "transform/rates.hpp"
#include "transform/units.hpp"

namespace wherry::app {

/// How errors of these functions begin, whatever DuckDB puts before them.
inline constexpr std::string_view unit_error_tag = "convert_unit: ";
inline constexpr std::string_view currency_error_tag = "convert_currency: ";
inline constexpr std::string_view rate_error_tag = "currency_rate: ";
inline constexpr std::string_view minor_error_tag = "from_minor: ";
inline constexpr std::string_view micros_error_tag = "from_micros: ";

/// Whose report is converted, and of which day.
struct report_subject {
  std::string client;
  std::string account;
  std::string currency;  ///< empty: NULL
  std::string timezone;
  std::int32_t day = 0;   ///< since 1970-01-01
  bool is_known = false;  ///< false: all are NULL
};

/// Which connection works on whose report. Threads: any; a subject changes only between two runs.
class report_subjects {
 public:
  /// Requires: `subject` outlives the connection's statements.
  void attach(duckdb_connection connection, const report_subject& subject);
  /// Null: a connection that works on none.
  const report_subject* find(duckdb_client_context context);

 private:
  std::mutex mutex_;
  std::map<idx_t, const report_subject*> by_connection_;
};

/// What the functions look things up in; must outlive the database.
struct function_context {
  app::units* units;
  const app::rates* rates;  ///< null: convert_currency says that there are none
  report_subjects* subjects;
};

/// Makes all of them known to the whole database; false when DuckDB refuses.
bool register_functions(duckdb_connection connection, const function_context& context);

/// Parts of it.
bool register_money_functions(duckdb_connection connection, const function_context& context);
bool register_report_functions(duckdb_connection connection, const function_context& context);

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
