// SPDX-License-Identifier: Apache-2.0
// Goal: a real S3 server holds, under the very key that the spec says, the very bytes of the spool
// file, and what it refuses is told with the remedy. Method: s3_house.hpp. Objects in parts:
// multipart_test.cpp.
#include <doctest/doctest.h>

#include <filesystem>
#include <fstream>

#include "s3_house.hpp"

namespace wherry::app {
namespace {

namespace fs = std::filesystem;
using kind = sink_error_kind;

void check_put(house& at, std::string_view bytes, const std::string& key) {
  const auto file = at.spooled(bytes);
  const auto got = at.put(file);
  REQUIRE_MESSAGE(got.has_value(), got.error().message);
  CHECK(got->url == at.spec.url);
  CHECK(got->size_bytes == bytes.size());
  CHECK(got->sha256 == to_hex(sha256_of(bytes)));
  const auto found = at.objects();
  REQUIRE(found.size() == 1);
  REQUIRE(found.contains(key));
  CHECK(found.at(key).size_bytes == bytes.size());
  CHECK(found.at(key).sha256 == to_hex(sha256_of(bytes)));
}

/// Every key arrives as it was meant, in the style that `at` has.
void check_odd_keys(house& at) {
  const std::vector<std::string> odd = {
      "a b",         "a+b",       "a=b&c=d", "a%b",       "a%41b",  "100%",
      "a;b,c:d@e$f", "(a)*!'[b]", "a#b?c",   "a\\b|c^d`", "{a}<b>", "\"quoted\"",
      "~tilde~",     "...",       "..a",     "a..",       "a//b/",  " a ",
      "Zürich",      "日本/東京", "e\u0301", "\U0001F6F6"};
  const auto file = at.spooled("odd");
  for (const auto& key : odd) {
    const auto got = at.put(file, key);
    REQUIRE_MESSAGE(got.has_value(), key, ": ", got.error().message);
  }
  const auto found = at.objects();
  for (const auto& key : odd) CHECK_MESSAGE(found.contains(key), key);
  CHECK(found.size() == odd.size());
}

}  // namespace

TEST_SUITE("sink/s3_sink.hpp") {
  TEST_CASE("a small object arrives whole under its key") {
    house at;
    at.into("day={day}.csv");
    const auto file = at.spooled("a,b\n1,2\n");
    const auto got = at.put(file);
    REQUIRE_MESSAGE(got.has_value(), got.error().message);
    CHECK(got->url.ends_with("/day=2025-01-31.csv"));
    const auto found = at.objects();
    REQUIRE(found.contains("day=2025-01-31.csv"));
    CHECK(found.at("day=2025-01-31.csv").sha256 == to_hex(sha256_of("a,b\n1,2\n")));
    CHECK(found.at("day=2025-01-31.csv").type == "text/csv");
    CHECK(at.files->read(file).has_value());
  }

  TEST_CASE("an empty file is an object of no bytes") {
    house at;
    at.into("empty");
    check_put(at, "", "empty");
  }

  TEST_CASE("an object of 20 MB arrives whole") {
    house at;
    at.into("large");
    check_put(at, many_bytes(20'000'000), "large");
  }

  TEST_CASE("other bytes replace an object") {
    house at;
    at.into("replaced");
    check_put(at, many_bytes(200'000), "replaced");
    check_put(at, "other", "replaced");
  }

  TEST_CASE("a report that is imported again and has the same bytes is not uploaded again") {
    house at;
    at.into("same");
    const auto file = at.spooled("these bytes");
    at.put_liar("other bytes", file.sha256);  // so that an upload would show
    const auto got = at.put_again(file);
    REQUIRE_MESSAGE(got.has_value(), got.error().message);
    CHECK(got->unchanged);
    CHECK(got->sha256 == file.sha256);
    CHECK(at.objects().at("same").sha256 == to_hex(sha256_of("other bytes")));
    CHECK_FALSE(at.put(file)->unchanged);  // one that is not known to have been there is
    CHECK(at.objects().at("same").sha256 == file.sha256);
    CHECK(at.put_again(file)->unchanged);  // by the hash that our own upload has stored
  }

  TEST_CASE("a report that is imported again is uploaded if its object is gone, or another") {
    house at;
    at.into("restated");
    const auto gone = at.put_again(at.spooled("first"));
    REQUIRE_MESSAGE(gone.has_value(), gone.error().message);
    CHECK_FALSE(gone->unchanged);
    const auto other = at.put_again(at.spooled("other"));
    REQUIRE_MESSAGE(other.has_value(), other.error().message);
    CHECK_FALSE(other->unchanged);
    CHECK(at.objects().at("restated").sha256 == to_hex(sha256_of("other")));
    at.put_liar("longer than it", to_hex(sha256_of("other")));
    CHECK_FALSE(at.put_again(at.spooled("other"))->unchanged);
  }

  TEST_CASE("an object that is to stay does, and its own bytes are no conflict") {
    house at;
    at.into("kept");
    at.spec.overwrite = false;
    const auto file = at.spooled("first");
    const auto made = at.put(file);
    REQUIRE_MESSAGE(made.has_value(), made.error().message);
    CHECK_FALSE(made->unchanged);
    CHECK(at.put(file)->unchanged);
    check_error(at.put(at.spooled("other")), kind::permanent, {"`sink.overwrite`", "/kept"});
    CHECK(at.objects().at("kept").sha256 == to_hex(sha256_of("first")));
  }

  TEST_CASE("each call but the first is paid for before it is made") {
    house at;
    at.into("paid");
    int paid = 0;
    object_to_put what{.of = {"acme", "77", "", "UTC"}, .on = first, .file = at.spooled("x")};
    what.pay = [&paid]() -> task<> {
      ++paid;
      co_return;
    };
    REQUIRE(at.put(what).has_value());
    CHECK(paid == 0);
    what.may_be_there = true;
    REQUIRE(at.put(what)->unchanged);  // one HEAD
    CHECK(paid == 0);
    what.file = at.spooled("y");
    REQUIRE(at.put(what).has_value());  // a HEAD and a PUT
    CHECK(paid == 1);
  }

  TEST_CASE("rows that were put aside lie beside the object, as CSV") {
    house at;
    at.into("{account}.parquet");
    at.spec.format = file_format::parquet;
    const auto got = at.put(object_to_put{.of = {"acme", "77", "", "UTC"},
                                          .on = first,
                                          .file = at.spooled("row,why\n"),
                                          .role = object_role::rejected});
    REQUIRE_MESSAGE(got.has_value(), got.error().message);
    CHECK(got->url.ends_with("/77.rejected.csv"));
    CHECK(at.objects().at("77.rejected.csv").type == "text/csv");
  }

  TEST_CASE("odd keys arrive as they were meant, by path") {
    house at;
    check_odd_keys(at);
  }

  TEST_CASE("odd keys arrive as they were meant, by the bucket's host name") {
    house at;
    at.by_host_name();
    check_odd_keys(at);
  }

  TEST_CASE("a key may be written percent-encoded in the spec") {
    house at;
    at.into("a%20b%2Bc%25d");
    check_put(at, "x", "a b+c%d");
  }

  TEST_CASE("a client cannot lead out of the place that the spec names") {
    house at;
    at.into("inside/{account}/x");
    const auto file = at.spooled("x");
    for (const auto* dots : {"..", "."}) {
      check_error(at.put(file, dots), kind::permanent, {"`sink.url`", "acme"});
    }
    CHECK(at.objects().empty());
  }

  TEST_CASE("dots that are written percent-encoded do not lead out either") {
    house at;
    at.into("inside/%2E%2e/x");
    const auto got = at.put(at.spooled("x"));
    REQUIRE_MESSAGE(got.has_value(), got.error().message);
    const auto found = at.objects();
    CHECK(found.size() == 1);
    CHECK(found.contains("inside/../x"));  // a key like any other: S3 knows no directories
  }

  TEST_CASE("a small spool file that is damaged goes back and leaves the old object") {
    house at;
    at.into("kept");
    check_put(at, "old bytes", "kept");
    const auto file = at.spooled("new bytes", spool_form::own_file);
    std::ofstream{at.files->path_of(file)} << "not these";
    check_error(at.put(file), kind::damaged, {});
    CHECK(at.objects().at("kept").sha256 == to_hex(sha256_of("old bytes")));
  }

  TEST_CASE("a large spool file that is damaged goes back and leaves the old object") {
    house at;
    at.into("kept");
    check_put(at, "old bytes", "kept");
    auto bytes = many_bytes(1'000'000);
    const auto file = at.spooled(bytes);
    bytes[500'000] = static_cast<char>(~bytes[500'000]);
    std::ofstream{at.files->path_of(file), std::ios::binary} << bytes;
    check_error(at.put(file), kind::damaged, {"bytes changed on the way"});
    fs::resize_file(at.files->path_of(file), 999'999);
    check_error(at.put(file), kind::damaged, {});
    fs::remove(at.files->path_of(file));
    check_error(at.put(file), kind::damaged, {});
    CHECK(at.objects().at("kept").sha256 == to_hex(sha256_of("old bytes")));
  }

  TEST_CASE("a wrong secret stops the lane and its key is named") {
    house at;
    at.spec.secret_key.reveal = "wrong";
    check_error(at.put(at.spooled("x")), kind::stopped,
                {"SignatureDoesNotMatch", "`sink.secret_key`", at.spec.url.substr(0, 5)});
    CHECK(at.objects().empty());
  }

  TEST_CASE("a wrong access key stops the lane and is named") {
    house at;
    at.spec.access_key = "NOBODY";
    check_error(at.put(at.spooled("x")), kind::stopped,
                {"InvalidAccessKeyId", "`sink.access_key`"});
  }

  TEST_CASE("an unknown bucket is permanent and named, in both styles") {
    house at;
    at.spec.url = "s3://no-such-bucket/{account}";
    const auto file = at.spooled("x");
    check_error(at.put(file), kind::permanent, {"NoSuchBucket", "s3://no-such-bucket/77"});
    at.by_host_name();
    check_error(at.put(file), kind::permanent, {"NoSuchBucket", "s3://no-such-bucket/77"});
  }

  TEST_CASE("a server that is not there is transient and named") {
    house at;
    at.spec.endpoint = "http://127.0.0.1:9";
    check_error(at.put(at.spooled("x")), kind::transient, {"http://127.0.0.1:9", "sink.endpoint"});
  }

  TEST_CASE("an upload that its time limit ends is transient and the limit's key is named") {
    house at;
    at.spec.timeout = std::chrono::milliseconds{1};
    check_error(at.put(at.spooled(many_bytes(20'000'000))), kind::transient, {"`sink.timeout`"});
  }

}  // TEST_SUITE

}  // namespace wherry::app
