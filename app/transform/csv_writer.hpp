// SPDX-License-Identifier: Apache-2.0
#pragma once
// Writes CSV values (RFC 4180): quotes only where they are needed, so that equal values always give
// equal bytes. NULL is nothing at all, the empty string is "": the two can be told apart again.
// Numbers are written in the shortest form that reads back to the same value. Pure; any thread.

#include <cstdint>
#include <string>
#include <string_view>

namespace wherry::app {

/// Appends text, quoted when it is empty or holds a comma, a quote or a line end.
void append_text(std::string& out, std::string_view text);

/// Appends text as a JSON string (RFC 8259): only what must be escaped is. Requires: UTF-8.
void append_json_text(std::string& out, std::string_view text);

void append_integer(std::string& out, std::int64_t value);
void append_unsigned(std::string& out, std::uint64_t value);
void append_boolean(std::string& out, bool value);

/// Appends the shortest digits that read back to the same value; an exponent only beyond 1e15 and
/// below 1e-5.
void append_double(std::string& out, double value);
void append_float(std::string& out, float value);

/// Appends YYYY-MM-DD. Units: days since 1970-01-01.
void append_date(std::string& out, std::int32_t days);

/// Appends YYYY-MM-DD HH:MM:SS, then a fraction without trailing zeros if there is one.
/// Units: microseconds since 1970-01-01 00:00:00.
void append_timestamp(std::string& out, std::int64_t micros);

}  // namespace wherry::app
