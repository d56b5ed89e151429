// SPDX-License-Identifier: Apache-2.0
#pragma once
// Makes UTF-8 of the text of a report, piece by piece, by the C library's iconv.
//
// A byte order mark is dropped. That of UTF-16 decides, whatever encoding is declared: its bytes
// are no text in any other. UTF-16 without one is taken as little endian, as Windows writes it.
// A byte that stands for nothing is an error with its line, never a question mark.

#include <expected>
#include <memory>
#include <string>
#include <string_view>

#include "spec/spec.hpp"
#include "transform/unpack.hpp"

namespace wherry::app {

/// Tells whether bytes can be read as they are: UTF-8, as far as their beginning says.
[[nodiscard]] bool needs_no_decoding(report_format::encoding declared, std::string_view beginning);

/// Threads: one at a time.
class decoder {
 public:
  decoder(report_format::encoding declared, piece_writer into);
  ~decoder();
  decoder(const decoder&) = delete;
  decoder& operator=(const decoder&) = delete;

  /// Takes the next bytes. Errors: data, with the line; those of `into`.
  [[nodiscard]] std::expected<void, transform_error> take(std::string_view bytes);

  /// Says that there are no more. Errors: the last character is cut; those of `into`.
  [[nodiscard]] std::expected<void, transform_error> finish();

 private:
  struct conversion;
  std::expected<void, transform_error> begin();
  std::expected<void, transform_error> convert(std::string_view bytes);

  report_format::encoding declared_;
  piece_writer into_;
  std::string pending_;  // until the beginning is known; then a character that is not whole yet
  bool begun_ = false;
  std::unique_ptr<conversion> conversion_;  // null once begun: UTF-8, which goes through
};

}  // namespace wherry::app
