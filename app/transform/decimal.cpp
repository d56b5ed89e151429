// SPDX-License-Identifier: Apache-2.0
#include "transform/decimal.hpp"

#include <array>
#include <bit>
#include <cmath>

namespace wherry::app {
namespace {

constexpr std::array<int128, decimal_max_width + 1> powers = [] {
  std::array<int128, decimal_max_width + 1> all{};
  int128 power = 1;
  for (auto& entry : all) {
    entry = power;
    if (&entry != &all.back()) power *= 10;
  }
  return all;
}();

uint128 magnitude(int128 value) {
  return value < 0 ? -static_cast<uint128>(value) : static_cast<uint128>(value);
}

int128 with_sign(uint128 value, bool negative) {
  return negative ? -static_cast<int128>(value) : static_cast<int128>(value);
}

std::optional<int128> bounded(uint128 value, bool negative) {
  if (value >= static_cast<uint128>(powers[decimal_max_width])) return std::nullopt;
  return with_sign(value, negative);
}

bool is_digit(char c) { return c >= '0' && c <= '9'; }

}  // namespace

int128 power_of_ten(int n) { return powers[static_cast<std::size_t>(n)]; }

bool fits_width(int128 value, int width) {
  return magnitude(value) < static_cast<uint128>(power_of_ten(width));
}

std::optional<int128> rescale(int128 value, decimal_scales scales) {
  const bool negative = value < 0;
  uint128 size = magnitude(value);
  if (scales.to >= scales.from) {
    const auto factor = static_cast<uint128>(power_of_ten(scales.to - scales.from));
    if (size > static_cast<uint128>(powers[decimal_max_width]) / factor) return std::nullopt;
    return bounded(size * factor, negative);
  }
  const int drop = scales.from - scales.to;
  if (size >> 64 == 0 && drop < 19) {  // one machine division: nearly every amount there is
    const auto factor = static_cast<std::uint64_t>(power_of_ten(drop));
    const auto small = static_cast<std::uint64_t>(size);
    return bounded(small / factor + (small % factor >= factor / 2 ? 1 : 0), negative);
  }
  const auto factor = static_cast<uint128>(power_of_ten(drop));
  return bounded(size / factor + (size % factor >= factor / 2 ? 1 : 0), negative);
}

std::optional<int128> decimal_from_double(double value, int scale) {
  if (!std::isfinite(value)) return std::nullopt;
  int exponent = 0;
  const double mantissa = std::frexp(std::fabs(value), &exponent);  // [0.5, 1) * 2^exponent
  const auto bits = static_cast<std::uint64_t>(std::ldexp(mantissa, 53));
  const auto scaled = static_cast<uint128>(bits) * static_cast<uint128>(power_of_ten(scale));
  const int shift = exponent - 53;
  if (shift >= 0) {
    const auto high = static_cast<std::uint64_t>(scaled >> 64);
    const int free_bits = high != 0 ? std::countl_zero(high)
                                    : 64 + std::countl_zero(static_cast<std::uint64_t>(scaled));
    if (scaled != 0 && shift >= free_bits) return std::nullopt;
    return bounded(scaled << shift, value < 0);
  }
  if (shift < -127) return int128{0};
  const uint128 half = uint128{1} << (-shift - 1);
  return bounded((scaled + half) >> -shift, value < 0);
}

std::optional<int128> multiply(int128 value, fraction by) {
  const bool negative = value < 0;
  const uint128 size = magnitude(value);
  const uint128 low = static_cast<uint128>(static_cast<std::uint64_t>(size)) * by.numerator;
  const uint128 high = (size >> 64) * by.numerator + (low >> 64);  // cannot overflow: 2^126 at most
  const uint128 divisor = by.denominator;
  if (high >> 64 == 0 && static_cast<std::uint64_t>(high) == 0) {
    const auto product = static_cast<std::uint64_t>(low);
    const auto rest = product % by.denominator;
    return bounded(uint128{product / by.denominator} + (rest >= by.denominator - rest ? 1 : 0),
                   negative);
  }
  const uint128 top = high / divisor;  // long division, 64 bits at a time
  if (top >> 64 != 0) return std::nullopt;
  const uint128 next = ((high % divisor) << 64) | static_cast<std::uint64_t>(low);
  const uint128 bottom = next / divisor;
  const auto rest = static_cast<std::uint64_t>(next % divisor);
  const uint128 quotient = (top << 64) + bottom;
  return bounded(quotient + (rest >= by.denominator - rest ? 1 : 0), negative);
}

std::optional<int128> parse_decimal(std::string_view text, int width, int scale) {
  std::size_t at = 0;
  const bool negative = !text.empty() && text[0] == '-';
  if (negative) ++at;
  uint128 value = 0;
  int digits = 0;
  bool any = false;
  for (; at < text.size() && is_digit(text[at]); ++at) {
    any = true;
    if (value != 0 || text[at] != '0') ++digits;
    if (digits > decimal_max_width) return std::nullopt;
    value = value * 10 + static_cast<unsigned>(text[at] - '0');
  }
  int decimals = 0;
  if (at < text.size() && text[at] == '.') {
    for (++at; at < text.size() && is_digit(text[at]); ++at) {
      any = true;
      if (decimals == scale) {
        if (text[at] != '0') return std::nullopt;
        continue;
      }
      if (value != 0 || text[at] != '0') ++digits;
      if (digits > decimal_max_width) return std::nullopt;
      value = value * 10 + static_cast<unsigned>(text[at] - '0');
      ++decimals;
    }
  }
  if (!any || at != text.size()) return std::nullopt;
  const auto scaled = rescale(static_cast<int128>(value), {.from = decimals, .to = scale});
  if (!scaled || !fits_width(*scaled, width)) return std::nullopt;
  return negative ? -*scaled : *scaled;
}

void append_decimal(std::string& out, int128 value, int scale) {
  std::array<char, decimal_max_width + 2> digits;
  char* const end = digits.data() + digits.size();
  char* at = end;
  uint128 high = magnitude(value);
  for (; high >> 64 != 0; high /= 10) *--at = static_cast<char>('0' + static_cast<int>(high % 10));
  for (auto low = static_cast<std::uint64_t>(high); low != 0; low /= 10) {
    *--at = static_cast<char>('0' + low % 10);
  }
  while (end - at <= scale) *--at = '0';  // at least one digit before the point
  if (value < 0) out.push_back('-');
  out.append(at, static_cast<std::size_t>(end - at - scale));
  if (scale == 0) return;
  out.push_back('.');
  out.append(end - scale, static_cast<std::size_t>(scale));
}

}  // namespace wherry::app
