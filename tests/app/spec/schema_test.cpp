// SPDX-License-Identifier: Apache-2.0
// Goal: the spec to start from and the schema agree with what is read. Method: the schema is made
// from the tables that read, so every name in it must be in the starting spec.
#include "spec/schema.hpp"

#include <boost/json.hpp>

#include "sample.hpp"
#include "spec/init.hpp"

using namespace wherry::app;
using namespace wherry::app::sample;

TEST_SUITE("spec/init.hpp") {
  TEST_CASE("the spec to start from is a good spec") {
    const auto made = good(starting_spec(), {{"API_TOKEN", "t"}, {"PWD", "/home/me"}});
    CHECK(made.sink.url == "file:///home/me/out/day={day}/{client}.csv.gz");
    CHECK(made.source.on.size() == 2);
  }

  TEST_CASE("the spec to start from shows every key") {
    const auto walk = [](const auto& self, const boost::json::value& schema) -> void {
      if (const auto* object = schema.if_object()) {
        if (const auto* properties = object->if_contains("properties")) {
          for (const auto& [name, inner] : properties->as_object()) {
            CAPTURE(std::string{name});
            CHECK(starting_spec().contains(std::string{name}));
          }
        }
        for (const auto& [name, inner] : *object) self(self, inner);
      }
      if (const auto* list = schema.if_array()) {
        for (const auto& inner : *list) self(self, inner);
      }
    };
    walk(walk, boost::json::parse(spec_schema()));
  }
}

TEST_SUITE("spec/schema.hpp") {
  TEST_CASE("the schema says what the reader wants") {
    const auto schema = boost::json::parse(spec_schema());
    const auto at = [&](const char* path) {
      return boost::json::serialize(schema.at_pointer(path));
    };
    CHECK(at("/required") == R"(["import","source","transform","sink"])");
    CHECK(at("/additionalProperties") == "false");
    CHECK(at("/properties/import/properties/window/maximum") == "1000000");
    CHECK(at("/properties/source/properties/on/items/required") == R"(["is"])");
    CHECK(at("/properties/import/properties/clients/anyOf/0/items/anyOf/0") ==
          R"({"type":"string"})");
    CHECK(at("/properties/source/properties/auth/anyOf/0/maxProperties") == "1");
    CHECK(at("/properties/source/properties/auth/anyOf/0/properties/basic/required") ==
          R"(["user","password"])");
  }
}
