// SPDX-License-Identifier: Apache-2.0
// Goal: a request goes to the host and path that S3 expects. Method: tables.
#include "sink/s3_address.hpp"

#include <doctest/doctest.h>

namespace wherry::app {
namespace {

std::string address(std::string endpoint, bool path_style, const s3_object& of) {
  sink spec;
  spec.region = "eu-central-1";
  spec.endpoint = std::move(endpoint);
  spec.path_style = path_style;
  const auto found = address_of(spec, of);
  return found.url() + " " + found.host;
}

}  // namespace

TEST_SUITE("sink/s3_address.hpp") {
  TEST_CASE("an s3 URL is a bucket and a decoded key") {
    const auto plain = parse_s3_url("s3://bucket/ads/day=2025-01-31/acme.csv");
    CHECK(plain.bucket == "bucket");
    CHECK(plain.key == "ads/day=2025-01-31/acme.csv");
    CHECK(parse_s3_url("s3://b/a%20b%2Fc%C3%BC").key == "a b/c\xc3\xbc");
    CHECK(parse_s3_url("s3://b/100%/a%2/%zz").key == "100%/a%2/%zz");
    CHECK(parse_s3_url("s3://b//x").key == "/x");
  }

  TEST_CASE("without an endpoint the host is AWS of the region") {
    CHECK(address("", false, {"bucket", "a/b"}) ==
          "https://bucket.s3.eu-central-1.amazonaws.com/a/b "
          "bucket.s3.eu-central-1.amazonaws.com");
    CHECK(address("", true, {"bucket", "a/b"}) ==
          "https://s3.eu-central-1.amazonaws.com/bucket/a/b s3.eu-central-1.amazonaws.com");
  }

  TEST_CASE("any endpoint serves in either style") {
    CHECK(address("http://127.0.0.1:9000", true, {"bucket", "a b=c"}) ==
          "http://127.0.0.1:9000/bucket/a%20b%3Dc 127.0.0.1:9000");
    CHECK(address("https://minio.example", false, {"bucket", "k"}) ==
          "https://bucket.minio.example/k bucket.minio.example");
  }

  TEST_CASE("the scheme's own port is no part of the Host") {
    CHECK(address("http://s3.example:80", true, {"b", "k"}) == "http://s3.example/b/k s3.example");
    CHECK(address("https://s3.example:443", true, {"b", "k"}) ==
          "https://s3.example/b/k s3.example");
    CHECK(address("http://s3.example:443", true, {"b", "k"}) ==
          "http://s3.example:443/b/k s3.example:443");
  }

}  // TEST_SUITE

}  // namespace wherry::app
