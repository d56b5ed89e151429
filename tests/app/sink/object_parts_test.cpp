// SPDX-License-Identifier: Apache-2.0
// Goal: parts that S3 takes, and that together are the file.
#include "sink/object_parts.hpp"

#include <doctest/doctest.h>

#include <fstream>

#include "../scratch.hpp"
#include "spool/sha256.hpp"

namespace wherry::app {
namespace {

constexpr std::uint64_t mib = 1ull << 20;

sink to_s3(std::uint64_t multipart_bytes) {
  sink spec;
  spec.url = "s3://bucket/{client}/{day}.csv";
  spec.multipart_bytes = multipart_bytes;
  return spec;
}

struct house {
  testing::scratch at;
  std::unique_ptr<spool> files = std::move(*spool::open(at.path / "spool", 1'000'000));
  spool_file spooled(std::string_view bytes) {
    auto writer = files->write({"acme", 1, spool_step::transform}, spool_form::own_file);
    REQUIRE(writer.write(bytes).has_value());
    return *writer.finish();
  }
};

}  // namespace

TEST_SUITE("sink/object_parts.hpp") {
  TEST_CASE(
      "a part is a quarter of the limit, at least what S3 takes, and there are 10,000 at most") {
    CHECK(part_size_bytes(100 * mib, to_s3(64 * mib)) == 16 * mib);
    CHECK(part_size_bytes(100 * mib, to_s3(1)) == 5 * mib);
    CHECK(part_size_bytes(mib * 10'000 * 16, to_s3(64 * mib)) == 16 * mib);
    CHECK(part_size_bytes(mib * 10'000 * 16 + 1, to_s3(64 * mib)) == 17 * mib);
    CHECK(part_size_bytes(most_parts * largest_part_bytes, to_s3(mib)) == largest_part_bytes);
  }

  TEST_CASE("a step has time for every part that may be under way") {
    auto spec = to_s3(64 * mib);
    spec.timeout = std::chrono::minutes{2};
    CHECK(longest_put(64 * mib, spec) == std::chrono::minutes{2});
    CHECK(longest_put(128 * mib, spec) == std::chrono::minutes{2} * (4 + 2));
    spec.url = "file:///out/{client}/{day}.csv";
    CHECK(longest_put(128 * mib, spec) == std::chrono::minutes{2});
  }

  TEST_CASE("the parts lie end to end, each with its own hash, and the last one is the rest") {
    house at;
    std::string bytes;
    for (int i = 0; i < 300'000; ++i) bytes += static_cast<char>(i * 7 / 5);
    for (const std::size_t size : {100'000u, 299'999u, 300'000u, 77'777u}) {
      const auto parts = cut_into_parts(*at.files, at.spooled(bytes), size, {}, {});
      REQUIRE(parts.has_value());
      CHECK(parts->size() == (bytes.size() + size - 1) / size);
      std::size_t end = 0;
      for (const auto& each : *parts) {
        CHECK(each.begin_bytes == end);
        CHECK(each.sha256 == to_hex(sha256_of(bytes.substr(end, each.size_bytes))));
        end += each.size_bytes;
        CHECK((each.size_bytes == size || end == bytes.size()));
      }
      CHECK(end == bytes.size());
    }
  }

  TEST_CASE("a file that is damaged has no parts") {
    house at;
    const auto file = at.spooled("these bytes");
    std::ofstream{at.files->path_of(file)} << "those bytes";
    const auto parts = cut_into_parts(*at.files, file, 4, {}, {});
    REQUIRE_FALSE(parts.has_value());
    CHECK(parts.error().kind == spool_error_kind::damaged);
  }
}

}  // namespace wherry::app
