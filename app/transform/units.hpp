// SPDX-License-Identifier: Apache-2.0
#pragma once
// Conversion between physical units by UDUNITS-2.
//
// UDUNITS' unit system is not safe for two threads (parsing in four of them crashed), so a
// converter is built once, under a lock, and kept for the life of the process part that owns
// `units`; a finished converter is read-only and shared. Nearly all are linear: they become a slope
// and an offset, cleaned of the noise in UDUNITS' last digits (0 degC is 32 degF, not
// 31.999999999999886). Logarithmic units keep UDUNITS' own converter. Thread-safe.

#include <expected>
#include <memory>
#include <string>
#include <string_view>

namespace wherry::app {

/// Converts a value of one unit to another. Immutable; lives as long as its `units`.
class unit_converter {
 public:
  double operator()(double value) const {
    return exact_ == nullptr ? value * slope_ + offset_ : general(value);
  }

 private:
  friend class units;
  double general(double value) const;

  double slope_ = 1;
  double offset_ = 0;
  void* exact_ = nullptr;  // a cv_converter, where no line fits
};

class units {
 public:
  /// Reads UDUNITS' database. Errors: a sentence with the remedy, when it is not installed.
  [[nodiscard]] static std::expected<std::unique_ptr<units>, std::string> open();
  ~units();
  units(const units&) = delete;
  units& operator=(const units&) = delete;

  struct pair {
    std::string_view from;
    std::string_view to;
  };

  /// Returns the converter, built on the first call for the pair.
  /// Errors: a sentence that names the unknown unit, or the two that measure different things.
  [[nodiscard]] std::expected<const unit_converter*, std::string> between(pair names);

 private:
  struct state;
  explicit units(std::unique_ptr<state> opened);
  std::unique_ptr<state> state_;
};

}  // namespace wherry::app
