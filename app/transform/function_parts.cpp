// SPDX-License-Identifier: Apache-2.0
#include "transform/function_parts.hpp"

#include <fmt/format.h>

namespace wherry::app {

void refuse(duckdb_bind_info info, std::string_view tag, std::string_view what) {
  duckdb_scalar_function_bind_set_error(info, fmt::format("{}{}", tag, what).c_str());
}

void refuse(duckdb_function_info info, std::string_view tag, std::string_view what) {
  duckdb_scalar_function_set_error(info, fmt::format("{}{}", tag, what).c_str());
}

std::optional<std::string> literal(duckdb_bind_info info, idx_t index) {
  const expression_handle argument(duckdb_scalar_function_bind_get_argument(info, index));
  if (!duckdb_expression_is_foldable(argument.get())) return std::nullopt;
  context_handle context;
  duckdb_scalar_function_get_client_context(info, context.out());
  value_handle value;
  const error_handle error(duckdb_expression_fold(context.get(), argument.get(), value.out()));
  if (duckdb_error_data_has_error(error.get()) || value.get() == nullptr) return std::nullopt;
  if (duckdb_is_null_value(value.get())) return std::nullopt;
  return taken(duckdb_get_varchar(value.get()));
}

std::optional<amount_type> amount_type_of(duckdb_logical_type type) {
  const auto id = duckdb_get_type_id(type);
  switch (id) {
    case DUCKDB_TYPE_DECIMAL:
      return amount_type{duckdb_decimal_internal_type(type), duckdb_decimal_scale(type)};
    case DUCKDB_TYPE_TINYINT:
    case DUCKDB_TYPE_SMALLINT:
    case DUCKDB_TYPE_INTEGER:
    case DUCKDB_TYPE_BIGINT:
    case DUCKDB_TYPE_HUGEINT:
    case DUCKDB_TYPE_FLOAT:
    case DUCKDB_TYPE_DOUBLE:
    case DUCKDB_TYPE_SQLNULL: return amount_type{id};
    default: return std::nullopt;
  }
}

std::optional<amount_type> amount_type_of(duckdb_bind_info info, idx_t index) {
  const expression_handle argument(duckdb_scalar_function_bind_get_argument(info, index));
  const type_handle type(duckdb_expression_return_type(argument.get()));
  return amount_type_of(type.get());
}

int128 read_whole(duckdb_type storage, const void* data, idx_t row) {
  switch (storage) {
    case DUCKDB_TYPE_TINYINT: return static_cast<const std::int8_t*>(data)[row];
    case DUCKDB_TYPE_SMALLINT: return static_cast<const std::int16_t*>(data)[row];
    case DUCKDB_TYPE_INTEGER: return static_cast<const std::int32_t*>(data)[row];
    case DUCKDB_TYPE_BIGINT: return static_cast<const std::int64_t*>(data)[row];
    default: return to_int128(static_cast<const duckdb_hugeint*>(data)[row]);
  }
}

std::optional<int128> read_amount(amount_type type, const void* data, idx_t row, int scale) {
  if (type.storage == DUCKDB_TYPE_DOUBLE) {
    return decimal_from_double(static_cast<const double*>(data)[row], scale);
  }
  if (type.storage == DUCKDB_TYPE_FLOAT) {
    return decimal_from_double(static_cast<double>(static_cast<const float*>(data)[row]), scale);
  }
  return rescale(read_whole(type.storage, data, row), {.from = type.scale, .to = scale});
}

std::string unknown_currency(std::string_view code, const rates& rates) {
  return fmt::format(
      "unknown currency '{}': {} does not have it. Use an ISO 4217 code of that file, such as USD",
      code.substr(0, 40), rates.name());
}

std::expected<conversion_rate, std::string> conversion_memo::find(std::string_view from,
                                                                  std::string_view to,
                                                                  std::int32_t day) {
  if (from == to) return conversion_rate{{1, 1}, day};
  if (day == day_ && from == from_ && to == to_) return last_;
  const auto from_currency = rates_.find(from);
  if (!from_currency) return std::unexpected(unknown_currency(from, rates_));
  const auto to_currency = rates_.find(to);
  if (!to_currency) return std::unexpected(unknown_currency(to, rates_));
  auto found = rates_.between({*from_currency, *to_currency, day});
  if (found) {
    from_ = from;
    to_ = to;
    day_ = day;
    last_ = *found;
  }
  return found;
}

bool register_one(duckdb_connection connection, const function_context& context,
                  const signature& what, const type_handle& result) {
  const scalar_function_handle function(duckdb_create_scalar_function());
  duckdb_scalar_function_set_name(function.get(), what.name);
  for (const auto id : what.parameters) {
    if (id == DUCKDB_TYPE_INVALID) break;
    const type_handle type(duckdb_create_logical_type(id));
    duckdb_scalar_function_add_parameter(function.get(), type.get());
  }
  duckdb_scalar_function_set_return_type(function.get(), result.get());
  if (what.is_volatile) duckdb_scalar_function_set_volatile(function.get());
  duckdb_scalar_function_set_bind(function.get(), what.bind);
  duckdb_scalar_function_set_function(function.get(), what.run);
  duckdb_scalar_function_set_extra_info(
      function.get(), new function_context(context),
      [](void* one) { delete static_cast<function_context*>(one); });
  return duckdb_register_scalar_function(connection, function.get()) == DuckDBSuccess;
}

}  // namespace wherry::app
