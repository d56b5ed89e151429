// SPDX-License-Identifier: Apache-2.0
#include "transform/database.hpp"

#include <array>

#include <fmt/format.h>

#include "transform/functions.hpp"
#include "transform/report_table.hpp"

namespace wherry::app {
namespace {

using kind = transform_error::kind;

std::string doubled(std::string_view text, char quote) {
  std::string result(1, quote);
  for (const char c : text) {
    if (c == quote) result.push_back(c);
    result.push_back(c);
  }
  result.push_back(quote);
  return result;
}

struct tagged {
  std::string_view tag;
  kind what;
  bool keep_tag;
};
constexpr std::array<tagged, 6> tags{{{unit_error_tag, kind::unit, true},
                                      {currency_error_tag, kind::currency, true},
                                      {rate_error_tag, kind::currency, true},
                                      {minor_error_tag, kind::currency, true},
                                      {micros_error_tag, kind::currency, true},
                                      {report_error_tag, kind::data, false}}};

}  // namespace

std::string quoted_name(std::string_view name) { return doubled(name, '"'); }
std::string quoted_text(std::string_view text) { return doubled(text, '\''); }

duckdb_message split_message(std::string_view message) {
  constexpr std::string_view mark = "\n\nLINE ";
  const auto at = message.find(mark);
  if (at == message.npos) return {message, {}};
  // "LINE 2: where x = 1" and below it a caret; a long line begins with "...": then only DuckDB
  // knows the column.
  const auto quote = message.substr(at + mark.size());
  const auto line = quote.substr(0, quote.find(':'));
  const auto sql = quote.substr(std::min(line.size() + 2, quote.size()));
  const auto below = sql.find('\n');
  const auto caret = quote.rfind('^');
  if (sql.starts_with("...") || below == sql.npos || caret == quote.npos) {
    return {message.substr(0, at), fmt::format("line {}", line)};
  }
  const auto indent = caret - (quote.size() - sql.size() + below + 1);
  const auto before = mark.size() - 2 + line.size() + 2;  // "LINE 2: "
  if (indent < before) return {message.substr(0, at), fmt::format("line {}", line)};
  return {message.substr(0, at), fmt::format("line {}, column {}", line, indent - before + 1)};
}

transform_error from_duckdb(std::string_view with_quote, kind otherwise) {
  const auto message = split_message(with_quote).text;
  for (const auto& [tag, what, keep_tag] : tags) {
    const auto at = message.find(tag);
    if (at == std::string_view::npos) continue;
    return {what, std::string(message.substr(keep_tag ? at : at + tag.size())), true};
  }
  if (message.find("No space left on device") != std::string_view::npos) {
    return {kind::no_space,
            fmt::format("{}. Free space there, or lower the spool's budget", message), false};
  }
  if (message.find("Too many open files") != std::string_view::npos) {
    return {kind::io, fmt::format("{}. Raise `ulimit -n` or lower `in_flight`", message), false};
  }
  if (message.starts_with("Out of Memory Error")) {
    const auto first_line = message.substr(0, message.find('\n'));
    return {kind::io,
            fmt::format(
                "the transforms under way need more memory than they may have together: {}. Let "
                "fewer run at once (`threads` in [transform]), declare the columns of the report "
                "([source] columns), or let the SQL keep fewer rows (no sort or grouping over the "
                "whole report)",
                first_line),
            false};
  }
  if (message.starts_with("INTERRUPT Error")) return {kind::interrupted, "interrupted", false};
  if (message.starts_with("IO Error")) return {kind::io, std::string(message), false};
  return {otherwise, std::string(message), true};
}

std::expected<database_handle, transform_error> open_database(const database_options& options) {
  config_handle config;
  duckdb_create_config(config.out());
  const std::array<std::array<const char*, 2>, 3> settings{
      {{"threads", "1"}, {"memory_limit", options.memory_limit.c_str()}, {"temp_directory", ""}}};
  for (const auto& [name, value] : settings) {
    if (duckdb_set_config(config.get(), name, value) != DuckDBSuccess) {
      return failure(kind::sql, fmt::format("DuckDB does not accept {} = '{}'", name, value));
    }
  }
  database_handle database;
  char* error = nullptr;
  if (duckdb_open_ext(nullptr, database.out(), config.get(), &error) != DuckDBSuccess) {
    return failure(kind::io, fmt::format("cannot start DuckDB: {}", taken(error)));
  }
  return database;
}

std::expected<void, transform_error> lock_down(duckdb_connection connection,
                                               const database_options& options) {
  std::vector<std::string> statements{
      "set global timezone = 'UTC'",  // a report's bytes must not depend on the host
      "set autoinstall_known_extensions = false",
      "set autoload_known_extensions = false",
  };
  if (!options.directory.empty()) {
    statements.push_back(
        fmt::format("set allowed_directories = [{}]", quoted_text(options.directory)));
  }
  statements.emplace_back("set enable_external_access = false");
  statements.emplace_back("set lock_configuration = true");
  for (const auto& sql : statements) {
    if (auto done = query(connection, sql, kind::sql); !done)
      return std::unexpected(std::move(done.error()));
  }
  return {};
}

std::expected<connection_handle, transform_error> connect(duckdb_database database) {
  connection_handle connection;
  if (duckdb_connect(database, connection.out()) != DuckDBSuccess) {
    return failure(kind::io, "DuckDB gives no connection");
  }
  return connection;
}

std::expected<result_handle, transform_error> query(duckdb_connection connection,
                                                    const std::string& sql, kind otherwise) {
  result_handle result;
  if (duckdb_query(connection, sql.c_str(), result.out()) != DuckDBSuccess) {
    const char* error = duckdb_result_error(result.address());
    return std::unexpected(
        from_duckdb(error == nullptr ? "DuckDB gives no reason" : error, otherwise));
  }
  return result;
}

std::expected<statement_handle, transform_error> prepare(duckdb_connection connection,
                                                         const std::string& sql, kind otherwise) {
  statement_handle statement;
  if (duckdb_prepare(connection, sql.c_str(), statement.out()) != DuckDBSuccess) {
    const char* error = duckdb_prepare_error(statement.get());
    return std::unexpected(
        from_duckdb(error == nullptr ? "DuckDB gives no reason" : error, otherwise));
  }
  return statement;
}

text_rows read_texts(result_handle& result) {
  text_rows rows;
  const auto columns = duckdb_column_count(result.address());
  for (;;) {
    const chunk_handle chunk(duckdb_fetch_chunk(*result.address()));
    if (chunk.get() == nullptr) return rows;
    const auto first = rows.size();
    rows.resize(first + duckdb_data_chunk_get_size(chunk.get()),
                std::vector<std::optional<std::string>>(columns));
    for (idx_t c = 0; c < columns; ++c) {
      const column_of<duckdb_string_t> values(duckdb_data_chunk_get_vector(chunk.get(), c));
      for (std::size_t row = first; row < rows.size(); ++row) {
        if (!values.is_null(row - first)) rows[row][c] = std::string(text_of(values[row - first]));
      }
    }
  }
}

std::expected<std::vector<column>, transform_error> describe(duckdb_connection connection,
                                                             const std::string& sql,
                                                             kind otherwise) {
  auto result =
      query(connection, fmt::format("select column_name, column_type from (describe {})", sql),
            otherwise);
  if (!result) return std::unexpected(std::move(result.error()));
  std::vector<column> columns;
  for (auto& row : read_texts(*result))
    columns.push_back({row[0].value_or(""), row[1].value_or("")});
  return columns;
}

}  // namespace wherry::app
