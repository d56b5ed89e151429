// SPDX-License-Identifier: Apache-2.0
#pragma once
// The keys of [source.format], and lists of columns. Internal to app/spec.

#include <string_view>
#include <vector>

#include "spec/table.hpp"

namespace wherry::app::toml_file {

/// The columns of a table, in the order of the file.
struct column_list {
  static constexpr unsigned takes = table;
  static constexpr std::string_view wanted =
      R"(columns such as { day = "date", clicks = "bigint" })";
  static constexpr std::string_view schema =
      R"({"type":"object","minProperties":1,"additionalProperties":{"type":"string"}})";
  static void read(reader& r, const value& from, std::vector<column>& to);
};

/// The same of a report, where a column may also be a table that says where it is.
struct report_columns : column_list {
  static constexpr std::string_view schema =
      R"({"type":"object","minProperties":1,"additionalProperties":{"anyOf":[{"type":"string"},)"
      R"({"type":"object","required":["type"],"additionalProperties":false,"properties":{)"
      R"("type":{"type":"string"},"path":{"type":"string"},"optional":{"type":"boolean"}}}]}})";
  static void read(reader& r, const value& from, std::vector<column>& to);
};

struct format_form {
  static constexpr unsigned takes = table;
  static constexpr std::string_view wanted = R"(format = { type = "json", rows = "data.list" })";
  static constexpr std::string_view schema = R"({"type":"object"})";
  static std::vector<key_info> keys();
  static void read(reader& r, const value& from, report_format& to);
};

/// Reports what a format asks of the columns, and does not get.
void check_format(reader& r, const spec& whole);

}  // namespace wherry::app::toml_file
