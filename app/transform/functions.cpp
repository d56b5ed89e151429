// SPDX-License-Identifier: Apache-2.0
#include "transform/functions.hpp"

#include <array>
#include <memory>
#include <optional>

#include <fmt/format.h>

namespace wherry::app {
namespace {

template <class Bound>
void set_bound(duckdb_bind_info info, Bound bound) {
  duckdb_scalar_function_set_bind_data(info, new Bound(bound),
                                       [](void* one) { delete static_cast<Bound*>(one); });
  duckdb_scalar_function_set_bind_data_copy(
      info, [](void* one) -> void* { return new Bound(*static_cast<const Bound*>(one)); });
}

template <class Bound>
const Bound& bound_of(duckdb_function_info info) {
  return *static_cast<const Bound*>(duckdb_scalar_function_get_bind_data(info));
}

const function_context& context_of(duckdb_bind_info info) {
  return *static_cast<const function_context*>(duckdb_scalar_function_bind_get_extra_info(info));
}

void refuse(duckdb_bind_info info, std::string_view tag, std::string_view what) {
  duckdb_scalar_function_bind_set_error(info, fmt::format("{}{}", tag, what).c_str());
}

void refuse(duckdb_function_info info, std::string_view tag, std::string_view what) {
  duckdb_scalar_function_set_error(info, fmt::format("{}{}", tag, what).c_str());
}

// The text of an argument that is the same for every row; empty when it is not, or NULL.
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

// ---- convert_unit

struct unit_bound {
  app::units* units;
  const unit_converter* fixed;  // when both units are literals
};

void bind_unit(duckdb_bind_info info) {
  const auto& context = context_of(info);
  const auto from = literal(info, 1);
  const auto to = literal(info, 2);
  unit_bound bound{context.units, nullptr};
  if (from || to) {  // with one literal alone, this checks that one
    const auto converter = context.units->between({from ? *from : *to, to ? *to : *from});
    if (!converter) return refuse(info, unit_error_tag, converter.error());
    if (from && to) bound.fixed = *converter;
  }
  set_bound(info, bound);
}

void run_unit(duckdb_function_info info, duckdb_data_chunk input, duckdb_vector output) {
  const auto& bound = bound_of<unit_bound>(info);
  const column_of<double> values(duckdb_data_chunk_get_vector(input, 0));
  const column_of<duckdb_string_t> from(duckdb_data_chunk_get_vector(input, 1));
  const column_of<duckdb_string_t> to(duckdb_data_chunk_get_vector(input, 2));
  auto* const result = static_cast<double*>(duckdb_vector_get_data(output));
  const unit_converter* converter = bound.fixed;
  std::string_view last_from;
  std::string_view last_to;
  for (idx_t row = 0, rows = duckdb_data_chunk_get_size(input); row < rows; ++row) {
    if (values.is_null(row) || from.is_null(row) || to.is_null(row)) {
      set_null(output, row);
      continue;
    }
    if (bound.fixed == nullptr) {
      const auto this_from = text_of(from[row]);
      const auto this_to = text_of(to[row]);
      if (converter == nullptr || this_from != last_from || this_to != last_to) {
        const auto found = bound.units->between({this_from, this_to});
        if (!found) return refuse(info, unit_error_tag, found.error());
        converter = *found;
        last_from = this_from;
        last_to = this_to;
      }
    }
    result[row] = (*converter)(values[row]);
  }
}

// ---- convert_currency

struct amount_type {
  duckdb_type storage;  // of a whole number, or of the DECIMAL; DOUBLE and FLOAT for themselves
  int scale = 0;
};

struct currency_bound {
  const app::rates* rates;
  amount_type amount;
};

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

int128 read_whole(duckdb_type storage, const void* data, idx_t row) {
  switch (storage) {
    case DUCKDB_TYPE_TINYINT: return static_cast<const std::int8_t*>(data)[row];
    case DUCKDB_TYPE_SMALLINT: return static_cast<const std::int16_t*>(data)[row];
    case DUCKDB_TYPE_INTEGER: return static_cast<const std::int32_t*>(data)[row];
    case DUCKDB_TYPE_BIGINT: return static_cast<const std::int64_t*>(data)[row];
    default: return to_int128(static_cast<const duckdb_hugeint*>(data)[row]);
  }
}

void write_whole(duckdb_type storage, void* data, idx_t row, int128 value) {
  switch (storage) {
    case DUCKDB_TYPE_SMALLINT:
      static_cast<std::int16_t*>(data)[row] = static_cast<std::int16_t>(value);
      return;
    case DUCKDB_TYPE_INTEGER:
      static_cast<std::int32_t*>(data)[row] = static_cast<std::int32_t>(value);
      return;
    case DUCKDB_TYPE_BIGINT:
      static_cast<std::int64_t*>(data)[row] = static_cast<std::int64_t>(value);
      return;
    default: static_cast<duckdb_hugeint*>(data)[row] = to_hugeint(value);
  }
}

std::optional<int128> read_amount(amount_type type, const void* data, idx_t row) {
  if (type.storage == DUCKDB_TYPE_DOUBLE) {
    return decimal_from_double(static_cast<const double*>(data)[row], rates::amount_scale);
  }
  if (type.storage == DUCKDB_TYPE_FLOAT) {
    return decimal_from_double(static_cast<double>(static_cast<const float*>(data)[row]),
                               rates::amount_scale);
  }
  return rescale(read_whole(type.storage, data, row),
                 {.from = type.scale, .to = rates::amount_scale});
}

std::string unknown_currency(std::string_view code, const rates& rates) {
  return fmt::format(
      "unknown currency '{}': {} does not have it. Use an ISO 4217 code of that file, such as USD",
      code.substr(0, 40), rates.name());
}

void bind_currency(duckdb_bind_info info) {
  const auto& context = context_of(info);
  if (context.rates == nullptr) {
    return refuse(info, currency_error_tag,
                  "there are no rates. Set [transform] rates to a file in the ECB's format");
  }
  const expression_handle argument(duckdb_scalar_function_bind_get_argument(info, 0));
  const type_handle type(duckdb_expression_return_type(argument.get()));
  const auto amount = amount_type_of(type.get());
  if (!amount) {
    return refuse(info, currency_error_tag,
                  "the amount is not a number. Cast it to decimal(38,10)");
  }
  if (amount->scale > rates::amount_scale) {
    return refuse(
        info, currency_error_tag,
        fmt::format("the amount has {} decimals, at most {} are exact. Cast it to decimal(38,10)",
                    amount->scale, rates::amount_scale));
  }
  for (const idx_t index : {idx_t{1}, idx_t{2}}) {
    const auto code = literal(info, index);
    if (code && !context.rates->find(*code)) {
      return refuse(info, currency_error_tag, unknown_currency(*code, *context.rates));
    }
  }
  set_bound(info, currency_bound{context.rates, *amount});
}

// The conversion of the last row; most rows of a report share it.
class conversion_memo {
 public:
  explicit conversion_memo(const rates& rates) : rates_(rates) {}

  std::expected<fraction, std::string> find(std::string_view from, std::string_view to,
                                            std::int32_t day) {
    if (from == to) return fraction{1, 1};
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

 private:
  const rates& rates_;
  std::string_view from_;
  std::string_view to_;
  std::int32_t day_ = 0;
  fraction last_{1, 1};
};

void run_currency(duckdb_function_info info, duckdb_data_chunk input, duckdb_vector output) {
  const auto& bound = bound_of<currency_bound>(info);
  const column_of<char> amounts(duckdb_data_chunk_get_vector(input, 0));
  const column_of<duckdb_string_t> from(duckdb_data_chunk_get_vector(input, 1));
  const column_of<duckdb_string_t> to(duckdb_data_chunk_get_vector(input, 2));
  const column_of<duckdb_date> days(duckdb_data_chunk_get_vector(input, 3));
  auto* const result = static_cast<duckdb_hugeint*>(duckdb_vector_get_data(output));
  conversion_memo memo(*bound.rates);
  for (idx_t row = 0, rows = duckdb_data_chunk_get_size(input); row < rows; ++row) {
    if (amounts.is_null(row) || from.is_null(row) || to.is_null(row) || days.is_null(row)) {
      set_null(output, row);
      continue;
    }
    const auto by = memo.find(text_of(from[row]), text_of(to[row]), days[row].days);
    if (!by) return refuse(info, currency_error_tag, by.error());
    const auto amount = read_amount(bound.amount, amounts.values, row);
    const auto converted = amount ? multiply(*amount, *by) : std::nullopt;
    if (!converted) {
      return refuse(info, currency_error_tag,
                    "an amount does not fit decimal(38,10). Correct it in the report or the SQL");
    }
    result[row] = to_hugeint(*converted);
  }
}

// ---- decimal casts

struct cast_plan {
  duckdb_type from_storage;
  duckdb_type to_storage;
  decimal_cast types;
};

bool run_cast(duckdb_function_info info, idx_t count, duckdb_vector input, duckdb_vector output) {
  const auto& plan = *static_cast<const cast_plan*>(duckdb_cast_function_get_extra_info(info));
  const column_of<char> from(input);
  void* const to = duckdb_vector_get_data(output);
  const decimal_scales scales{.from = plan.types.from.scale, .to = plan.types.to.scale};
  bool all = true;
  for (idx_t row = 0; row < count; ++row) {
    if (from.is_null(row)) {
      set_null(output, row);
      continue;
    }
    const int128 value = read_whole(plan.from_storage, from.values, row);
    const auto scaled = rescale(value, scales);
    if (scaled && fits_width(*scaled, plan.types.to.width)) {
      write_whole(plan.to_storage, to, row, *scaled);
      continue;
    }
    std::string text;
    append_decimal(text, value, plan.types.from.scale);
    const auto message = fmt::format("Conversion Error: {} does not fit DECIMAL({},{})", text,
                                     plan.types.to.width, plan.types.to.scale);
    duckdb_cast_function_set_row_error(info, message.c_str(), row, output);
    all = false;
    if (duckdb_cast_function_get_cast_mode(info) == DUCKDB_CAST_NORMAL) return false;
  }
  return all;
}

struct signature {
  const char* name;
  std::array<duckdb_type, 4> parameters;  // INVALID: no more
  duckdb_scalar_function_bind_t bind;
  duckdb_scalar_function_t run;
};

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
  duckdb_scalar_function_set_bind(function.get(), what.bind);
  duckdb_scalar_function_set_function(function.get(), what.run);
  duckdb_scalar_function_set_extra_info(
      function.get(), new function_context(context),
      [](void* one) { delete static_cast<function_context*>(one); });
  return duckdb_register_scalar_function(connection, function.get()) == DuckDBSuccess;
}

}  // namespace

bool register_functions(duckdb_connection connection, const function_context& context) {
  constexpr auto text = DUCKDB_TYPE_VARCHAR;
  const signature unit{
      "convert_unit", {DUCKDB_TYPE_DOUBLE, text, text, DUCKDB_TYPE_INVALID}, bind_unit, run_unit};
  const signature currency{"convert_currency",
                           {DUCKDB_TYPE_ANY, text, text, DUCKDB_TYPE_DATE},
                           bind_currency,
                           run_currency};
  return register_one(connection, context, unit,
                      type_handle(duckdb_create_logical_type(DUCKDB_TYPE_DOUBLE))) &&
         register_one(
             connection, context, currency,
             type_handle(duckdb_create_decimal_type(decimal_max_width, rates::amount_scale)));
}

bool register_decimal_cast(duckdb_connection connection, decimal_cast cast) {
  const type_handle from(duckdb_create_decimal_type(cast.from.width, cast.from.scale));
  const type_handle to(duckdb_create_decimal_type(cast.to.width, cast.to.scale));
  const cast_function_handle function(duckdb_create_cast_function());
  duckdb_cast_function_set_source_type(function.get(), from.get());
  duckdb_cast_function_set_target_type(function.get(), to.get());
  duckdb_cast_function_set_function(function.get(), run_cast);
  duckdb_cast_function_set_extra_info(function.get(),
                                      new cast_plan{duckdb_decimal_internal_type(from.get()),
                                                    duckdb_decimal_internal_type(to.get()), cast},
                                      [](void* one) { delete static_cast<cast_plan*>(one); });
  return duckdb_register_cast_function(connection, function.get()) == DuckDBSuccess;
}

}  // namespace wherry::app
