// SPDX-License-Identifier: Apache-2.0
// Goal: checksums that S3 compares are those that it computes. Method: published values; RFC 3720,
// B.4 for CRC-32C, RFC 4648, 10 for base64.
#include "sink/checksum.hpp"

#include <doctest/doctest.h>

#include "spec/spelling.hpp"
#include "spool/sha256.hpp"

namespace wherry::app {

TEST_SUITE("sink/checksum.hpp") {
  TEST_CASE("a CRC-32C is Castagnoli's, the highest byte first") {
    CHECK(to_hex(checksum_of(checksum::crc32c, "123456789")) == "e3069283");
    CHECK(to_hex(checksum_of(checksum::crc32c, std::string(32, '\0'))) == "8a9136aa");
    CHECK(to_hex(checksum_of(checksum::crc32c, std::string(32, '\xff'))) == "62a8ab43");
    CHECK(to_hex(checksum_of(checksum::crc32c, "")) == "00000000");
  }

  TEST_CASE("a SHA-256 is sent as its bytes, however it is known") {
    CHECK(checksum_of(checksum::sha256, "x") == bytes_of(sha256_of("x")));
    CHECK(bytes_of_sha256(to_hex(sha256_of("x"))) == bytes_of(sha256_of("x")));
  }

  TEST_CASE("base64 is padded") {
    CHECK(in_base64("").empty());
    CHECK(in_base64("f") == "Zg==");
    CHECK(in_base64("fo") == "Zm8=");
    CHECK(in_base64("foobar") == "Zm9vYmFy");
    CHECK(in_base64("\xff\xfe") == "//4=");
  }

  TEST_CASE("what the server says is an error only if it is something else") {
    sink spec;
    CHECK_FALSE(other_than_sent(spec, "s3://b/k", "", "a="));
    CHECK_FALSE(other_than_sent(spec, "s3://b/k", "a=", "a="));
    const auto wrong = other_than_sent(spec, "s3://b/k", "b=", "a=");
    REQUIRE(wrong);
    CHECK(wrong->kind == sink_error_kind::transient);
    for (const auto* each : {"s3://b/k", "b=", "a=", "`sink.checksum`"}) {
      CHECK(wrong->message.contains(each));
    }
  }

  TEST_CASE("an object that is to stay and may be damaged is for somebody to remove") {
    sink spec;
    spec.overwrite = false;
    const auto wrong = other_than_sent(spec, "s3://b/k", "b=", "a=");
    REQUIRE(wrong);
    CHECK(wrong->kind == sink_error_kind::permanent);
    CHECK(wrong->message.contains("`sink.overwrite`"));
  }
}

}  // namespace wherry::app
