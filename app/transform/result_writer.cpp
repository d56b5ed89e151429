// SPDX-License-Identifier: Apache-2.0
#include "transform/result_writer.hpp"

#include <cmath>
#include <utility>

#include "transform/csv_writer.hpp"

namespace wherry::app {
namespace {

template <class Value>
const Value& at(const void* values, idx_t row) {
  return static_cast<const Value*>(values)[row];
}

bool is_null(const std::uint64_t* valid, idx_t row) {
  return valid != nullptr && ((valid[row / 64] >> (row % 64)) & 1) == 0;
}

}  // namespace

result_writer::result_writer(duckdb_result& result, const std::vector<app::column>& columns,
                             file_format format)
    : is_json_(format == file_format::json_lines) {
  if (!is_json_) {
    for (const auto& one : columns) {
      if (&one != &columns.front()) header_.push_back(',');
      append_text(header_, one.name);
    }
    header_.push_back('\n');
  }
  for (idx_t i = 0, count = duckdb_column_count(&result); i < count; ++i) {
    const type_handle type(duckdb_column_logical_type(&result, i));
    column one{.type = duckdb_get_type_id(type.get())};
    if (one.type == DUCKDB_TYPE_DECIMAL) {
      one.scale = duckdb_decimal_scale(type.get());
      switch (duckdb_decimal_internal_type(type.get())) {
        case DUCKDB_TYPE_SMALLINT: one.type = DUCKDB_TYPE_SMALLINT; break;
        case DUCKDB_TYPE_INTEGER: one.type = DUCKDB_TYPE_INTEGER; break;
        case DUCKDB_TYPE_BIGINT: one.type = DUCKDB_TYPE_BIGINT; break;
        default: one.type = DUCKDB_TYPE_HUGEINT; break;
      }
    }
    if (is_json_) {
      append_json_text(one.name, columns[i].name);
      one.name.push_back(':');
    }
    columns_.push_back(std::move(one));
  }
}

void result_writer::header(std::string& out) const { out.append(header_); }

void result_writer::rows(duckdb_data_chunk chunk, std::string& out) {
  for (idx_t i = 0; i < columns_.size(); ++i) {
    const duckdb_vector vector = duckdb_data_chunk_get_vector(chunk, i);
    columns_[i].values = duckdb_vector_get_data(vector);
    columns_[i].valid = duckdb_vector_get_validity(vector);
  }
  for (idx_t row = 0, count = duckdb_data_chunk_get_size(chunk); row < count; ++row) {
    is_json_ ? json_row(row, out) : csv_row(row, out);
    out.push_back('\n');
  }
}

void result_writer::csv_row(idx_t row, std::string& out) const {
  for (const auto& one : columns_) {
    if (&one != &columns_.front()) out.push_back(',');
    if (!is_null(one.valid, row)) value(one, row, out);
  }
}

void result_writer::json_row(idx_t row, std::string& out) const {
  out.push_back('{');
  for (const auto& one : columns_) {
    if (&one != &columns_.front()) out.push_back(',');
    out.append(one.name);
    if (is_null(one.valid, row)) {
      out.append("null");
    } else {
      json_value(one, row, out);
    }
  }
  out.push_back('}');
}

void result_writer::json_value(const column& column, idx_t row, std::string& out) {
  const auto quoted = [&] {
    out.push_back('"');
    value(column, row, out);
    out.push_back('"');
  };
  const void* const values = column.values;
  switch (column.type) {
    case DUCKDB_TYPE_VARCHAR:
      return append_json_text(out, text_of(at<duckdb_string_t>(values, row)));
    case DUCKDB_TYPE_DATE:
    case DUCKDB_TYPE_TIMESTAMP: return quoted();
    case DUCKDB_TYPE_FLOAT:
      return std::isfinite(at<float>(values, row)) ? value(column, row, out) : quoted();
    case DUCKDB_TYPE_DOUBLE:
      return std::isfinite(at<double>(values, row)) ? value(column, row, out) : quoted();
    default: return value(column, row, out);
  }
}

void result_writer::value(const column& column, idx_t row, std::string& out) {
  const void* const values = column.values;
  const auto whole = [&](std::int64_t number) {
    if (column.scale == 0)
      append_integer(out, number);
    else
      append_decimal(out, number, column.scale);
  };
  switch (column.type) {
    case DUCKDB_TYPE_VARCHAR: return append_text(out, text_of(at<duckdb_string_t>(values, row)));
    case DUCKDB_TYPE_BOOLEAN: return append_boolean(out, at<bool>(values, row));
    case DUCKDB_TYPE_TINYINT: return whole(at<std::int8_t>(values, row));
    case DUCKDB_TYPE_SMALLINT: return whole(at<std::int16_t>(values, row));
    case DUCKDB_TYPE_INTEGER: return whole(at<std::int32_t>(values, row));
    case DUCKDB_TYPE_BIGINT: return whole(at<std::int64_t>(values, row));
    case DUCKDB_TYPE_UTINYINT: return append_unsigned(out, at<std::uint8_t>(values, row));
    case DUCKDB_TYPE_USMALLINT: return append_unsigned(out, at<std::uint16_t>(values, row));
    case DUCKDB_TYPE_UINTEGER: return append_unsigned(out, at<std::uint32_t>(values, row));
    case DUCKDB_TYPE_UBIGINT: return append_unsigned(out, at<std::uint64_t>(values, row));
    case DUCKDB_TYPE_FLOAT: return append_float(out, at<float>(values, row));
    case DUCKDB_TYPE_DOUBLE: return append_double(out, at<double>(values, row));
    case DUCKDB_TYPE_DATE: {
      const auto date = at<duckdb_date>(values, row);
      if (duckdb_is_finite_date(date)) return append_date(out, date.days);
      out.append(date.days > 0 ? "infinity" : "-infinity");
      return;
    }
    case DUCKDB_TYPE_TIMESTAMP: {
      const auto time = at<duckdb_timestamp>(values, row);
      if (duckdb_is_finite_timestamp(time)) return append_timestamp(out, time.micros);
      out.append(time.micros > 0 ? "infinity" : "-infinity");
      return;
    }
    default: return append_decimal(out, to_int128(at<duckdb_hugeint>(values, row)), column.scale);
  }
}

}  // namespace wherry::app
