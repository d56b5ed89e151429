// SPDX-License-Identifier: Apache-2.0
#include "transform/json_rows.hpp"

#include <algorithm>
#include <charconv>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <boost/json/basic_parser_impl.hpp>

#include "transform/json_handler.hpp"
#include "transform/report_table.hpp"

namespace wherry::app {
namespace {

using kind = transform_error::kind;
using outcome = std::expected<void, transform_error>;

// So much is parsed at once: what a row makes of it is handed on in between.
constexpr std::size_t slice_size_bytes = 64 << 10;

boost::json::parse_options options() {
  boost::json::parse_options how;
  how.max_depth = 100;
  return how;
}

bool is_space(char c) { return c == ' ' || c == '\t' || c == '\r' || c == '\n'; }

}  // namespace

struct json_rows::parser {
  parser(const report_shape& shape, piece_writer into)
      : into_(std::move(into)), parsing_(options(), shape) {}

  outcome take(std::string_view bytes);
  outcome finish();

 private:
  void count(std::string_view parsed);
  outcome flush();
  std::unexpected<transform_error> wrong(boost::json::error_code why) const;

  piece_writer into_;
  boost::json::basic_parser<json_handler> parsing_;
  bool in_document_ = false;
  std::uint64_t line_ = 1;
  std::uint64_t column_ = 0;  // bytes of the line that were parsed
};

void json_rows::parser::count(std::string_view parsed) {
  const auto last = parsed.rfind('\n');
  if (last == parsed.npos) {
    column_ += parsed.size();
    return;
  }
  line_ += static_cast<std::uint64_t>(std::ranges::count(parsed, '\n'));
  column_ = parsed.size() - last - 1;
}

outcome json_rows::parser::flush() {
  auto& out = parsing_.handler().out();
  if (out.empty()) return {};
  auto done = into_(out);
  out.clear();
  return done;
}

std::unexpected<transform_error> json_rows::parser::wrong(boost::json::error_code why) const {
  const auto& at = parsing_.handler();
  const bool ours = !at.wrong().empty();
  return failure(kind::data, fmt::format("line {}, column {} (document {}, row {}): {}{}", line_,
                                         column_ + 1, at.documents(), at.rows(),
                                         ours ? at.wrong() : "no JSON: " + why.message(),
                                         ours ? "" : ". Correct the report at its source"));
}

outcome json_rows::parser::take(std::string_view bytes) {
  while (!bytes.empty()) {
    if (!in_document_) {
      const auto begin =
          static_cast<std::size_t>(std::ranges::find_if_not(bytes, is_space) - bytes.begin());
      count(bytes.substr(0, begin));
      bytes.remove_prefix(begin);
      if (bytes.empty()) break;
      parsing_.reset();
      in_document_ = true;
    }
    const auto slice = bytes.substr(0, slice_size_bytes);
    boost::json::error_code error;
    const auto used = parsing_.write_some(true, slice.data(), slice.size(), error);
    count(slice.substr(0, used));
    if (error) return wrong(error);
    if (auto done = flush(); !done) return done;
    bytes.remove_prefix(used);
    if (parsing_.done()) in_document_ = false;
  }
  return {};
}

outcome json_rows::parser::finish() {
  if (in_document_) {
    boost::json::error_code error;
    parsing_.write_some(false, "", 0, error);
    if (error) return wrong(error);
  }
  const auto& seen = parsing_.handler();
  if (seen.documents() == 0) return failure(kind::data, report_input::empty_report);
  if (seen.rows() == 0) return {};
  const auto missing = seen.never_seen();
  if (missing.empty()) return {};
  auto message = fmt::format("no row of the report has \"{}\"", fmt::join(missing, "\", \""));
  if (!seen.not_declared().empty()) {
    message += fmt::format("; not declared: \"{}\"", fmt::join(seen.not_declared(), "\", \""));
  }
  return failure(kind::columns, message +
                                    ". Bring [source] columns in line with the report: correct "
                                    "their path, or let them be optional");
}

json_rows::json_rows(const report_shape& shape, piece_writer into)
    : parser_(std::make_unique<parser>(shape, std::move(into))) {}
json_rows::~json_rows() = default;

std::expected<void, transform_error> json_rows::take(std::string_view bytes) {
  return parser_->take(bytes);
}

std::expected<void, transform_error> json_rows::finish() { return parser_->finish(); }

std::string without_exponent(std::string_view number) {
  const auto mark = number.find_first_of("eE");
  if (mark == number.npos) return std::string(number);
  auto power = number.substr(mark + 1);
  if (power.starts_with('+')) power.remove_prefix(1);
  int exponent = 0;
  const auto read = std::from_chars(power.data(), power.data() + power.size(), exponent);
  constexpr int most = 100;
  if (read.ec != std::errc{} || exponent > most || exponent < -most || mark > most) {
    return std::string(number);
  }
  std::string sign(number.starts_with('-') ? "-" : "");
  const auto mantissa = number.substr(sign.size(), mark - sign.size());
  const auto dot = std::min(mantissa.find('.'), mantissa.size());
  std::string digits(mantissa.substr(0, dot));
  if (dot < mantissa.size()) digits += mantissa.substr(dot + 1);
  int whole = static_cast<int>(dot) + exponent;  // digits before the point
  if (whole <= 0) {
    digits.insert(0, static_cast<std::size_t>(1 - whole), '0');
    whole = 1;
  }
  const auto point = static_cast<std::size_t>(whole);
  if (digits.size() < point) digits.append(point - digits.size(), '0');
  auto text = digits.substr(0, point);
  text.erase(0, std::min(text.find_first_not_of('0'), text.size() - 1));
  auto fraction = digits.substr(point);
  fraction.erase(fraction.find_last_not_of('0') + 1);
  return sign + text + (fraction.empty() ? "" : "." + fraction);
}

}  // namespace wherry::app
