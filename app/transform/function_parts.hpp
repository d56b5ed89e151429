// SPDX-License-Identifier: Apache-2.0
#pragma once
// What our SQL functions are made with: how they are registered, what they bind, how an amount of
// money is read whatever its type. Internal to the functions.

#include <array>
#include <optional>
#include <string>
#include <string_view>

#include "transform/functions.hpp"

namespace wherry::app {

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

/// What the functions look things up in.
inline const function_context& context_of(duckdb_bind_info info) {
  return *static_cast<const function_context*>(duckdb_scalar_function_bind_get_extra_info(info));
}

/// Fails the preparation, or the row.
void refuse(duckdb_bind_info info, std::string_view tag, std::string_view what);
void refuse(duckdb_function_info info, std::string_view tag, std::string_view what);

/// The text of an argument that is the same for every row; empty when it is not, or NULL.
std::optional<std::string> literal(duckdb_bind_info info, idx_t index);

struct amount_type {
  duckdb_type storage;  // of a whole number, or of the DECIMAL; DOUBLE and FLOAT for themselves
  int scale = 0;
};

/// Returns how an argument is read as an amount; empty when it is no number.
std::optional<amount_type> amount_type_of(duckdb_logical_type type);
std::optional<amount_type> amount_type_of(duckdb_bind_info info, idx_t argument);

/// Reads a whole number, or the units of a DECIMAL.
int128 read_whole(duckdb_type storage, const void* data, idx_t row);

/// Reads an amount at a scale, rounded; empty when it is not finite or has more than 38 digits.
std::optional<int128> read_amount(amount_type type, const void* data, idx_t row, int scale);

/// Says that a currency is not in the rates.
std::string unknown_currency(std::string_view code, const rates& rates);

/// The conversion of the last row; most rows of a report share it.
class conversion_memo {
 public:
  explicit conversion_memo(const rates& of) : rates_(of) {}

  /// Errors: a sentence that names currency or day.
  std::expected<conversion_rate, std::string> find(std::string_view from, std::string_view to,
                                                   std::int32_t day);

 private:
  const rates& rates_;
  std::string_view from_;
  std::string_view to_;
  std::int32_t day_ = 0;
  conversion_rate last_{};
};

/// A function as DuckDB is told of it.
struct signature {
  const char* name;
  std::array<duckdb_type, 4> parameters;  ///< INVALID: no more
  duckdb_scalar_function_bind_t bind;
  duckdb_scalar_function_t run;
  bool is_volatile = false;  ///< never computed while the statement is prepared
};

/// Makes it known to the whole database; false when DuckDB refuses.
bool register_one(duckdb_connection connection, const function_context& context,
                  const signature& what, const type_handle& result);

}  // namespace wherry::app
