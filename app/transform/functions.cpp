// SPDX-License-Identifier: Apache-2.0
#include "transform/functions.hpp"

#include <memory>
#include <optional>

#include <fmt/format.h>

#include "transform/function_parts.hpp"

namespace wherry::app {
namespace {

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

struct currency_bound {
  const app::rates* rates;
  amount_type amount;
};

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

void bind_currency(duckdb_bind_info info) {
  const auto& context = context_of(info);
  if (context.rates == nullptr) {
    return refuse(info, currency_error_tag,
                  "there are no rates. Set [transform] rates to a file in the ECB's format");
  }
  const auto amount = amount_type_of(info, 0);
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
    const auto amount = read_amount(bound.amount, amounts.values, row, rates::amount_scale);
    const auto converted = amount ? multiply(*amount, by->factor) : std::nullopt;
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
             type_handle(duckdb_create_decimal_type(decimal_max_width, rates::amount_scale))) &&
         register_money_functions(connection, context) &&
         register_report_functions(connection, context);
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
