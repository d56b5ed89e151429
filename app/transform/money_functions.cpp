// SPDX-License-Identifier: Apache-2.0
// from_minor and from_micros: what APIs count money in; currency_rate and currency_rate_day: what
// convert_currency multiplied by, so that it can be kept in a column.

#include <fmt/format.h>

#include "transform/function_parts.hpp"
#include "transform/minor_units.hpp"

namespace wherry::app {
namespace {

constexpr int most_minor_decimals = 4;
constexpr int micro_decimals = 6;
constexpr int rate_scale = 18;
constexpr const char* too_large =
    "an amount does not fit decimal(38,10). Correct it in the report or the SQL";

std::string no_currency(std::string_view code) {
  return fmt::format("unknown currency '{}'. Use an ISO 4217 code that is in use, such as JPY",
                     code.substr(0, 40));
}

// An amount of so many decimals is exact, moved by `decimals` places and at our scale.
bool bind_moved(duckdb_bind_info info, std::string_view tag, int decimals) {
  const auto amount = amount_type_of(info, 0);
  if (!amount) {
    refuse(info, tag, "the amount is not a number. Cast it to bigint");
    return false;
  }
  if (amount->scale > rates::amount_scale - decimals) {
    refuse(info, tag,
           fmt::format("the amount has {} decimals, at most {} are exact. Cast it to bigint",
                       amount->scale, rates::amount_scale - decimals));
    return false;
  }
  set_bound(info, *amount);
  return true;
}

// Reads 10^-decimals of the amount at our scale.
std::optional<int128> moved(amount_type type, const void* data, idx_t row, int decimals) {
  return read_amount(type, data, row, rates::amount_scale - decimals);
}

// ---- from_micros

void bind_micros(duckdb_bind_info info) { bind_moved(info, micros_error_tag, micro_decimals); }

void run_micros(duckdb_function_info info, duckdb_data_chunk input, duckdb_vector output) {
  const auto& type = bound_of<amount_type>(info);
  const column_of<char> amounts(duckdb_data_chunk_get_vector(input, 0));
  auto* const result = static_cast<duckdb_hugeint*>(duckdb_vector_get_data(output));
  for (idx_t row = 0, rows = duckdb_data_chunk_get_size(input); row < rows; ++row) {
    if (amounts.is_null(row)) {
      set_null(output, row);
      continue;
    }
    const auto value = moved(type, amounts.values, row, micro_decimals);
    if (!value) return refuse(info, micros_error_tag, too_large);
    result[row] = to_hugeint(*value);
  }
}

// ---- from_minor

void bind_minor(duckdb_bind_info info) {
  const auto code = literal(info, 1);
  if (code && !minor_unit_of(*code)) return refuse(info, minor_error_tag, no_currency(*code));
  bind_moved(info, minor_error_tag, most_minor_decimals);
}

void run_minor(duckdb_function_info info, duckdb_data_chunk input, duckdb_vector output) {
  const auto& type = bound_of<amount_type>(info);
  const column_of<char> amounts(duckdb_data_chunk_get_vector(input, 0));
  const column_of<duckdb_string_t> codes(duckdb_data_chunk_get_vector(input, 1));
  auto* const result = static_cast<duckdb_hugeint*>(duckdb_vector_get_data(output));
  for (idx_t row = 0, rows = duckdb_data_chunk_get_size(input); row < rows; ++row) {
    if (amounts.is_null(row) || codes.is_null(row)) {
      set_null(output, row);
      continue;
    }
    const auto decimals = minor_unit_of(text_of(codes[row]));
    if (!decimals) return refuse(info, minor_error_tag, no_currency(text_of(codes[row])));
    const auto value = moved(type, amounts.values, row, *decimals);
    if (!value) return refuse(info, minor_error_tag, too_large);
    result[row] = to_hugeint(*value);
  }
}

// ---- currency_rate, currency_rate_day

struct rate_bound {
  const app::rates* rates;
};

void bind_rate(duckdb_bind_info info) {
  const auto& context = context_of(info);
  if (context.rates == nullptr) {
    return refuse(info, rate_error_tag,
                  "there are no rates. Set [transform] rates to a file in the ECB's format");
  }
  for (const idx_t index : {idx_t{0}, idx_t{1}}) {
    const auto code = literal(info, index);
    if (code && !context.rates->find(*code)) {
      return refuse(info, rate_error_tag, unknown_currency(*code, *context.rates));
    }
  }
  set_bound(info, rate_bound{context.rates});
}

// Calls `put` with the rate of each row; it says whether it could.
template <class Put>
void for_each_rate(duckdb_function_info info, duckdb_data_chunk input, duckdb_vector output,
                   Put put) {
  const column_of<duckdb_string_t> from(duckdb_data_chunk_get_vector(input, 0));
  const column_of<duckdb_string_t> to(duckdb_data_chunk_get_vector(input, 1));
  const column_of<duckdb_date> days(duckdb_data_chunk_get_vector(input, 2));
  conversion_memo memo(*bound_of<rate_bound>(info).rates);
  for (idx_t row = 0, rows = duckdb_data_chunk_get_size(input); row < rows; ++row) {
    if (from.is_null(row) || to.is_null(row) || days.is_null(row)) {
      set_null(output, row);
      continue;
    }
    const auto rate = memo.find(text_of(from[row]), text_of(to[row]), days[row].days);
    if (!rate) return refuse(info, rate_error_tag, rate.error());
    if (!put(row, *rate)) return refuse(info, rate_error_tag, "a rate does not fit decimal(38,18)");
  }
}

void run_rate(duckdb_function_info info, duckdb_data_chunk input, duckdb_vector output) {
  auto* const result = static_cast<duckdb_hugeint*>(duckdb_vector_get_data(output));
  for_each_rate(info, input, output, [&](idx_t row, const conversion_rate& rate) {
    const auto value = multiply(power_of_ten(rate_scale), rate.factor);
    if (value) result[row] = to_hugeint(*value);
    return value.has_value();
  });
}

void run_rate_day(duckdb_function_info info, duckdb_data_chunk input, duckdb_vector output) {
  auto* const result = static_cast<duckdb_date*>(duckdb_vector_get_data(output));
  for_each_rate(info, input, output, [&](idx_t row, const conversion_rate& rate) {
    result[row].days = rate.day;
    return true;
  });
}

}  // namespace

bool register_money_functions(duckdb_connection connection, const function_context& context) {
  constexpr auto text = DUCKDB_TYPE_VARCHAR;
  constexpr auto none = DUCKDB_TYPE_INVALID;
  const type_handle money(duckdb_create_decimal_type(decimal_max_width, rates::amount_scale));
  const type_handle rate(duckdb_create_decimal_type(decimal_max_width, rate_scale));
  const type_handle date(duckdb_create_logical_type(DUCKDB_TYPE_DATE));
  const signature micros{
      "from_micros", {DUCKDB_TYPE_ANY, none, none, none}, bind_micros, run_micros};
  const signature minor{"from_minor", {DUCKDB_TYPE_ANY, text, none, none}, bind_minor, run_minor};
  const signature by{"currency_rate", {text, text, DUCKDB_TYPE_DATE, none}, bind_rate, run_rate};
  const signature day{
      "currency_rate_day", {text, text, DUCKDB_TYPE_DATE, none}, bind_rate, run_rate_day};
  return register_one(connection, context, micros, money) &&
         register_one(connection, context, minor, money) &&
         register_one(connection, context, by, rate) &&
         register_one(connection, context, day, date);
}

}  // namespace wherry::app
