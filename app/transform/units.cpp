// SPDX-License-Identifier: Apache-2.0
#include "transform/units.hpp"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <map>
#include <mutex>
#include <optional>
#include <utility>
#include <vector>

#include <fmt/format.h>
#include <udunits2.h>

#include "transform/csv_reader.hpp"

namespace wherry::app {
namespace {

struct free_unit {
  void operator()(ut_unit* unit) const { ut_free(unit); }
};
struct free_converter {
  void operator()(cv_converter* converter) const { cv_free(converter); }
};
struct free_system {
  void operator()(ut_system* system) const { ut_free_system(system); }
};
using unit_handle = std::unique_ptr<ut_unit, free_unit>;
using converter_handle = std::unique_ptr<cv_converter, free_converter>;

// The nearest number of 12 digits, if it is so near that only rounding errors can lie between.
double without_noise(double value, double tolerance) {
  char digits[32];
  std::snprintf(digits, sizeof digits, "%.12g", value);
  const double clean = std::strtod(digits, nullptr);
  return std::fabs(clean - value) <= tolerance ? clean : value;
}

struct line {
  double slope;
  double offset;
};

// The line that a converter draws, or nothing when it is none (logarithmic units).
std::optional<line> fitted(const cv_converter* converter) {
  const double at_zero = cv_convert_double(converter, 0);
  if (!std::isfinite(at_zero)) return std::nullopt;
  constexpr double far = 1e9;  // so far out that the offset's rounding does not reach the slope
  line result{cv_convert_double(converter, 1), 0};
  if (at_zero != 0) {
    const double slope = (cv_convert_double(converter, far) - at_zero) / far;
    result.slope = without_noise(slope, std::fabs(slope) * 1e-13);
    result.offset = without_noise(at_zero, 1e-12 * std::max(1.0, std::fabs(at_zero)));
  }
  for (const double x : {-40.0, 0.5, 3.0, 1000.0}) {
    const double want = cv_convert_double(converter, x);
    const double size = std::fabs(x * result.slope) + std::fabs(result.offset);
    if (!(std::fabs(x * result.slope + result.offset - want) <= 1e-11 * size + 1e-300))
      return std::nullopt;
  }
  return result;
}

}  // namespace

double unit_converter::general(double value) const {
  return cv_convert_double(static_cast<const cv_converter*>(exact_), value);
}

struct units::state {
  std::mutex mutex;
  std::unique_ptr<ut_system, free_system> system;
  std::map<std::pair<std::string, std::string>, unit_converter, std::less<>> built;
  std::vector<converter_handle> kept;  // what `exact_` points to

  std::expected<unit_handle, std::string> parse(std::string_view name) const {
    const std::string text{trimmed(name)};
    unit_handle unit{text.empty() ? nullptr : ut_parse(system.get(), text.c_str(), UT_UTF8)};
    if (unit) return unit;
    return std::unexpected(fmt::format(
        "unknown unit '{}'. Use a unit that UDUNITS-2 knows, such as km, mile, knot, minute, degC; "
        "`udunits2 -A` tries one",
        text.substr(0, 40)));
  }
};

units::units(std::unique_ptr<state> opened) : state_(std::move(opened)) {}
units::~units() = default;

std::expected<std::unique_ptr<units>, std::string> units::open() {
  // UDUNITS' message handler and parser are globals of the process: one opening at a time.
  static std::mutex opening;
  const std::lock_guard lock(opening);
  ut_set_error_message_handler(ut_ignore);
  auto opened = std::make_unique<state>();
  opened->system.reset(ut_read_xml(nullptr));
  if (!opened->system) {
    return std::unexpected(
        "cannot read UDUNITS' units. Install libudunits2-data, or set UDUNITS2_XML_PATH to "
        "udunits2.xml");
  }
  return std::unique_ptr<units>(new units(std::move(opened)));
}

std::expected<const unit_converter*, std::string> units::between(pair names) {
  // The parser has global state: all instances share this lock.
  static std::mutex parsing;
  const std::lock_guard lock(state_->mutex);
  auto key = std::pair<std::string, std::string>(names.from, names.to);
  if (const auto found = state_->built.find(key); found != state_->built.end())
    return &found->second;

  const std::lock_guard parse_lock(parsing);
  const auto from = state_->parse(names.from);
  if (!from) return std::unexpected(from.error());
  const auto to = state_->parse(names.to);
  if (!to) return std::unexpected(to.error());
  converter_handle converter{ut_get_converter(from->get(), to->get())};
  if (!converter) {
    return std::unexpected(
        fmt::format("'{}' cannot be converted to '{}': they measure different things. "
                    "Correct one of the two units",
                    names.from, names.to));
  }
  unit_converter built;
  if (const auto line = fitted(converter.get())) {
    built.slope_ = line->slope;
    built.offset_ = line->offset;
  } else {
    built.exact_ = converter.get();
    state_->kept.push_back(std::move(converter));
  }
  return &state_->built.emplace(std::move(key), built).first->second;
}

}  // namespace wherry::app
