// SPDX-License-Identifier: Apache-2.0
#pragma once
// A TOML file as a plain tree, so that toml++ stays in one .cpp. Unlike toml++'s own tree it keeps
// the order of keys as the file has them (the order of columns means something) and knows where
// each key and value stands. Internal to app/spec.
//
// 1. Lines and columns count from 1, columns in code points, as editors do.
// 2. `end` of a value is one past its last character; a table opened by a [header] spans the
// header.

#include <cstdint>
#include <expected>
#include <initializer_list>
#include <string>
#include <string_view>
#include <vector>

namespace wherry::app::toml_file {

struct place {
  int line = 0;
  int column = 0;
  friend auto operator<=>(const place&, const place&) = default;
};

/// The kinds of TOML values; as bits, so that a key can take several.
enum kind : unsigned {
  text = 1,
  whole = 2,
  real = 4,
  flag = 8,
  moment = 16,
  list = 32,
  table = 64
};

/// Says what a kind is, as in "is a string".
[[nodiscard]] std::string_view name_of(kind is);

struct member;

/// One value. Only the field of its kind is set; a moment (date or time) has none.
struct value {
  kind is = table;
  place begin, end;
  std::string string;
  std::int64_t integer = 0;
  double fraction = 0;  ///< of a real
  bool boolean = false;
  std::vector<value> items;     ///< of a list
  std::vector<member> members;  ///< of a table, as the file orders them

  /// Follows names from table to table. Null where there is none.
  [[nodiscard]] const value* find(std::initializer_list<std::string_view> path) const;
};

struct member {
  std::string name;
  place at;
  value item;
};

/// Says where the TOML does not parse, in the parser's words.
struct syntax_error {
  place at;
  std::string message;
};

/// Reads TOML. Errors: the first place where it does not parse.
[[nodiscard]] std::expected<value, syntax_error> parse(std::string_view text);

/// Finds `needle` in the source of a value, as it is spelt in the file; else the value's begin.
[[nodiscard]] place locate(std::string_view text, const value& in, std::string_view needle);

/// Cuts one line out of a file. Empty if there is no such line.
[[nodiscard]] std::string_view line_of(std::string_view text, int line);

/// Tells whether a byte begins a code point.
[[nodiscard]] constexpr bool begins_code_point(char byte) {
  return (static_cast<unsigned char>(byte) & 0xC0u) != 0x80u;
}

}  // namespace wherry::app::toml_file
