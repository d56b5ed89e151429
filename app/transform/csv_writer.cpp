// SPDX-License-Identifier: Apache-2.0
#include "transform/csv_writer.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <chrono>
#include <cmath>
#include <cstdlib>

#include <fmt/format.h>

namespace wherry::app {
namespace {

constexpr std::array<bool, 256> needs_quotes = [] {
  std::array<bool, 256> table{};
  table[','] = table['"'] = table['\n'] = table['\r'] = true;
  return table;
}();

template <class Real>
void append_real(std::string& out, Real value) {
  std::array<char, 64> buffer;
  const auto size = std::fabs(value);
  const bool plain = size == 0 || (size >= Real(1e-5) && size < Real(1e15));
  const auto end = buffer.data() + buffer.size();
  const auto done = plain ? std::to_chars(buffer.data(), end, value, std::chars_format::fixed)
                          : std::to_chars(buffer.data(), end, value);
  out.append(buffer.data(), done.ptr);
}

template <class Integer>
void append_whole(std::string& out, Integer value) {
  std::array<char, 24> buffer;
  const auto done = std::to_chars(buffer.data(), buffer.data() + buffer.size(), value);
  out.append(buffer.data(), done.ptr);
}

char* two_digits(char* at, unsigned value) {
  at[0] = static_cast<char>('0' + value / 10);
  at[1] = static_cast<char>('0' + value % 10);
  return at + 2;
}

// As DuckDB prints years outside 0000-9999: with all their digits, and "(BC)" after the date.
void append_far_date(std::string& out, int year, unsigned month, unsigned day) {
  if (year > 0) {
    fmt::format_to(std::back_inserter(out), "{}-{:02}-{:02}", year, month, day);
  } else {
    fmt::format_to(std::back_inserter(out), "{:04}-{:02}-{:02} (BC)", 1 - year, month, day);
  }
}

}  // namespace

void append_text(std::string& out, std::string_view text) {
  const bool quoted = text.empty() || std::any_of(text.begin(), text.end(), [](char c) {
                        return needs_quotes[static_cast<unsigned char>(c)];
                      });
  if (!quoted) {
    out.append(text);
    return;
  }
  out.push_back('"');
  for (const char c : text) {
    if (c == '"') out.push_back('"');
    out.push_back(c);
  }
  out.push_back('"');
}

void append_json_text(std::string& out, std::string_view text) {
  out.push_back('"');
  for (const char c : text) {
    switch (c) {
      case '"': out.append("\\\""); break;
      case '\\': out.append("\\\\"); break;
      case '\n': out.append("\\n"); break;
      case '\r': out.append("\\r"); break;
      case '\t': out.append("\\t"); break;
      default:
        if (static_cast<unsigned char>(c) < 0x20) {
          fmt::format_to(std::back_inserter(out), "\\u{:04x}", static_cast<unsigned char>(c));
        } else {
          out.push_back(c);
        }
    }
  }
  out.push_back('"');
}

void append_integer(std::string& out, std::int64_t value) { append_whole(out, value); }
void append_unsigned(std::string& out, std::uint64_t value) { append_whole(out, value); }
void append_boolean(std::string& out, bool value) { out.append(value ? "true" : "false"); }
void append_double(std::string& out, double value) { append_real(out, value); }
void append_float(std::string& out, float value) { append_real(out, value); }

void append_date(std::string& out, std::int32_t days) {
  // Civil date from days (Howard Hinnant's algorithm): chrono's year ends at 32767, DuckDB's does
  // not.
  const std::int64_t shifted = std::int64_t{days} + 719'468;
  const std::int64_t era = (shifted >= 0 ? shifted : shifted - 146'096) / 146'097;
  const auto of_era = static_cast<unsigned>(shifted - era * 146'097);
  const unsigned year_of_era = (of_era - of_era / 1460 + of_era / 36524 - of_era / 146'096) / 365;
  const unsigned of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
  const unsigned shifted_month = (5 * of_year + 2) / 153;
  const unsigned day = of_year - (153 * shifted_month + 2) / 5 + 1;
  const unsigned month = shifted_month < 10 ? shifted_month + 3 : shifted_month - 9;
  const auto year =
      static_cast<int>(static_cast<std::int64_t>(year_of_era) + era * 400) + (month <= 2 ? 1 : 0);
  if (year <= 0 || year > 9999) {
    append_far_date(out, year, month, day);
    return;
  }
  std::array<char, 10> buffer;
  char* at = two_digits(buffer.data(), static_cast<unsigned>(year) / 100);
  at = two_digits(at, static_cast<unsigned>(year) % 100);
  *at++ = '-';
  at = two_digits(at, month);
  *at++ = '-';
  two_digits(at, day);
  out.append(buffer.data(), buffer.size());
}

void append_timestamp(std::string& out, std::int64_t micros) {
  constexpr std::int64_t day_micros = 86'400'000'000;
  std::int64_t days = micros / day_micros;
  std::int64_t rest = micros % day_micros;
  if (rest < 0) {
    rest += day_micros;
    --days;
  }
  append_date(out, static_cast<std::int32_t>(days));
  const auto seconds = static_cast<unsigned>(rest / 1'000'000);
  auto fraction = static_cast<unsigned>(rest % 1'000'000);
  std::array<char, 9> clock;
  clock[0] = ' ';
  char* at = two_digits(clock.data() + 1, seconds / 3600);
  *at++ = ':';
  at = two_digits(at, seconds / 60 % 60);
  *at++ = ':';
  two_digits(at, seconds % 60);
  out.append(clock.data(), clock.size());
  if (fraction == 0) return;
  std::array<char, 7> digits{'.'};
  std::size_t length = 7;
  for (std::size_t i = 6; i > 0; --i, fraction /= 10) {
    digits[i] = static_cast<char>('0' + fraction % 10);
  }
  while (digits[length - 1] == '0') --length;
  out.append(digits.data(), length);
}

}  // namespace wherry::app
