// SPDX-License-Identifier: Apache-2.0
// Goal: `sink.encryption` is asked for with every object, and one that may be in plain is told.
// Method: s3_house.hpp, whose server has a KMS with one key, and does not know encryption by its
// own; what AWS says is said by the front.
#include <doctest/doctest.h>

#include "s3_front.hpp"
#include "sink/probe.hpp"

namespace wherry::app {
namespace {

using kind = sink_error_kind;

struct fronted : fronted_house {
  template <class... Judge>
  explicit fronted(encryption of, Judge... judge) : fronted_house(std::move(judge)...) {
    spec.encryption = of;
  }
};

}  // namespace

TEST_SUITE("sink/encryption.hpp") {
  TEST_CASE("an object is encrypted by the key that the spec names, whole or in parts") {
    for (const std::size_t size : {10u, 6'000'000u}) {
      fronted at{encryption::kms};
      at.spec.kms_key = "wherry-key";
      const auto bytes = many_bytes(size);
      const auto got = at.put(at.spooled(bytes));
      REQUIRE_MESSAGE(got.has_value(), got.error().message);
      const auto found = at.objects().at("77.csv");
      CHECK(found.encryption == "aws:kms");
      CHECK(found.kms_key == "wherry-key");
      CHECK(found.sha256 == to_hex(sha256_of(bytes)));
    }
  }

  TEST_CASE("S3's own key is asked for, and a server that says so is believed") {
    fronted at{encryption::s3, [](const auto&, int) {
                 return fate::taken("x-amz-server-side-encryption: AES256\r\n");
               }};
    const auto got = at.put(at.spooled("rows"));
    REQUIRE_MESSAGE(got.has_value(), got.error().message);
    CHECK(at.front.count({"PUT ", "x-amz-server-side-encryption: AES256"}) == 1);
    CHECK(at.front.count({"kms-key-id"}) == 0);
  }

  TEST_CASE("a server that takes an object without a word of its encryption is refused") {
    fronted at{encryption::s3};
    check_error(at.put(at.spooled("rows")), kind::permanent, {"in plain", "`sink.encryption`"});
  }

  TEST_CASE("in parts nothing is sent to a server that says no word of encryption") {
    fronted at{encryption::s3};
    check_error(at.put(at.spooled(many_bytes(6'000'000))), kind::permanent,
                {"in plain", "`sink.encryption`"});
    CHECK(at.front.count({"partNumber"}) == 0);
    CHECK(at.uploads().empty());
  }

  TEST_CASE("a probe asks for encryption and tells whether there is any") {
    const auto probed = [](fronted& at) {
      thread_scheduler scheduler{{.threads = 1}};
      return scheduler.run(probe_sink(at.spec, at.http, at.keys, {"acme", "77", "", "UTC"}, first));
    };
    fronted plain{encryption::s3};
    const auto refused = probed(plain);
    REQUIRE_FALSE(refused.has_value());
    CHECK(refused.error().contains("`sink.encryption`"));
    CHECK(plain.uploads().empty());
    fronted encrypted{encryption::kms};
    encrypted.spec.kms_key = "wherry-key";
    CHECK(probed(encrypted).has_value());
  }
}

}  // namespace wherry::app
