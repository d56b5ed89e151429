// SPDX-License-Identifier: Apache-2.0
// Goal: a report that is itself a .gz or a .zip is read as what is in it; one that is cut, damaged,
// a bomb, or an archive of something else is refused with the remedy, and leaves nothing behind.
#include "transform/unpack.hpp"

#include <string>
#include <vector>

#include <doctest/doctest.h>

#include "fixture.hpp"
#include "packed.hpp"

using namespace wherry::app;
using namespace wherry::app::testing;
using kind = transform_error::kind;
using packing = report_format::packing;

namespace {

constexpr std::string_view plain = "day,name,amount\n2001-03-12,x,5\n";

setup with(packing how, std::string member = {}) {
  report_format format;
  format.packed = how;
  format.member = std::move(member);
  return {.from = std::move(format)};
}

}  // namespace

TEST_SUITE("unpack.hpp: gzip") {
  TEST_CASE("a gzip file is seen by its first bytes") {
    CHECK(setup{}.converts(gzipped(plain)) == plain);
    CHECK(with(packing::gzip).converts(gzipped(plain)) == plain);
  }
  TEST_CASE("several members are one text") {
    CHECK(setup{}.converts(gzipped(plain.substr(0, 16)) + gzipped(plain.substr(16))) == plain);
  }
  TEST_CASE("a gzip file that is cut anywhere is refused") {
    const auto packed = gzipped(plain);
    for (std::size_t size = 2; size < packed.size(); ++size) {
      CAPTURE(size);
      const auto error = setup{}.fails(packed.substr(0, size));
      check(error, kind::data, {"gzip file ends before its end", "downloaded again"});
      CHECK(error.permanent);
    }
  }
  TEST_CASE("a gzip file that was changed anywhere after its header is refused") {
    const auto packed = gzipped(plain);
    for (std::size_t at = 10; at < packed.size(); ++at) {
      CAPTURE(at);
      auto changed = packed;
      changed[at] = static_cast<char>(changed[at] ^ 1);
      CHECK(setup{}.fails(changed).what == kind::data);
    }
  }
  TEST_CASE("what is declared to be gzip and is not is refused") {
    check(with(packing::gzip).fails(plain), kind::data, {"gzip file is damaged"});
  }
  TEST_CASE("a bomb is an error that names the limit, found before it is unpacked") {
    setup small{.max_size_bytes = 1'000'000};
    std::string blanks;
    blanks.resize(50'000'000, ' ');
    const auto bomb = gzipped(blanks);
    REQUIRE(bomb.size() < 100'000);
    check(small.fails(bomb), kind::too_large, {"unpacked", "over 1000000 bytes", "max_size"});
  }
  TEST_CASE("a long report goes through a file without a name, and leaves none") {
    const scratch place;
    std::string rows = "day,name,amount\n";
    for (int i = 0; i < 400'000; ++i) rows += "2001-03-12,abc,5\n";
    const setup one{.directory = place.path};
    const auto done = one.opened()->run(gzipped(rows), place.file("out"));
    REQUIRE_MESSAGE(done, (done ? "" : done.error().message));
    CHECK(done->rows_in == 400'000);
    CHECK(content(place.file("out")) == rows);
    CHECK(place.entries() == 1);
  }
}

TEST_SUITE("unpack.hpp: zip") {
  TEST_CASE("the only file of a zip archive is the report") {
    CHECK(setup{}.converts(zipped({{"report/", ""}, {"report/a.csv", std::string(plain)}})) ==
          plain);
  }
  TEST_CASE("of several files the glob says which") {
    const auto packed = zipped({{"readme.txt", "hello"}, {"a.csv", std::string(plain)}});
    CHECK(with(packing::zip, "*.csv").converts(packed) == plain);
    check(setup{}.fails(packed), kind::data, {"holds 2 files: readme.txt, a.csv", "member"});
    check(with(packing::by_content, "*.tsv").fails(packed), kind::data,
          {"fits \"*.tsv\"", "readme.txt, a.csv", "member"});
    check(with(packing::zip, "*").fails(packed), kind::data, {"2 files that fit"});
    check(setup{}.fails(zipped({})), kind::data, {"holds no file"});
  }
  TEST_CASE("a zip archive that is cut anywhere is refused") {
    const auto packed = zipped({{"a.csv", std::string(plain)}});
    for (std::size_t size = 4; size < packed.size(); ++size) {
      CAPTURE(size);
      CHECK(setup{}.fails(packed.substr(0, size)).what == kind::data);
    }
  }
  TEST_CASE("an encrypted archive, a damaged one and none are refused") {
    check(setup{}.fails(zipped({{"a.csv", std::string(plain)}}, "secret")), kind::data,
          {"encrypted"});
    auto damaged = zipped({{"a.csv", std::string(plain)}});
    damaged[damaged.find("PK\x01\x02") + 16] ^= 1;  // its checksum in the directory
    CHECK(setup{}.fails(damaged).what == kind::data);
    check(with(packing::zip).fails(plain), kind::data, {"zip"});
  }
  TEST_CASE("a bomb in a zip archive is an error that names the limit") {
    setup small{.max_size_bytes = 10'000};
    check(small.fails(zipped({{"a.csv", std::string(500'000, ' ')}})), kind::too_large,
          {"unpacked", "over 10000 bytes"});
  }
}
