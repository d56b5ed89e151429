// SPDX-License-Identifier: Apache-2.0
// The small languages inside strings: durations, sizes, rates, column types, names. All pure.
#include <algorithm>
#include <charconv>
#include <cmath>

#include "spec/forms.hpp"
#include "spec/limits.hpp"

namespace wherry::app::toml_file {
namespace {

bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool is_letter(char c) { return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z'); }

struct amount {
  std::uint64_t number;
  std::string_view unit;
};

std::optional<amount> split(std::string_view text) {
  const auto end = std::ranges::find_if_not(text, is_digit);
  amount found{0, {end, text.end()}};
  const auto [stop, error] = std::from_chars(text.data(), text.data() + text.size(), found.number);
  if (error != std::errc{} || found.number == 0) return std::nullopt;
  return found;
}

template <class Factor>
struct unit {
  std::string_view name;
  Factor factor;
};

template <class Factor, std::size_t Count>
std::optional<Factor> factor_of(std::string_view name, const unit<Factor> (&units)[Count]) {
  const auto found = std::ranges::find(units, name, &unit<Factor>::name);
  return found == std::end(units) ? std::nullopt : std::optional{found->factor};
}

constexpr unit<std::int64_t> windows[] = {
    {"s", 1'000}, {"min", 60'000}, {"h", 3'600'000}, {"day", 86'400'000}};

// Splits "10/s" at the slash; empty if what is behind it is no window.
struct per_window {
  std::string_view calls;
  std::chrono::milliseconds per;
};
std::optional<per_window> split_window(std::string_view text) {
  const auto slash = std::min(text.find('/'), text.size());
  const auto per = factor_of(text.substr(std::min(slash + 1, text.size())), windows);
  if (!per) return std::nullopt;
  return per_window{text.substr(0, slash), std::chrono::milliseconds{*per}};
}

constexpr std::string_view column_types[] = {
    "varchar", "boolean", "tinyint", "smallint", "integer", "bigint",    "hugeint",
    "float",   "double",  "decimal", "date",     "time",    "timestamp", "timestamptz"};

// What other systems call them; accepted as a hint only, so that a spec has one spelling.
constexpr std::pair<std::string_view, std::string_view> other_names[] = {
    {"string", "varchar"},       {"text", "varchar"},        {"char", "varchar"},
    {"bool", "boolean"},         {"int", "integer"},         {"int32", "integer"},
    {"int64", "bigint"},         {"long", "bigint"},         {"real", "float"},
    {"float4", "float"},         {"float8", "double"},       {"numeric", "decimal(18,6)"},
    {"number", "decimal(18,6)"}, {"money", "decimal(18,6)"}, {"decimal", "decimal(18,6)"},
    {"datetime", "timestamp"}};

std::string squeezed(std::string_view text) {
  std::string out;
  for (const char c : text) {
    if (c != ' ') out += c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  }
  return out;
}

}  // namespace

std::optional<std::chrono::milliseconds> parse_duration(std::string_view text) {
  static constexpr unit<std::uint64_t> units[] = {
      {"ms", 1}, {"s", 1'000}, {"m", 60'000}, {"h", 3'600'000}, {"d", 86'400'000}};
  constexpr std::uint64_t year = 366ull * 24 * 3'600'000;
  const auto parts = split(text);
  const auto factor = parts ? factor_of(parts->unit, units) : std::nullopt;
  if (!factor || parts->number > year / *factor) return std::nullopt;
  return std::chrono::milliseconds{parts->number * *factor};
}

std::optional<std::uint64_t> parse_size(std::string_view text) {
  static constexpr unit<std::uint64_t> units[] = {{"B", 1},
                                                  {"kB", 1'000},
                                                  {"MB", 1'000'000},
                                                  {"GB", 1'000'000'000},
                                                  {"TB", 1'000'000'000'000},
                                                  {"KiB", 1ull << 10},
                                                  {"MiB", 1ull << 20},
                                                  {"GiB", 1ull << 30},
                                                  {"TiB", 1ull << 40}};
  const auto parts = split(text);
  const auto factor = parts ? factor_of(parts->unit, units) : std::nullopt;
  constexpr std::uint64_t most = std::numeric_limits<std::int64_t>::max();
  if (!factor || parts->number > most / *factor) return std::nullopt;
  return parts->number * *factor;
}

bool parse_rate(std::string_view text, limit& to) {
  const auto parts = split_window(text);
  if (!parts || parts->calls.empty() || !is_digit(parts->calls[0])) return false;
  const auto calls = parts->calls;
  double number = 0;
  const auto [stop, error] =
      std::from_chars(calls.data(), calls.data() + calls.size(), number, std::chars_format::fixed);
  const bool fits =
      error == std::errc{} && stop == calls.data() + calls.size() && number > 0 && number <= 1e6;
  if (fits) to.calls = number;
  if (fits) to.per = parts->per;
  return fits;
}

std::expected<quota, quota_fault> parse_quota(std::string_view text) {
  const auto parts = split_window(text);
  if (!parts || parts->calls.empty() || !std::ranges::all_of(parts->calls, is_digit)) {
    return std::unexpected(quota_fault::shape);
  }
  std::int64_t calls = 0;
  const auto* const end = parts->calls.data() + parts->calls.size();
  const auto [stop, error] = std::from_chars(parts->calls.data(), end, calls);
  if (error != std::errc{} || calls > most_quota_calls) {
    return std::unexpected(quota_fault::too_large);
  }
  if (calls == 0) return std::unexpected(quota_fault::zero);
  return quota{calls, parts->per};
}

std::optional<std::string> parse_column_type(std::string_view text) {
  const auto type = squeezed(text);
  if (type != "decimal" && std::ranges::find(column_types, type) != std::end(column_types))
    return type;
  constexpr std::string_view opening = "decimal(";
  if (!type.starts_with(opening)) return std::nullopt;
  unsigned precision = 0, scale = 0;
  const char* const end = type.data() + type.size();
  const auto first = std::from_chars(type.data() + opening.size(), end, precision);
  if (first.ec != std::errc{} || first.ptr == end || *first.ptr != ',') return std::nullopt;
  const auto second = std::from_chars(first.ptr + 1, end, scale);
  const bool closed = second.ec == std::errc{} && std::string_view{second.ptr, end} == ")";
  if (!closed || precision < 1 || precision > 38 || scale > precision) return std::nullopt;
  return fmt::format("decimal({},{})", precision, scale);
}

std::string column_type_remedy(std::string_view text) {
  const auto type = squeezed(text);
  const auto base = std::string_view{type}.substr(0, type.find('('));
  if (base == "decimal" && base.size() != type.size()) {
    return "write \"decimal(18,6)\": 1 to 38 digits, and how many of them are decimals";
  }
  for (const auto& [name, ours] : other_names) {
    if (name == base) return fmt::format("write {}", in_quotes(ours));
  }
  if (type == "timestampwithtimezone") return R"(write "timestamptz")";
  return did_you_mean(base, column_types, "types");
}

bool is_id(std::string_view text) {
  const auto fits = [](char c) {
    return is_letter(c) || is_digit(c) || c == '-' || c == '_' || c == '.';
  };
  return !text.empty() && text.size() <= 100 && (is_letter(text[0]) || is_digit(text[0])) &&
         std::ranges::all_of(text, fits);
}

bool is_currency(std::string_view text) {
  return text.size() == 3 && std::ranges::all_of(text, [](char c) { return c >= 'A' && c <= 'Z'; });
}

bool is_timezone(std::string_view text) {
  if (text == "UTC") return true;
  const auto fits = [](char c) {
    return is_letter(c) || is_digit(c) || c == '_' || c == '+' || c == '-';
  };
  int parts = 0;
  while (true) {
    const auto slash = text.find('/');
    const auto part = text.substr(0, slash);
    if (part.empty() || !is_letter(part[0]) || !std::ranges::all_of(part, fits)) return false;
    ++parts;
    if (slash == text.npos) return parts >= 2;
    text.remove_prefix(slash + 1);
  }
}

}  // namespace wherry::app::toml_file
