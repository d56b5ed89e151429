// SPDX-License-Identifier: Apache-2.0
#include "transform/report_table.hpp"

#include <algorithm>
#include <cctype>
#include <cstring>
#include <memory>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "transform/decimal.hpp"
#include "transform/shown_text.hpp"

namespace wherry::app {
namespace {

using kind = transform_error::kind;

constexpr const char* function_name = "wherry_report";
constexpr const char* line_column = "wherry_line";

std::string in_lower_case(std::string text) {
  for (char& c : text) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  return text;
}

// Cuts a value for an error, between two characters, and makes it fit to be shown.
std::string cut(std::string_view text) {
  constexpr std::size_t most = 40;
  if (text.size() <= most) return plain_text(text);
  std::size_t length = most;
  while (length > 0 && (static_cast<unsigned char>(text[length]) & 0xC0) == 0x80) --length;
  return plain_text(text.substr(0, length));
}

// Points a string at text that outlives it, or copies it in when it is short.
void put_text(duckdb_string_t& to, std::string_view text) {
  std::memset(&to, 0, sizeof to);
  to.value.inlined.length = static_cast<std::uint32_t>(text.size());
  if (text.size() <= sizeof to.value.inlined.inlined) {
    std::memcpy(to.value.inlined.inlined, text.data(), text.size());
  } else {
    std::memcpy(to.value.pointer.prefix, text.data(), sizeof to.value.pointer.prefix);
    to.value.pointer.ptr = const_cast<char*>(text.data());
  }
}

template <class Value>
bool store(void* data, idx_t row, const std::optional<Value>& value) {
  if (!value) return false;
  static_cast<Value*>(data)[row] = *value;
  return true;
}

bool store_decimal(const report_column& column, void* data, idx_t row, std::string_view text) {
  const auto value = parse_decimal(trimmed(text), column.width, column.scale);
  if (!value) return false;
  if (column.width <= 4)
    static_cast<std::int16_t*>(data)[row] = static_cast<std::int16_t>(*value);
  else if (column.width <= 9)
    static_cast<std::int32_t*>(data)[row] = static_cast<std::int32_t>(*value);
  else if (column.width <= 18)
    static_cast<std::int64_t*>(data)[row] = static_cast<std::int64_t>(*value);
  else
    static_cast<duckdb_hugeint*>(data)[row] = to_hugeint(*value);
  return true;
}

std::string list(const std::vector<std::string>& names) {
  return fmt::format("\"{}\"", fmt::join(names, "\", \""));
}

}  // namespace

report_scan::report_scan(const std::vector<report_column>& columns,
                         const std::vector<std::size_t>& order, csv_reader reader)
    : columns_(columns), order_(order), reader_(reader) {}

void report_scan::aim(duckdb_data_chunk chunk) {
  targets_.clear();
  for (const auto index : order_) {
    const duckdb_vector vector = duckdb_data_chunk_get_vector(chunk, index);
    targets_.push_back({&columns_[index], vector, duckdb_vector_get_data(vector)});
  }
  if (duckdb_data_chunk_get_column_count(chunk) > columns_.size()) {
    lines_ = static_cast<std::int64_t*>(
        duckdb_vector_get_data(duckdb_data_chunk_get_vector(chunk, columns_.size())));
  }
}

bool report_scan::put_typed(const target& to, idx_t row, std::string_view text) const {
  switch (to.column->read_as) {
    case DUCKDB_TYPE_BOOLEAN: return store(to.data, row, parse_boolean(text));
    case DUCKDB_TYPE_SMALLINT: return store(to.data, row, parse_integer<std::int16_t>(text));
    case DUCKDB_TYPE_INTEGER: return store(to.data, row, parse_integer<std::int32_t>(text));
    case DUCKDB_TYPE_BIGINT: return store(to.data, row, parse_integer<std::int64_t>(text));
    case DUCKDB_TYPE_DOUBLE: return store(to.data, row, parse_double(text));
    case DUCKDB_TYPE_DATE: return store(to.data, row, parse_date(text));
    case DUCKDB_TYPE_DECIMAL: return store_decimal(*to.column, to.data, row, text);
    default: return false;
  }
}

bool report_scan::put(const target& to, idx_t row, const csv_field& field) {
  const bool text_column = to.column->read_as == DUCKDB_TYPE_VARCHAR && !to.column->cast;
  if (field.text.empty() && !(field.quoted && text_column)) {
    set_null(to.vector, row);
    return true;
  }
  std::string_view text = field.text;
  if (field.doubled) {
    scratch_.clear();
    append_unquoted(scratch_, text);
    text = scratch_;
  }
  if (to.column->read_as != DUCKDB_TYPE_VARCHAR) return put_typed(to, row, text);
  if (field.doubled) {
    duckdb_vector_assign_string_element_len(to.vector, row, text.data(), text.size());
  } else {
    put_text(static_cast<duckdb_string_t*>(to.data)[row], text);
  }
  return true;
}

std::unexpected<transform_error> report_scan::wrong_value(const target& at,
                                                          const csv_field& field) const {
  const auto type = in_lower_case(at.column->type);
  return failure(kind::data, fmt::format("line {}, column \"{}\": '{}' is not a {}. Correct the "
                                         "report at its source, or declare the column "
                                         "with another type in [source] columns",
                                         reader_.line(), at.column->name, cut(field.text), type));
}

std::expected<idx_t, transform_error> report_scan::fill(duckdb_data_chunk chunk) {
  if (at_end_) return 0;
  aim(chunk);
  const idx_t most = duckdb_vector_size();
  idx_t row = 0;
  while (row < most) {
    const auto more = reader_.next(fields_);
    if (!more) {
      return failure(kind::data, fmt::format("line {}: {}. Correct the report at its source",
                                             more.error().line, more.error().what));
    }
    if (!*more) {
      at_end_ = true;
      break;
    }
    if (fields_.size() != targets_.size()) {
      const bool blank = fields_.size() == 1 && fields_[0].text.empty() && !fields_[0].quoted;
      if (blank) continue;
      return failure(
          kind::data,
          fmt::format(
              "line {}: {} fields where the header has {}{}. Correct the report at its source",
              reader_.line(), fields_.size(), targets_.size(),
              fields_.size() < targets_.size() ? " (is the report cut short?)" : ""));
    }
    for (std::size_t i = 0; i < fields_.size(); ++i) {
      if (!put(targets_[i], row, fields_[i])) return wrong_value(targets_[i], fields_[i]);
    }
    if (lines_ != nullptr) lines_[row] = static_cast<std::int64_t>(reader_.line());
    ++row;
  }
  rows_ += row;
  return row;
}

std::expected<void, transform_error> report_input::load(std::string_view text) {
  rows_.reset();
  error_.reset();
  if (text.empty()) return failure(kind::data, empty_report);
  if (const auto line = line_of_invalid_utf8(text)) {
    return failure(kind::data,
                   fmt::format("line {}: the text is not UTF-8. Ask the API for UTF-8", *line));
  }
  body_ = csv_reader(text);
  std::vector<csv_field> header;
  const auto more = body_.next(header);
  if (!more) {
    return failure(kind::data, fmt::format("line {}: {}. Correct the report at its source",
                                           more.error().line, more.error().what));
  }
  return match(header);
}

std::expected<void, transform_error> report_input::match(const std::vector<csv_field>& header) {
  order_.clear();
  std::vector<bool> seen(columns_.size(), false);
  std::vector<std::string> unknown;
  std::vector<std::string> missing;
  for (const auto& field : header) {
    std::string name;
    if (field.doubled)
      append_unquoted(name, field.text);
    else
      name = field.text;
    const auto found = std::ranges::find(columns_, name, &report_column::name);
    if (found == columns_.end()) {
      unknown.push_back(cut(name));
      continue;
    }
    const auto index = static_cast<std::size_t>(found - columns_.begin());
    if (seen[index]) {
      return failure(
          kind::columns,
          fmt::format("the report has column \"{}\" twice. Correct the report at its source",
                      name));
    }
    seen[index] = true;
    order_.push_back(index);
  }
  for (std::size_t i = 0; i < columns_.size(); ++i) {
    if (!seen[i]) missing.push_back(columns_[i].name);
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
  for (const auto& column : columns_) {
    owned.emplace_back(column.read_as == DUCKDB_TYPE_DECIMAL
                           ? duckdb_create_decimal_type(static_cast<std::uint8_t>(column.width),
                                                        static_cast<std::uint8_t>(column.scale))
                           : duckdb_create_logical_type(column.read_as));
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

bool report_table::has_casts() const { return std::ranges::any_of(columns_, &report_column::cast); }

std::string report_table::view() const {
  std::vector<std::string> selected;
  for (const auto& column : columns_) {
    const auto name = quoted_name(column.name);
    if (!column.cast) {
      selected.push_back(name);
      continue;
    }
    const auto place = quoted_text(fmt::format(", column \"{}\": '", column.name));
    const auto remedy =
        quoted_text(fmt::format("' is not a {}. Correct the report at its source, or declare the "
                                "column with another type in "
                                "[source] columns",
                                in_lower_case(column.type)));
    selected.push_back(
        fmt::format("case when {0} is null then null else coalesce(try_cast({0} as {1}), "
                    "error({2} || {3} || {4} || left({0}, 40) || {5})) end as {0}",
                    name, column.type, quoted_text(fmt::format("{}line ", report_error_tag)),
                    line_column, place, remedy));
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
  for (const auto& column : table.columns_) {
    const type_handle type(column.read_as == DUCKDB_TYPE_DECIMAL
                               ? duckdb_create_decimal_type(static_cast<std::uint8_t>(column.width),
                                                            static_cast<std::uint8_t>(column.scale))
                               : duckdb_create_logical_type(column.read_as));
    duckdb_bind_add_result_column(info, column.name.c_str(), type.get());
  }
  if (table.has_casts()) {
    const type_handle type(duckdb_create_logical_type(DUCKDB_TYPE_BIGINT));
    duckdb_bind_add_result_column(info, line_column, type.get());
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
