// SPDX-License-Identifier: Apache-2.0
#include "transform/plan.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <map>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "transform/functions.hpp"

namespace wherry::app {
namespace {

using kind = transform_error::kind;

// What the reader parses itself, and what the CSV writer prints itself.
const std::map<std::string_view, duckdb_type> readable{
    {"VARCHAR", DUCKDB_TYPE_VARCHAR},   {"BOOLEAN", DUCKDB_TYPE_BOOLEAN},
    {"SMALLINT", DUCKDB_TYPE_SMALLINT}, {"INTEGER", DUCKDB_TYPE_INTEGER},
    {"BIGINT", DUCKDB_TYPE_BIGINT},     {"DOUBLE", DUCKDB_TYPE_DOUBLE},
    {"DATE", DUCKDB_TYPE_DATE}};
constexpr std::array<std::string_view, 15> writable{
    "VARCHAR",  "BOOLEAN", "TINYINT", "SMALLINT", "INTEGER", "BIGINT", "UTINYINT", "USMALLINT",
    "UINTEGER", "UBIGINT", "HUGEINT", "FLOAT",    "DOUBLE",  "DATE",   "TIMESTAMP"};

std::optional<decimal_type> decimal_of(std::string_view type) {
  constexpr std::string_view head = "DECIMAL(";
  if (!type.starts_with(head)) return std::nullopt;
  decimal_type result{};
  const char* const end = type.data() + type.size();
  const auto width = std::from_chars(type.data() + head.size(), end, result.width);
  if (width.ec != std::errc{} || width.ptr == end || *width.ptr != ',') return std::nullopt;
  const auto scale = std::from_chars(width.ptr + 1, end, result.scale);
  if (scale.ec != std::errc{} || std::string_view(scale.ptr, end) != ")") return std::nullopt;
  return result;
}

// The SQL without what ends a statement, so that it can stand in parentheses.
std::string bare(std::string_view sql) {
  constexpr std::string_view ends = " \t\r\n;";
  const auto last = sql.find_last_not_of(ends);
  if (last == std::string_view::npos) return "select * from report";
  return std::string(sql.substr(0, last + 1));
}

// An error in the SQL as it stands in the spec, with its place there.
transform_error wrong_sql(const char* message) {
  const std::string_view said = message == nullptr ? "there is no statement" : message;
  auto error = from_duckdb(said, kind::sql);
  const auto place = split_message(said).place;
  error.message =
      fmt::format("[transform] sql{}{}: {}", place.empty() ? "" : ", ", place, error.message);
  return error;
}

// Types as DuckDB spells them; the first that it does not know is named.
std::expected<std::vector<column>, transform_error> spelled(duckdb_connection connection,
                                                            const std::vector<column>& declared,
                                                            std::string_view section) {
  std::vector<column> result;
  for (const auto& one : declared) {
    auto types =
        describe(connection, fmt::format("select cast(null as {}) as x", one.type), kind::columns);
    if (!types || types->size() != 1) {
      return failure(
          kind::columns,
          fmt::format("[{}] columns: \"{}\" has type '{}', which DuckDB does not know. "
                      "Use one such as varchar, bigint, double, decimal(18,6), date, timestamp",
                      section, one.name, one.type));
    }
    result.push_back({one.name, types->front().type, one.path, one.optional});
  }
  return result;
}

std::string shown(const std::vector<column>& columns) {
  std::vector<std::string> names;
  for (const auto& one : columns) names.push_back(one.name);
  return fmt::format("{}", fmt::join(names, ", "));
}

std::expected<void, transform_error> same_names(const std::vector<column>& got,
                                                const std::vector<column>& declared) {
  std::vector<std::string> differences;
  const auto has = [](const std::vector<column>& in, const std::string& name) {
    return std::ranges::find(in, name, &column::name) != in.end();
  };
  for (const auto& one : got) {
    if (std::ranges::count(got, one.name, &column::name) > 1) {
      return failure(kind::columns,
                     fmt::format("the SQL returns column \"{}\" twice. Name one of them otherwise "
                                 "(... as other_name)",
                                 one.name));
    }
  }
  if (declared.empty()) return {};
  for (const auto& one : declared) {
    if (!has(got, one.name))
      differences.push_back(fmt::format("\"{}\" is declared and does not come", one.name));
  }
  for (const auto& one : got) {
    if (!has(declared, one.name))
      differences.push_back(fmt::format("\"{}\" comes and is not declared", one.name));
  }
  if (differences.empty() && !std::ranges::equal(got, declared, {}, &column::name, &column::name)) {
    differences.push_back(
        fmt::format("the order is ({}), declared is ({})", shown(got), shown(declared)));
  }
  if (differences.empty()) return {};
  return failure(kind::columns,
                 fmt::format("the SQL's columns are not those of [transform] columns: {}. "
                             "Correct the SQL or the columns",
                             fmt::join(differences, "; ")));
}

std::expected<void, transform_error> quicken_money(duckdb_connection connection,
                                                   const result_plan& plan) {
  std::map<std::pair<std::string, std::string>, decimal_cast> wanted;
  const std::string currency = "DECIMAL(38,10)";  // of convert_currency: the SQL itself may cast it
  for (const auto& one : plan.columns) wanted[{currency, one.type}] = {};
  for (const auto& one : plan.casts) wanted[{one.from, one.to}] = {};
  for (const auto& [types, unused] : wanted) {
    const auto from = decimal_of(types.first);
    const auto to = decimal_of(types.second);
    if (!from || !to || types.first == types.second) continue;
    if (!register_decimal_cast(connection, {*from, *to})) {
      return failure(kind::sql,
                     fmt::format("DuckDB refuses a cast from {} to {}", types.first, types.second));
    }
  }
  return {};
}

}  // namespace

std::string result_plan::select(file_format format) const {
  std::vector<std::string> selected;
  for (const auto& one : columns) {
    const auto name = quoted_name(one.name);
    std::string value = name;
    if (std::ranges::find(casts, one.name, &planned_cast::name) != casts.end()) {
      value = fmt::format("cast({} as {})", name, one.type);
    }
    const bool known =
        std::ranges::find(writable, one.type) != writable.end() || decimal_of(one.type);
    if (format != file_format::parquet && !known) value = fmt::format("cast({} as varchar)", value);
    selected.push_back(fmt::format("{} as {}", value, name));
  }
  return fmt::format("select {} from ({}\n) as result", fmt::join(selected, ", "), sql);
}

std::expected<std::vector<report_column>, transform_error> plan_report(
    duckdb_connection connection, const std::vector<column>& declared) {
  auto columns = spelled(connection, declared, "source");
  if (!columns) return std::unexpected(std::move(columns.error()));
  std::vector<report_column> result;
  for (const auto& one : *columns) {
    report_column read{.name = one.name,
                       .type = one.type,
                       .read_as = DUCKDB_TYPE_VARCHAR,
                       .path = one.path,
                       .optional = one.optional};
    const auto found = readable.find(one.type);
    if (const auto decimal = decimal_of(one.type)) {
      read.read_as = DUCKDB_TYPE_DECIMAL;
      read.width = decimal->width;
      read.scale = decimal->scale;
    } else if (found != readable.end()) {
      read.read_as = found->second;
    } else {
      read.cast = true;
    }
    result.push_back(std::move(read));
  }
  return result;
}

std::expected<void, transform_error> check_syntax(duckdb_connection connection,
                                                  const transform& transform) {
  const std::string sql = bare(transform.sql);
  extracted_handle statements;
  const auto count = duckdb_extract_statements(connection, sql.c_str(), statements.out());
  if (count == 0) {
    return std::unexpected(wrong_sql(duckdb_extract_statements_error(statements.get())));
  }
  if (count != 1) {
    return failure(kind::sql,
                   fmt::format("[transform] sql: {} statements. Write one select", count));
  }
  return {};
}

std::expected<result_plan, transform_error> plan_result(duckdb_connection connection,
                                                        const transform& transform) {
  if (auto checked = check_syntax(connection, transform); !checked)
    return std::unexpected(std::move(checked.error()));
  result_plan plan{.sql = bare(transform.sql), .columns = {}, .casts = {}};
  statement_handle statement;
  if (duckdb_prepare(connection, plan.sql.c_str(), statement.out()) != DuckDBSuccess) {
    return std::unexpected(wrong_sql(duckdb_prepare_error(statement.get())));
  }
  if (duckdb_prepared_statement_type(statement.get()) != DUCKDB_STATEMENT_TYPE_SELECT) {
    return failure(kind::sql,
                   "[transform] sql: not a select. Write one select over the table report");
  }
  if (duckdb_nparams(statement.get()) != 0) {
    return failure(
        kind::sql,
        "[transform] sql: it has parameters ($ or ?), which nothing fills. Write the values");
  }
  auto got =
      describe(connection, fmt::format("select * from ({}\n) as result", plan.sql), kind::sql);
  if (!got) return std::unexpected(std::move(got.error()));
  auto declared = spelled(connection, transform.columns, "transform");
  if (!declared) return std::unexpected(std::move(declared.error()));
  // DuckDB renames a repeated column when it describes a subquery: the statement itself has the
  // names.
  for (std::size_t i = 0; i < got->size(); ++i) {
    (*got)[i].name =
        taken(const_cast<char*>(duckdb_prepared_statement_column_name(statement.get(), i)));
  }
  if (auto same = same_names(*got, *declared); !same)
    return std::unexpected(std::move(same.error()));
  plan.columns = declared->empty() ? *got : *declared;
  for (std::size_t i = 0; i < plan.columns.size(); ++i) {
    if ((*got)[i].type == plan.columns[i].type) continue;
    plan.casts.push_back({plan.columns[i].name, (*got)[i].type, plan.columns[i].type});
  }
  if (auto quick = quicken_money(connection, plan); !quick)
    return std::unexpected(std::move(quick.error()));
  return plan;
}

}  // namespace wherry::app
