// SPDX-License-Identifier: Apache-2.0
#pragma once
// The keys of [source.pages] and [source.split]. Internal to app/spec.

#include <optional>
#include <string_view>
#include <vector>

#include "spec/table.hpp"

namespace wherry::app::toml_file {

struct pages_form {
  static constexpr unsigned takes = table;
  static constexpr std::string_view wanted = R"(pages = { cursor = "paging.cursors.after" })";
  static constexpr std::string_view schema = R"({"type":"object"})";
  static std::vector<key_info> keys();
  static void read(reader& r, const value& from, std::optional<report_pages>& to);
};

struct split_form {
  static constexpr unsigned takes = table;
  static constexpr std::string_view wanted = R"(split = { values = ["search", "display"] })";
  static constexpr std::string_view schema = R"({"type":"object"})";
  static std::vector<key_info> keys();
  static void read(reader& r, const value& from, std::optional<report_split>& to);
};

/// Reports pages and parts that no address asks for, and addresses that ask for what is not there.
void check_pages(reader& r, const spec& whole);

}  // namespace wherry::app::toml_file
