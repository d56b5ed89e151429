// SPDX-License-Identifier: Apache-2.0
// Goal: `sink.checksum` goes with every object and part, and what the server says of it is
// compared. Method: s3_house.hpp. Ceph 16 knows nothing of these checksums, so what AWS says is
// said by the front.
#include <doctest/doctest.h>

#include "s3_front.hpp"
#include "sink/checksum.hpp"
#include "spec/spelling.hpp"

namespace wherry::app {
namespace {

using kind = sink_error_kind;

struct fronted : fronted_house {
  template <class... Judge>
  explicit fronted(checksum of, Judge... judge) : fronted_house(std::move(judge)...) {
    spec.checksum = of;
  }
};

std::string header_of(checksum of, std::string_view bytes) {
  return std::string{words_of(of).header} + ": " + in_base64(checksum_of(of, bytes)) + "\r\n";
}

const std::string& large() {
  static const std::string bytes = many_bytes(6'000'000);  // two parts
  return bytes;
}
constexpr std::size_t part_bytes = 5 << 20;

bool is_part(const std::string& head) { return head.contains("?partNumber="); }
bool is_completion(const std::string& head) {
  return head.starts_with("POST ") && !head.contains("?uploads");
}

fate completed_with(const std::string& sum) {
  const auto body = "<CompleteMultipartUploadResult><ChecksumCRC32C>" + sum +
                    "</ChecksumCRC32C></CompleteMultipartUploadResult>";
  return {fate::is::answered, "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: " +
                                  std::to_string(body.size()) + "\r\n\r\n" + body};
}

}  // namespace

TEST_SUITE("sink/checksum.hpp at a server") {
  TEST_CASE(
      "the checksum goes with an object, small or large, and a server that ignores it is well") {
    for (const auto of : {checksum::sha256, checksum::crc32c}) {
      for (const std::string& bytes : {std::string{}, many_bytes(1'000), many_bytes(200'000)}) {
        fronted at{of};
        const auto got = at.put(at.spooled(bytes));
        REQUIRE_MESSAGE(got.has_value(), got.error().message);
        CHECK(at.front.count({"PUT ", header_of(of, bytes)}) == 1);
        CHECK(at.objects().at("77.csv").sha256 == to_hex(sha256_of(bytes)));
      }
    }
  }

  TEST_CASE("the checksum of each part goes with it, and the upload says which kind it will be") {
    for (const auto of : {checksum::sha256, checksum::crc32c}) {
      fronted at{of};
      const auto got = at.put(at.spooled(large()));
      REQUIRE_MESSAGE(got.has_value(), got.error().message);
      CHECK(at.front.count({"?uploads", "x-amz-checksum-type: COMPOSITE",
                            "x-amz-checksum-algorithm: " + std::string{words_of(of).algorithm}}) ==
            1);
      CHECK(at.front.count({"partNumber=1&", header_of(of, large().substr(0, part_bytes))}) == 1);
      CHECK(at.front.count({"partNumber=2&", header_of(of, large().substr(part_bytes))}) == 1);
      CHECK(at.objects().at("77.csv").sha256 == to_hex(sha256_of(large())));
    }
  }

  TEST_CASE("a server that says the same checksum has taken the object") {
    fronted at{checksum::sha256,
               [](const auto&, int) { return fate::taken(header_of(checksum::sha256, "rows")); }};
    CHECK(at.put(at.spooled("rows")).has_value());
  }

  TEST_CASE("a server that says another checksum has not, and the object is sent again later") {
    fronted at{checksum::crc32c,
               [](const auto&, int) { return fate::taken(header_of(checksum::crc32c, "other")); }};
    check_error(at.put(at.spooled("rows")), kind::transient, {"/77.csv", "`sink.checksum`"});
  }

  TEST_CASE("another checksum of one part ends the upload and leaves no parts") {
    fronted at{checksum::crc32c, [](const std::string& head, int) {
                 return is_part(head)
                            ? fate::taken("ETag: \"x\"\r\n" + header_of(checksum::crc32c, "x"))
                            : fate{};
               }};
    check_error(at.put(at.spooled(large())), kind::transient, {"`sink.checksum`"});
    CHECK(at.objects().empty());
    CHECK(at.uploads().empty());
  }

  TEST_CASE("the checksum of the whole is that of the parts' checksums, with their number") {
    const auto sum = checksum_of(checksum::crc32c,
                                 checksum_of(checksum::crc32c, large().substr(0, part_bytes)) +
                                     checksum_of(checksum::crc32c, large().substr(part_bytes)));
    for (const auto* number : {"-2", "-3"}) {
      fronted at{checksum::crc32c, [&](const std::string& head, int) {
                   return is_completion(head) ? completed_with(in_base64(sum) + number) : fate{};
                 }};
      const auto got = at.put(at.spooled(large()));
      CHECK(got.has_value() == (std::string_view{number} == "-2"));
      if (!got) check_error(got, kind::transient, {"`sink.checksum`", number});
    }
  }

  TEST_CASE("a server that has got other bytes says so, and the report goes back") {
    fronted at{checksum::sha256, [](const auto&, int) { return fate::refused(400, "BadDigest"); }};
    check_error(at.put(at.spooled("rows")), kind::damaged, {"400 BadDigest"});
  }
}

}  // namespace wherry::app
