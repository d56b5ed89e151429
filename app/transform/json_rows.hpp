// SPDX-License-Identifier: Apache-2.0
#pragma once
// Makes the rows of a report in JSON, or in JSON lines, into CSV of the declared columns, without a
// header; piece by piece, so that a report of a gigabyte needs no more memory than its longest row.
//
//   1. The text is one document after the other (as pages are joined), each with its rows at the
//      path of [source.format] rows; of JSON lines every document is a row.
//   2. A column is where its dotted path says, from the row; a number counts the items of an array;
//      a key may hold the dots itself. NULL and "not there" are the same. Arrays and objects become
//      JSON text.
//   3. Numbers keep the digits that they have in the text; an exponent is written out.
//   4. A column that no row of a report has, unless it is optional, is an error that names it;
//      what is not declared is passed over.
//
// Parsed by Boost.JSON's basic_parser, which keeps nothing. simdjson is faster, but wants the whole
// document in memory. Threads: one at a time.

#include <expected>
#include <memory>
#include <string_view>

#include "transform/report_scan.hpp"
#include "transform/unpack.hpp"

namespace wherry::app {

class json_rows {
 public:
  /// Requires: `shape` outlives it, and is of JSON.
  json_rows(const report_shape& shape, piece_writer into);
  ~json_rows();
  json_rows(const json_rows&) = delete;
  json_rows& operator=(const json_rows&) = delete;

  /// Takes the next bytes, in UTF-8.
  /// Errors: data, with line and column, document and row; those of `into`.
  [[nodiscard]] std::expected<void, transform_error> take(std::string_view bytes);

  /// Says that there are no more. Errors: data (cut; no document at all), columns; those of `into`.
  [[nodiscard]] std::expected<void, transform_error> finish();

 private:
  struct parser;
  std::unique_ptr<parser> parser_;
};

/// A JSON number without an exponent, if that takes at most 100 digits; else as it is. Pure.
[[nodiscard]] std::string without_exponent(std::string_view number);

}  // namespace wherry::app
