// SPDX-License-Identifier: Apache-2.0
#include "transform/rates.hpp"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <fstream>
#include <iterator>
#include <limits>

#include <fmt/format.h>

#include "transform/csv_reader.hpp"
#include "transform/csv_writer.hpp"
#include "transform/unpack.hpp"

namespace wherry::app {
namespace {

constexpr std::size_t max_size_bytes = 64u << 20;
constexpr std::uint64_t one_euro = 1'000'000'000;  // 10^scale

std::string day_text(std::int32_t day) {
  std::string text;
  append_date(text, day);
  return text;
}

std::unexpected<std::string> wrong(std::string_view name, std::uint64_t line,
                                   std::string_view what) {
  return std::unexpected(
      fmt::format("{}, line {}: {}. A rates file has the ECB's format: Date,USD,JPY,... with a row "
                  "for each day "
                  "(https://www.ecb.europa.eu/stats/eurofxref/eurofxref-hist.zip)",
                  name, line, what));
}

// Reads one rate; 0 for N/A or nothing.
std::optional<std::uint64_t> read_rate(std::string_view text) {
  text = trimmed(text);
  if (text.empty() || text == "N/A") return 0;
  const auto units = parse_decimal(text, 18, rates::scale);
  if (!units || *units <= 0) return std::nullopt;
  return static_cast<std::uint64_t>(*units);
}

}  // namespace

std::expected<rates, std::string> rates::load(const std::string& path) {
  errno = 0;
  std::ifstream file(path, std::ios::binary);
  std::string text{std::istreambuf_iterator<char>(file), {}};
  if (!file.is_open() || file.bad()) {
    return std::unexpected(
        fmt::format("cannot read the rates file {}: {}. Set [transform] rates to a readable file",
                    path, std::strerror(errno)));
  }
  std::string unpacked;
  const piece_writer into = [&](std::string_view piece) -> std::expected<void, transform_error> {
    unpacked += piece;
    if (unpacked.size() <= max_size_bytes) return {};
    return failure(transform_error::kind::too_large, "it unpacks to over 64 MB");
  };
  using packing = report_format::packing;
  const auto packed = packing_of(text);
  if (packed == packing::none) return parse(text, path);
  const auto done = packed == packing::zip ? unpack_zip(text, "", into) : unpack_gzip(text, into);
  if (!done) {
    return std::unexpected(
        fmt::format("cannot read the rates file {}: {}", path, done.error().message));
  }
  return parse(unpacked, path);
}

std::expected<rates, std::string> rates::parse(std::string_view text, std::string_view name) {
  rates result;
  result.name_ = name;
  csv_reader reader(text);
  std::vector<csv_field> fields;
  auto more = reader.next(fields);
  if (!more) return wrong(name, more.error().line, more.error().what);
  if (!*more || trimmed(fields[0].text) != "Date")
    return wrong(name, 1, "the first column is not Date");
  result.codes_.emplace_back("EUR");
  for (std::size_t i = 1; i < fields.size(); ++i) {
    const auto code = trimmed(fields[i].text);
    const bool last = i + 1 == fields.size();
    if (code.empty() && last) break;  // the ECB ends each line with a comma
    if (code.empty()) return wrong(name, 1, fmt::format("column {} has no currency", i + 1));
    if (result.find(code)) return wrong(name, 1, fmt::format("currency {} appears twice", code));
    result.codes_.emplace_back(code);
  }
  const std::size_t currencies = result.codes_.size();
  while ((more = reader.next(fields)) && *more) {
    if (fields.size() == 1 && fields[0].text.empty()) continue;
    if (fields.size() != currencies && fields.size() != currencies + 1) {
      return wrong(name, reader.line(),
                   fmt::format("{} fields where the header has {}", fields.size(), currencies));
    }
    const auto day = parse_date(fields[0].text);
    if (!day)
      return wrong(name, reader.line(),
                   fmt::format("'{}' is not a day (YYYY-MM-DD)", fields[0].text.substr(0, 40)));
    row next{*day, std::vector<std::uint64_t>(currencies, 0)};
    next.units[euro] = one_euro;
    for (std::size_t i = 1; i < currencies; ++i) {
      const auto units = read_rate(fields[i].text);
      if (!units) {
        return wrong(name, reader.line(),
                     fmt::format("'{}' is not a rate of {} (at most {} decimals)",
                                 fields[i].text.substr(0, 40), result.codes_[i], scale));
      }
      next.units[i] = *units;
    }
    result.rows_.push_back(std::move(next));
  }
  if (!more) return wrong(name, more.error().line, more.error().what);
  if (result.rows_.empty()) return wrong(name, 2, "there is no day in it");

  std::ranges::sort(result.rows_, {}, &row::day);
  const auto twice = std::ranges::adjacent_find(result.rows_, {}, &row::day);
  if (twice != result.rows_.end())
    return wrong(name, 1, fmt::format("day {} appears twice", day_text(twice->day)));
  const auto first = result.rows_.front().day;
  for (std::uint32_t i = 0; i < result.rows_.size(); ++i) {
    const auto until =
        i + 1 < result.rows_.size() ? result.rows_[i + 1].day : result.rows_[i].day + 1;
    result.last_row_.resize(static_cast<std::size_t>(until - first), i);
  }
  return result;
}

std::optional<rates::currency> rates::find(std::string_view code) const {
  const auto found = std::ranges::find(codes_, code);
  if (found == codes_.end()) return std::nullopt;
  return currency{static_cast<std::size_t>(found - codes_.begin())};
}

std::expected<std::uint64_t, std::string> rates::at(currency which, std::int32_t day) const {
  const auto found = last(which, day);
  if (!found) return std::unexpected(found.error());
  return found->units;
}

std::expected<rates::dated, std::string> rates::last(currency which, std::int32_t day) const {
  if (which.column == euro) return dated{one_euro, day};
  const auto first = rows_.front().day;
  if (day < first) {
    return std::unexpected(
        fmt::format("no rate of {} for {}: {} begins on {}. Give a rates file that covers the day",
                    codes_[which.column], day_text(day), name_, day_text(first)));
  }
  const auto offset = std::min(static_cast<std::size_t>(day - first), last_row_.size() - 1);
  for (std::size_t i = last_row_[offset] + std::size_t{1}; i-- > 0;) {
    if (day - rows_[i].day > max_age_days) break;
    if (const auto units = rows_[i].units[which.column]; units != 0)
      return dated{units, rows_[i].day};
  }
  return std::unexpected(
      fmt::format("no rate of {} for {}: {} has none in the {} days up to it. Give a rates file "
                  "that covers the day",
                  codes_[which.column], day_text(day), name_, max_age_days));
}

std::expected<conversion_rate, std::string> rates::between(conversion what) const {
  if (what.from == what.to) return conversion_rate{{1, 1}, what.day};
  const auto to = last(what.to, what.day);
  if (!to) return std::unexpected(to.error());
  const auto from = last(what.from, what.day);
  if (!from) return std::unexpected(from.error());
  return conversion_rate{{to->units, from->units}, std::min(to->day, from->day)};
}

}  // namespace wherry::app
