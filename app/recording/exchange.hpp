// SPDX-License-Identifier: Apache-2.0
#pragma once
// One exchange with an API, as a file that people read and edit. Pure.
//
//   > POST https://api.example.com/v1/reports
//   > Content-Type: application/json
//   >
//   > {"account":"acme"}
//   < 200, 21 bytes
//   < Content-Type: application/json
//   <
//   {"reportId":"r-1234"}
//
// What follows the empty "<" is the body, byte for byte to the end of the file; one that is no text
// is a file of its own, which the status line names. Of a length that is not said nothing is
// checked.

#include <cstdint>
#include <expected>
#include <optional>
#include <string>
#include <string_view>

#include "net/http_client.hpp"

namespace wherry::app {

/// What was asked, without secrets.
struct question {
  std::string method;
  std::string url;
  http_headers headers;
  std::string body;
};

struct exchange {
  question asked;
  int status = 0;
  http_headers headers;
  std::string body;  ///< decoded
  bool ended_by_close = false;
};

/// Whether a body is written as it is: it has no control characters but tabs and line breaks.
[[nodiscard]] bool is_plain_text(std::string_view body) noexcept;

/// Writes an exchange. `body_file`: where its body is; empty: here.
[[nodiscard]] std::string to_text(const exchange& of, std::string_view body_file);

struct read_exchange {
  exchange said;
  std::string body_file;  ///< empty: the body is in `said`
  std::optional<std::uint64_t> body_size_bytes;
};

/// Reads what to_text wrote, or people. Errors: which line is wrong, and how it is to be.
[[nodiscard]] std::expected<read_exchange, std::string> parse_exchange(std::string_view text);

/// Whether two questions are one: method, address and body; headers do not count.
[[nodiscard]] bool are_same(const question& one, const question& other) noexcept;

/// How much of two questions is the same: greater is nearer.
[[nodiscard]] std::size_t likeness(const question& one, const question& other) noexcept;

/// Says which parts of what is asked now are other than they were, for people.
[[nodiscard]] std::string difference(const question& now, const question& recorded);

}  // namespace wherry::app
