// SPDX-License-Identifier: Apache-2.0
#pragma once
// Owners for the handles of DuckDB's C API, which are all destroyed through a pointer to
// themselves. The only header that includes duckdb.h; no header outside app/transform includes this
// one.

#include <cstddef>
#include <span>
#include <string>
#include <string_view>
#include <utility>

#include <duckdb.h>

#include "transform/decimal.hpp"

namespace wherry::app {

template <class Handle, auto destroy>
class duckdb_owned {
 public:
  duckdb_owned() = default;
  explicit duckdb_owned(Handle handle) : handle_(handle) {}
  duckdb_owned(duckdb_owned&& other) noexcept : handle_(std::exchange(other.handle_, Handle{})) {}
  duckdb_owned& operator=(duckdb_owned&& other) noexcept {
    if (this != &other) {
      destroy(&handle_);
      handle_ = std::exchange(other.handle_, Handle{});
    }
    return *this;
  }
  ~duckdb_owned() { destroy(&handle_); }

  Handle get() const { return handle_; }

  /// Returns the place where an API call puts a new handle; the old one is destroyed.
  Handle* out() {
    destroy(&handle_);
    handle_ = Handle{};
    return &handle_;
  }

  /// Returns the place of the handle as it is, for the calls that want a pointer.
  Handle* address() { return &handle_; }

 private:
  Handle handle_{};
};

using database_handle = duckdb_owned<duckdb_database, duckdb_close>;
using config_handle = duckdb_owned<duckdb_config, duckdb_destroy_config>;
using connection_handle = duckdb_owned<duckdb_connection, duckdb_disconnect>;
using context_handle = duckdb_owned<duckdb_client_context, duckdb_destroy_client_context>;
using statement_handle = duckdb_owned<duckdb_prepared_statement, duckdb_destroy_prepare>;
using pending_handle = duckdb_owned<duckdb_pending_result, duckdb_destroy_pending>;
using extracted_handle = duckdb_owned<duckdb_extracted_statements, duckdb_destroy_extracted>;
using result_handle = duckdb_owned<duckdb_result, duckdb_destroy_result>;
using chunk_handle = duckdb_owned<duckdb_data_chunk, duckdb_destroy_data_chunk>;
using type_handle = duckdb_owned<duckdb_logical_type, duckdb_destroy_logical_type>;
using value_handle = duckdb_owned<duckdb_value, duckdb_destroy_value>;
using expression_handle = duckdb_owned<duckdb_expression, duckdb_destroy_expression>;
using error_handle = duckdb_owned<duckdb_error_data, duckdb_destroy_error_data>;
using scalar_function_handle = duckdb_owned<duckdb_scalar_function, duckdb_destroy_scalar_function>;
using table_function_handle = duckdb_owned<duckdb_table_function, duckdb_destroy_table_function>;
using cast_function_handle = duckdb_owned<duckdb_cast_function, duckdb_destroy_cast_function>;

/// A column of a chunk: its values and which of them are NULL. Requires: a flat vector.
template <class Value>
struct column_of {
  explicit column_of(duckdb_vector vector)
      : values(static_cast<Value*>(duckdb_vector_get_data(vector))),
        valid(duckdb_vector_get_validity(vector)) {}

  bool is_null(idx_t row) const {
    return valid != nullptr && ((valid[row / 64] >> (row % 64)) & 1) == 0;
  }
  Value& operator[](idx_t row) const { return values[row]; }

  Value* values;
  std::uint64_t* valid;
};

/// Marks a row of a vector as NULL.
inline void set_null(duckdb_vector vector, idx_t row) {
  duckdb_vector_ensure_validity_writable(vector);
  duckdb_validity_set_row_invalid(duckdb_vector_get_validity(vector), row);
}

/// The text of a VARCHAR value; lives as long as its chunk.
inline std::string_view text_of(const duckdb_string_t& value) {
  const auto length = value.value.inlined.length;
  return {length <= sizeof value.value.inlined.inlined ? value.value.inlined.inlined
                                                       : value.value.pointer.ptr,
          length};
}

inline int128 to_int128(duckdb_hugeint value) {
  return static_cast<int128>((static_cast<uint128>(static_cast<std::uint64_t>(value.upper)) << 64) |
                             value.lower);
}
inline duckdb_hugeint to_hugeint(int128 value) {
  return {static_cast<std::uint64_t>(value), static_cast<std::int64_t>(value >> 64)};
}

/// Takes over a text that DuckDB allocated.
inline std::string taken(char* text) {
  std::string copy = text == nullptr ? "" : text;
  duckdb_free(text);
  return copy;
}

/// Writes a name as an SQL identifier, a text as an SQL literal.
std::string quoted_name(std::string_view name);
std::string quoted_text(std::string_view text);

}  // namespace wherry::app
