// SPDX-License-Identifier: Apache-2.0
#pragma once
// The keys of [warehouse], and what of it only the whole spec can tell. Internal to app/spec.

#include <optional>
#include <string_view>
#include <vector>

#include "spec/table.hpp"

namespace wherry::app::toml_file {

struct warehouse_form {
  static constexpr unsigned takes = table;
  static constexpr std::string_view wanted =
      R"(a table: postgresql = "${DATABASE_URL}", table = "public.ads")";
  static constexpr std::string_view schema = R"({"type":"object"})";
  static std::vector<key_info> keys();
  static void read(reader& r, const value& from, std::optional<warehouse>& to);
};

/// Reports a warehouse that does not go with its sink, its transform or the window.
void check_warehouse(reader& r, const spec& whole);

}  // namespace wherry::app::toml_file
