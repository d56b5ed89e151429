// SPDX-License-Identifier: Apache-2.0
#include "transform/report_table.hpp"

#include <algorithm>
#include <memory>

#include <fmt/format.h>
#include <fmt/ranges.h>

namespace wherry::app {
namespace {

using kind = transform_error::kind;

constexpr const char* function_name = "wherry_report";
constexpr const char* place_column = "wherry_line";

// Where a column is in the report.
const std::string& header_of(const report_column& column) {
  return column.path.empty() ? column.name : column.path;
}

type_handle type_of(const report_column& column) {
  return type_handle(column.read_as == DUCKDB_TYPE_DECIMAL
                         ? duckdb_create_decimal_type(static_cast<std::uint8_t>(column.width),
                                                      static_cast<std::uint8_t>(column.scale))
                         : duckdb_create_logical_type(column.read_as));
}

std::unexpected<transform_error> malformed(const csv_error& what) {
  return failure(kind::data, fmt::format("line {}: {}. Correct the report at its source", what.line,
                                         what.what));
}

std::string list(const std::vector<std::string>& names) {
  return fmt::format("\"{}\"", fmt::join(names, "\", \""));
}

}  // namespace

void report_input::drop_by(row_sieve* sieve) {
  sieve_ = sieve;
  rows_.reset();
}

std::expected<void, transform_error> report_input::load(report_bytes bytes) {
  bytes_ = bytes;
  const auto text = bytes.text;
  rows_.reset();
  error_.reset();
  sieve_ = nullptr;
  if (text.empty() && !shape_.is_json()) return failure(kind::data, empty_report);
  passed_pages pages(bytes);
  if (const auto line = line_of_invalid_utf8(text, [&](const char* at) { pages.up_to(at); })) {
    return failure(kind::data, fmt::format("line {}: the text is not UTF-8. Ask the API for UTF-8, "
                                           "or say what it is by encoding in [source.format]",
                                           *line));
  }
  body_ = csv_reader(text, shape_.dialect());
  if (shape_.is_json() || !shape_.format.header) {
    layout_ = {};
    for (std::size_t i = 0; i < shape_.columns.size(); ++i) layout_.order.push_back(i);
  }
  return shape_.is_json() ? std::expected<void, transform_error>{} : read_header();
}

std::expected<void, transform_error> report_input::read_header() {
  for (int i = 0; i < shape_.format.skip; ++i) {
    if (body_.skip_line()) continue;
    return failure(kind::data,
                   fmt::format("the report has only {} lines, and {} are skipped before the "
                               "header. Correct skip in [source.format]",
                               i + 1, shape_.format.skip));
  }
  if (!shape_.format.header) return {};
  std::vector<csv_field> header;
  const auto more = body_.next(header);
  if (!more) return malformed(more.error());
  if (!*more)
    return failure(kind::data,
                   "the report ends before its header line. Correct skip in "
                   "[source.format], or ask the API what it answers");
  return match(header);
}

std::expected<void, transform_error> report_input::match(const std::vector<csv_field>& header) {
  layout_ = {};
  const auto& columns = shape_.columns;
  std::vector<bool> seen(columns.size(), false);
  std::vector<std::string> unknown;
  std::vector<std::string> missing;
  for (const auto& field : header) {
    std::string name;
    if (field.doubled)
      append_unquoted(name, field.text, body_.dialect());
    else
      name = field.text;
    const auto found = std::ranges::find(columns, name, header_of);
    if (found == columns.end()) {
      unknown.push_back(cut_value(name));
      continue;
    }
    const auto index = static_cast<std::size_t>(found - columns.begin());
    if (seen[index]) {
      return failure(
          kind::columns,
          fmt::format("the report has column \"{}\" twice. Correct the report at its source",
                      name));
    }
    seen[index] = true;
    layout_.order.push_back(index);
  }
  for (std::size_t i = 0; i < columns.size(); ++i) {
    if (seen[i]) continue;
    if (columns[i].optional) {
      layout_.absent.push_back(i);
    } else {
      missing.push_back(header_of(columns[i]));
    }
  }
  if (missing.empty() && unknown.empty()) return {};
  std::string message = "the report's columns are not those declared:";
  if (!missing.empty()) message += fmt::format(" missing {}", list(missing));
  if (!unknown.empty())
    message += fmt::format("{} not declared {}", missing.empty() ? "" : ";", list(unknown));
  message += ". Bring [source] columns in line with the report's header";
  return failure(kind::columns, std::move(message));
}

std::expected<std::uint64_t, transform_error> report_input::finish() {
  if (rows_) return *rows_;
  std::vector<type_handle> owned;
  std::vector<duckdb_logical_type> types;
  for (const auto& column : shape_.columns) {
    owned.push_back(type_of(column));
    types.push_back(owned.back().get());
  }
  const chunk_handle chunk(duckdb_create_data_chunk(types.data(), types.size()));
  auto rest = scan();
  while (!rest.at_end()) {
    duckdb_data_chunk_reset(chunk.get());
    const auto filled = rest.fill(chunk.get());
    if (!filled) return std::unexpected(filled.error());
    if (stopped_) return failure(kind::interrupted, "interrupted");
  }
  return *(rows_ = rest.rows());
}

// ---- the table function

bool report_table::has_casts() const {
  return std::ranges::any_of(shape_.columns, &report_column::cast);
}

std::string report_table::uncastable_rows() const {
  if (!has_casts()) return {};
  std::string which = "case";
  for (std::size_t i = 0; i < shape_.columns.size(); ++i) {
    const auto& column = shape_.columns[i];
    if (!column.cast) continue;
    which += fmt::format(" when {0} is not null and try_cast({0} as {1}) is null then {2}",
                         quoted_name(column.name), column.type, i);
  }
  return fmt::format(
      "select place, which from (select {} as place, cast({} end as bigint) as which from {}()) "
      "where which is not null",
      place_column, which, function_name);
}

std::string report_table::view() const {
  std::vector<std::string> selected;
  for (const auto& column : shape_.columns) {
    const auto name = quoted_name(column.name);
    if (!column.cast) {
      selected.push_back(name);
      continue;
    }
    const auto place = quoted_text(fmt::format(", column \"{}\": '", column.name));
    const auto remedy = quoted_text(
        fmt::format("' is not a {}. {}", in_lower_case(column.type), wrong_value_remedy));
    selected.push_back(fmt::format(
        "case when {0} is null then null else coalesce(try_cast({0} as {1}), "
        "error({2} || {3} || {4} || left({0}, 40) || {5})) end as {0}",
        name, column.type, quoted_text(fmt::format("{}{} ", report_error_tag, shape_.place_word())),
        place_column, place, remedy));
  }
  return fmt::format("create view report as select {} from {}()", fmt::join(selected, ", "),
                     function_name);
}

void report_table::bind(duckdb_bind_info info) {
  auto& table = *static_cast<report_table*>(duckdb_bind_get_extra_info(info));
  context_handle context;
  duckdb_table_function_get_client_context(info, context.out());
  const auto id = duckdb_client_context_get_connection_id(context.get());
  {
    const std::lock_guard lock(table.mutex_);
    const auto found = table.inputs_.find(id);
    duckdb_bind_set_bind_data(info, found == table.inputs_.end() ? nullptr : found->second,
                              nullptr);
  }
  for (const auto& column : table.shape_.columns) {
    duckdb_bind_add_result_column(info, column.name.c_str(), type_of(column).get());
  }
  if (table.has_casts()) {
    const type_handle type(duckdb_create_logical_type(DUCKDB_TYPE_BIGINT));
    duckdb_bind_add_result_column(info, place_column, type.get());
  }
}

void report_table::init(duckdb_init_info info) {
  const auto* input = static_cast<const report_input*>(duckdb_init_get_bind_data(info));
  duckdb_init_set_max_threads(info, 1);
  if (input == nullptr) return;
  duckdb_init_set_init_data(info, new report_scan(input->scan()),
                            [](void* one) { delete static_cast<report_scan*>(one); });
}

void report_table::run(duckdb_function_info info, duckdb_data_chunk output) {
  auto* input = static_cast<report_input*>(duckdb_function_get_bind_data(info));
  auto* scan = static_cast<report_scan*>(duckdb_function_get_init_data(info));
  duckdb_data_chunk_set_size(output, 0);
  if (input == nullptr || scan == nullptr) return;
  if (input->stopped()) return duckdb_function_set_error(info, "interrupted");
  const auto rows = scan->fill(output);
  if (!rows) {
    input->error_ = rows.error();
    return duckdb_function_set_error(
        info, fmt::format("{}{}", report_error_tag, rows.error().message).c_str());
  }
  if (scan->at_end()) input->rows_ = scan->rows();
  duckdb_data_chunk_set_size(output, *rows);
}

std::expected<void, std::string> report_table::install(duckdb_connection connection) {
  const table_function_handle function(duckdb_create_table_function());
  duckdb_table_function_set_name(function.get(), function_name);
  duckdb_table_function_set_extra_info(function.get(), this, nullptr);
  duckdb_table_function_set_bind(function.get(), bind);
  duckdb_table_function_set_init(function.get(), init);
  duckdb_table_function_set_function(function.get(), run);
  if (duckdb_register_table_function(connection, function.get()) != DuckDBSuccess) {
    return std::unexpected("DuckDB refuses the table function of the report");
  }
  result_handle result;
  if (duckdb_query(connection, view().c_str(), result.out()) != DuckDBSuccess) {
    return std::unexpected(std::string(duckdb_result_error(result.address())));
  }
  return {};
}

void report_table::attach(duckdb_connection connection, report_input& input) {
  context_handle context;
  duckdb_connection_get_client_context(connection, context.out());
  const std::lock_guard lock(mutex_);
  inputs_[duckdb_client_context_get_connection_id(context.get())] = &input;
}

}  // namespace wherry::app
