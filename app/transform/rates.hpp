// SPDX-License-Identifier: Apache-2.0
#pragma once
// Dated exchange rates, read from a file in the format of the ECB's reference rates
// (eurofxref-hist.csv: `Date,USD,JPY,...`, one row a day, any order, `N/A` where there is none;
// a rate is how much of the currency one euro buys).
//
// A day's rate is the last one at or before it, at most seven days old. Rates are kept as integers
// of 10^-9, digit by digit; an amount is converted in one exact step, amount * to / from, rounded
// once, half away from zero. Immutable after loading: any thread.

#include <cstdint>
#include <expected>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "transform/decimal.hpp"

namespace wherry::app {

/// By what an amount is multiplied, and the day of the rates: the older, if there are two.
struct conversion_rate {
  fraction factor{1, 1};
  std::int32_t day = 0;
};

class rates {
 public:
  static constexpr int scale = 9;          ///< decimals of a rate
  static constexpr int amount_scale = 10;  ///< decimals of an amount
  static constexpr int max_age_days = 7;

  /// Reads a file. Errors: a sentence that names the file, the line and the remedy.
  [[nodiscard]] static std::expected<rates, std::string> load(const std::string& path);

  /// Reads the text of a file; `name` stands for it in errors.
  [[nodiscard]] static std::expected<rates, std::string> parse(std::string_view text,
                                                               std::string_view name);

  /// A known currency; EUR is always known.
  struct currency {
    std::size_t column;
    bool operator==(const currency&) const = default;
  };

  /// Finds a currency by its code in capitals; empty when the file does not have it.
  std::optional<currency> find(std::string_view code) const;

  /// Returns units of 10^-9 that one euro buys on a day. Units: days since 1970-01-01.
  /// Errors: a sentence that names currency and day: before the file, or a gap of over a week.
  [[nodiscard]] std::expected<std::uint64_t, std::string> at(currency which,
                                                             std::int32_t day) const;

  struct conversion {
    currency from;
    currency to;
    std::int32_t day;
  };

  /// Returns that by which an amount of `from` is multiplied to get `to`.
  [[nodiscard]] std::expected<conversion_rate, std::string> between(conversion what) const;

  /// Names the file, for errors.
  const std::string& name() const { return name_; }

 private:
  struct dated {
    std::uint64_t units;
    std::int32_t day;
  };
  std::expected<dated, std::string> last(currency which, std::int32_t day) const;

  struct row {
    std::int32_t day;
    std::vector<std::uint64_t> units;  // a currency each; 0: none that day
  };

  static constexpr std::size_t euro = 0;

  std::string name_;
  std::vector<std::string> codes_;       // column 0 is EUR
  std::vector<row> rows_;                // by day
  std::vector<std::uint32_t> last_row_;  // by day from the first: the last row at or before it
};

}  // namespace wherry::app
