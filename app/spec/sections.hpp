// SPDX-License-Identifier: Apache-2.0
#pragma once
// The sections of a spec whose keys stand in files of their own. Internal to app/spec.

#include <string_view>
#include <vector>

#include "spec/table.hpp"

namespace wherry::app::toml_file {

struct section {
  static constexpr unsigned takes = table;
  static constexpr std::string_view wanted = "a table";
  static constexpr std::string_view schema = R"({"type":"object"})";
};

/// [source.limit], [sink.limit].
struct limit_form : section {
  static std::vector<key_info> keys();
  static void read(reader& r, const value& from, limit& to);
};

/// [[source.shared]].
struct shared_limits {
  static constexpr unsigned takes = list;
  static constexpr std::string_view wanted =
      R"(shared = [{ lane = "app", quotas = ["10000/day"] }])";
  static constexpr std::string_view schema = R"({"type":"array"})";
  static std::vector<key_info> keys();
  static void read(reader& r, const value& from, std::vector<limit>& to);
};

/// `clients` of [import]: written there, or the table of a list elsewhere.
struct clients_form {
  static constexpr unsigned takes = list | table;
  static constexpr std::string_view wanted =
      R"(clients = ["acme", { id = "globex", currency = "EUR" }])";
  static constexpr std::string_view schema = R"({"type":"array","minItems":1})";
  static std::vector<key_info> keys();
  static std::vector<key_info> table_keys();
  static constexpr bool items_or_text = true;
  static void read(reader& r, const value& from, spec& to);
};

struct source_form : section {
  static std::vector<key_info> keys();
  static void read(reader& r, const value& from, source& to);
};

struct transform_form : section {
  static std::vector<key_info> keys();
  static void read(reader& r, const value& from, transform& to);
};

struct sink_form : section {
  static std::vector<key_info> keys();
  static void read(reader& r, const value& from, sink& to);
};

}  // namespace wherry::app::toml_file
