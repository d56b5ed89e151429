// SPDX-License-Identifier: Apache-2.0
// Goal: rows of an object come as CSV, whole and as uploaded, or it is said that they are not.
#include "warehouse/object_rows.hpp"

#include <doctest/doctest.h>

#include <filesystem>
#include <fstream>
#include <string>

#include "../scratch.hpp"
#include "reports.hpp"
#include "spool/sha256.hpp"
#include "transform/compress.hpp"
#include "transform/transformer.hpp"

namespace wherry::app {
namespace {

using namespace testing;

struct house {
  scratch at;
  std::filesystem::path object = at.path / "object", csv = at.path / "scratch";
  load_item item = report_of("acme");

  void hold(const std::string& bytes) {
    std::ofstream{object, std::ios::binary} << bytes;
    item.size_bytes = bytes.size();
    item.sha256 = to_hex(sha256_of(bytes));
  }
  std::expected<std::string, load_error> rows(file_format format, compression codec) const {
    std::string text;
    auto read = read_rows(item, object, {.format = format, .compression = codec, .scratch = csv},
                          [&](std::string_view piece) {
                            text += piece;
                            return true;
                          });
    if (!read) return std::unexpected(read.error());
    return text;
  }
};

const std::string some = "client,day,n\nacme,2025-01-31,1\nacme,2025-01-31,\n";

/// The same rows as Parquet, by the transform.
std::string as_parquet(const scratch& at) {
  source from;
  from.columns = {{"client", "varchar"}, {"day", "date"}, {"n", "bigint"}};
  sink to;
  to.format = file_format::parquet;
  auto made = transformer::open(from, {}, to, {.directory = at.path.native()});
  REQUIRE(made.has_value());
  const auto file = at.path / "made";
  REQUIRE((*made)->run(some, file.native()).has_value());
  std::ifstream read{file, std::ios::binary};
  return {std::istreambuf_iterator<char>{read}, {}};
}

}  // namespace

TEST_SUITE("warehouse/object_rows.hpp") {
  TEST_CASE("rows of every format are the same") {
    house plain, columnar;
    plain.hold(some);
    CHECK(plain.rows(file_format::csv, compression::none) == some);
    columnar.hold(as_parquet(columnar.at));
    CHECK(columnar.rows(file_format::parquet, compression::none) == some);
    CHECK_FALSE(std::filesystem::exists(columnar.csv));
    for (const auto codec : {compression::gzip, compression::zstd}) {
      house packed;
      std::string bytes;
      block_compressor compressor{codec};
      compressor.compress(some, bytes);
      packed.hold(bytes);
      CHECK(packed.rows(file_format::csv, codec) == some);
    }
  }

  TEST_CASE("an object that is missing, cut, longer or other bytes has vanished") {
    for (const auto format : {file_format::csv, file_format::parquet}) {
      house at;
      at.hold(some);
      SUBCASE("missing") { std::filesystem::remove(at.object); }
      SUBCASE("cut") { std::filesystem::resize_file(at.object, some.size() - 1); }
      SUBCASE("longer") { std::ofstream{at.object, std::ios::app} << "acme,2025-01-31,7\n"; }
      SUBCASE("other") { at.item.sha256 = to_hex(sha256_of("other")); }
      const auto rows = at.rows(format, compression::none);
      REQUIRE_FALSE(rows.has_value());
      CHECK(rows.error().kind == load_error_kind::vanished);
      CHECK(rows.error().message.contains(at.item.url));
    }
  }

  TEST_CASE("a receiver that has enough ends it without an error") {
    house at;
    at.hold(some);
    CHECK(read_rows(at.item, at.object, {}, [](std::string_view) { return false; }).has_value());
  }
}

}  // namespace wherry::app
