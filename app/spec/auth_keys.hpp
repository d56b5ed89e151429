// SPDX-License-Identifier: Apache-2.0
#pragma once
// The keys of [source.auth]: one table a way of signing in. Internal to app/spec.

#include <string_view>
#include <vector>

#include "spec/table.hpp"

namespace wherry::app::toml_file {

/// One way to sign in, or a list of several that are used by turns.
struct auth_form {
  static constexpr unsigned takes = table | list;
  static constexpr std::string_view wanted = R"(auth = { bearer = "${TOKEN}" })";
  static constexpr std::string_view schema =
      R"({"type":"object","minProperties":1,"maxProperties":1})";
  static constexpr bool also_list = true;
  static std::vector<key_info> keys();
  static void read(reader& r, const value& from, source& to);
};

}  // namespace wherry::app::toml_file
