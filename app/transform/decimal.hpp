// SPDX-License-Identifier: Apache-2.0
#pragma once
// Exact decimal arithmetic on 128-bit integers: money never passes through a double here.
//
// A decimal of scale s is an integer counting units of 10^-s. DuckDB's DECIMAL is the same, at most
// 38 digits wide. Every rounding in this file is half away from zero, as DuckDB's own decimal casts
// round. Pure; any thread.

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace wherry::app {

__extension__ using int128 = __int128;
__extension__ using uint128 = unsigned __int128;

/// The most digits that a decimal has.
inline constexpr int decimal_max_width = 38;

/// Returns 10^n. Requires: 0 <= n <= 38.
int128 power_of_ten(int n);

/// Tells whether a value has at most `width` digits.
bool fits_width(int128 value, int width);

struct decimal_scales {
  int from;
  int to;
};

/// Returns the value at another scale, rounded; empty when it has more than 38 digits there.
std::optional<int128> rescale(int128 value, decimal_scales scales);

/// Returns a double's exact binary value rounded to `scale` digits; empty when it is not finite or
/// has more than 38 digits. Requires: 0 <= scale <= 10.
std::optional<int128> decimal_from_double(double value, int scale);

struct fraction {
  std::uint64_t numerator;
  std::uint64_t denominator;
};

/// Returns value * numerator / denominator, computed exactly and rounded once; empty on overflow.
/// Requires: denominator > 0.
std::optional<int128> multiply(int128 value, fraction by);

/// Reads `-?digits[.digits]`; empty when it is malformed, too wide, or has more than `scale`
/// significant decimals (nothing is rounded away in silence).
std::optional<int128> parse_decimal(std::string_view text, int width, int scale);

/// Appends a decimal with all the digits of its scale, as DuckDB prints it.
void append_decimal(std::string& out, int128 value, int scale);

}  // namespace wherry::app
