// SPDX-License-Identifier: Apache-2.0
// Walks the tables of keys and prints what it sees.
#include "spec/schema.hpp"

#include <boost/json.hpp>

#include "spec/table.hpp"

namespace wherry::app {
namespace {

namespace json = boost::json;
using toml_file::form_info;
using toml_file::key_info;

json::object schema_of(const std::vector<key_info>& keys);

json::object schema_of(const form_info& form) {
  json::object out =
      json::parse(json::string_view{form.schema.data(), form.schema.size()}).as_object();
  if (form.bounds) {
    out["minimum"] = form.bounds->first;
    out["maximum"] = form.bounds->second;
  }
  if (form.keys == nullptr) return out;
  auto inner = schema_of(form.keys());
  if ((form.takes & toml_file::list) == 0 || form.also_list) {
    for (auto& [name, part] : inner) out[name] = std::move(part);
    if (form.also_list) {
      out = {{"anyOf", {out, {{"type", "array"}, {"minItems", 1}, {"items", out}}}}};
    }
  } else if (form.items_or_text) {
    out["items"] = {{"anyOf", {{{"type", "string"}}, std::move(inner)}}};
  } else {
    out["items"] = std::move(inner);
  }
  if (form.table_keys != nullptr) out = {{"anyOf", {out, schema_of(form.table_keys())}}};
  return out;
}

json::object schema_of(const std::vector<key_info>& keys) {
  json::object properties;
  json::array required;
  for (const auto& key : keys) {
    auto property = schema_of(key.form);
    property["description"] = std::string{key.doc};
    properties[std::string{key.name}] = std::move(property);
    if (key.needed == toml_file::need::required) required.emplace_back(std::string{key.name});
  }
  return {{"type", "object"},
          {"properties", std::move(properties)},
          {"required", std::move(required)},
          {"additionalProperties", false}};
}

}  // namespace

std::string spec_schema() {
  auto schema = schema_of(toml_file::spec_keys());
  schema["$schema"] = "https://json-schema.org/draft/2020-12/schema";
  schema["title"] = "A Wherry import";
  return json::serialize(schema);
}

}  // namespace wherry::app
