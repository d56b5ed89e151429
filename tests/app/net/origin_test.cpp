// SPDX-License-Identifier: Apache-2.0
// Goal: what counts as the same place for credentials, and what of a URL may be said aloud.
#include "net/origin.hpp"

#include <doctest/doctest.h>

namespace wherry::app {

TEST_SUITE("net/origin.hpp") {
  TEST_CASE("an origin is scheme and host and port in lower case") {
    CHECK(parse_origin("HTTPS://API.Example.com/x") == origin{"https", "api.example.com", 443});
    CHECK(parse_origin("http://api.example.com:8080") == origin{"http", "api.example.com", 8080});
    CHECK(parse_origin("https://a.example:443/x") == parse_origin("https://a.example/y"));
    CHECK(parse_origin("http://a.example/") != parse_origin("https://a.example/"));
  }

  TEST_CASE("user and password are no part of an origin") {
    CHECK(parse_origin("https://api.example.com:443@evil.example/") ==
          origin{"https", "evil.example", 443});
    CHECK(to_string(*parse_origin("https://me:hunter2@api.example.com/")) ==
          "https://api.example.com");
  }

  TEST_CASE("other schemes and other text have no origin") {
    CHECK_FALSE(parse_origin("ftp://a.example/"));
    CHECK_FALSE(parse_origin("file:///etc/passwd"));
    CHECK_FALSE(parse_origin("http://"));
    CHECK(place_of("not a url hunter2") == "the given URL");
  }

  TEST_CASE("a location is resolved against the URL that sent it") {
    CHECK(resolve_url("http://a.example/x/y?z=1", "/w?v=2") == "http://a.example/w?v=2");
    CHECK(resolve_url("http://a.example/x/y", "w") == "http://a.example/x/w");
    CHECK(resolve_url("https://a.example/x", "http://b.example/y") == "http://b.example/y");
    CHECK(resolve_url("https://a.example/x", "//b.example/y") == "https://b.example/y");
    CHECK(resolve_url("https://a.example/x", "nonsense://[").empty());
  }

}  // TEST_SUITE

}  // namespace wherry::app
