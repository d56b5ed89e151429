// SPDX-License-Identifier: Apache-2.0
// Goal: mistakes that only the whole spec shows: doubles, addresses of every client, limits against
// the window, credentials of S3. Method: as keys_test.
#include "sample.hpp"

using namespace wherry::app;
using namespace wherry::app::sample;

namespace {

std::string s3(std::string_view more) {
  return changed("file:///out/{day}/{client}.csv", "s3://bucket/{day}/{client}.csv") +
         std::string{more};
}

}  // namespace

TEST_SUITE("spec/read.hpp whole") {
  TEST_CASE("no client and the same client twice are mistakes") {
    CHECK(mistakes(changed(R"(["acme"])", "[]")) ==
          lines{"ads.toml:3:11: clients in [import] is empty; write clients = [\"acme\", { id = "
                "\"globex\", currency = \"EUR\" }]"});
    CHECK(mistakes(changed(R"(["acme"])", "[\"acme\",\n\"b\",\n{ id = \"acme\" }]")) ==
          lines{R"(ads.toml:5:8: clients in [import] has the client "acme" twice)"
                R"(; it is also in line 3: remove one)"});
  }

  TEST_CASE("a client that lacks what an address asks for is named") {
    CHECK(mistakes(changed("/{day}.csv", "/{currency}/{day}.csv")) ==
          lines{R"(ads.toml:3:12: client "acme" has no currency, which the url of [source] asks)"
                R"( for; give it one: { id = "acme", currency = "…" })"});
    CHECK(mistakes(added("[source]", "limit.lane = \"{currency}\"")) ==
          lines{R"(ads.toml:3:12: client "acme" has no currency, which the lane of [source.limit])"
                R"( asks for; give it one: { id = "acme", currency = "…" })"});
  }

  TEST_CASE("a client whose value leaves the directory is named") {
    auto text = changed("out/{day}/{client}.csv", "out/{day}/{account}.csv");
    text.replace(text.find("\"acme\""), 6, R"({ id = "acme", account = "../x" })");
    CHECK(mistakes(text) ==
          lines{R"(ads.toml:3:19: client "acme" has a "/" in its account, which the url of [sink])"
                R"( asks for; a file name cannot hold it: name files by {client})"});
  }

  TEST_CASE("two clients with one object are a mistake") {
    auto text = changed("out/{day}/{client}.csv", "out/{day}/all.csv");
    text.replace(text.find("\"acme\""), 6, R"("acme", "globex")");
    CHECK(mistakes(text) ==
          lines{R"(ads.toml:9:7: url in [sink] gives clients "acme" and "globex" the same object)"
                R"(; put {client} into it)"});
  }

  TEST_CASE("a window smaller than what is in flight is a mistake") {
    CHECK(mistakes(added("[import]", "window = 4")) ==
          lines{"ads.toml:4:10: window in [import] is 4, less than the 8 in flight of "
                "[source.limit]; write window = 8 or more"});
    CHECK(mistakes(added("[sink]", "limit = { in_flight = 600 }")) ==
          lines{"ads.toml:10:23: window in [import] is 512 by default, less than the 600 in flight "
                "of [sink.limit]; write window = 600 or more"});
  }

  TEST_CASE("a first delay beyond the cap is a mistake") {
    CHECK(mistakes(added("[retry]", "first = \"2m\"")) ==
          lines{"ads.toml:11:9: first in [retry] is longer than cap; write first = \"500ms\" and a "
                "cap of at least that"});
    CHECK(mistakes(added("[retry]", "cap = \"100ms\"")) ==
          lines{"ads.toml:11:7: cap in [retry] is shorter than first; write first = \"500ms\" and "
                "a cap of at least that"});
  }

  TEST_CASE("an s3 sink has the credentials that stand in the file, or none") {
    const auto ours =
        good(s3("access_key = \"${A}\"\nsecret_key = \"${B}\"\nregion = \"eu-west-1\"\n"),
             {{"A", "id"}, {"B", "secret"}, {"AWS_SESSION_TOKEN", "other"}, {"AWS_REGION", "x"}});
    CHECK(ours.sink.access_key == "id");
    CHECK(ours.sink.secret_key.reveal == "secret");
    CHECK(ours.sink.session_token.reveal.empty());
    CHECK(ours.sink.region == "eu-west-1");
    const auto theirs = good(s3("endpoint = \"http://127.0.0.1:7480/\"\npath_style = true\n"),
                             {{"AWS_ACCESS_KEY_ID", "id"}, {"AWS_REGION", "eu-central-1"}});
    CHECK(theirs.sink.access_key.empty());
    CHECK(theirs.sink.region.empty());
    CHECK(theirs.sink.endpoint == "http://127.0.0.1:7480");
    CHECK(theirs.sink.path_style);
  }

  TEST_CASE("half of the credentials is a mistake") {
    CHECK(mistakes(s3("access_key = \"k\"\n")) ==
          lines{R"(ads.toml:8:1: [sink] has access_key without secret_key; write secret_key = )"
                R"("${MY_VARIABLE}" too, or neither: then the keys of this machine are used)"});
    CHECK(mistakes(s3("session_token = \"t\"\n")) ==
          lines{R"(ads.toml:8:1: [sink] has session_token without access_key; write access_key = )"
                R"("${MY_VARIABLE}" too, or neither: then the keys of this machine are used)"});
  }

  TEST_CASE(
      "an object over 64 MiB goes up in parts, or over what the spec says and S3 takes at once") {
    const std::string keys = "access_key = \"a\"\nsecret_key = \"b\"\n";
    CHECK(good(s3(keys)).sink.multipart_bytes == 64ull << 20);
    CHECK(good(s3(keys + "multipart = \"5GiB\"\n")).sink.multipart_bytes == 5ull << 30);
    CHECK(mistakes(s3(keys + "multipart = \"6GiB\"\n")) ==
          lines{"ads.toml:12:13: multipart in [sink] is more than S3 takes in one PUT; write 5GiB "
                "or less"});
  }

  TEST_CASE("a checksum of an object is one that S3 knows, and none where none is asked for") {
    const std::string keys = "access_key = \"a\"\nsecret_key = \"b\"\n";
    CHECK_FALSE(good(s3(keys)).sink.checksum);
    CHECK(good(s3(keys + "checksum = \"sha256\"\n")).sink.checksum == checksum::sha256);
    CHECK(good(s3(keys + "checksum = \"crc32c\"\n")).sink.checksum == checksum::crc32c);
    CHECK(mistakes(s3(keys + "checksum = \"crc32\"\n")) ==
          lines{"ads.toml:12:12: checksum in [sink] is \"crc32\"; did you mean \"crc32c\"?"});
  }

  TEST_CASE("an object is encrypted by S3's own key or one of KMS, and only KMS has one to name") {
    const std::string keys = "access_key = \"a\"\nsecret_key = \"b\"\n";
    CHECK_FALSE(good(s3(keys)).sink.encryption);
    CHECK(good(s3(keys + "encryption = \"s3\"\n")).sink.encryption == encryption::s3);
    const auto kms = good(s3(keys + "encryption = \"kms\"\nkms_key = \"alias/rows\"\n")).sink;
    CHECK(kms.encryption == encryption::kms);
    CHECK(kms.kms_key == "alias/rows");
    CHECK(mistakes(s3(keys + "kms_key = \"alias/rows\"\n")) ==
          lines{"ads.toml:12:11: kms_key in [sink] is a key that nothing uses; write encryption = "
                "\"kms\" beside it, or remove it"});
  }

  TEST_CASE("the hash of an object does not tell clients or days apart") {
    CHECK(mistakes(changed("{client}.csv", "{client}-{sha256}-{spec}.csv")).empty());
    CHECK(mistakes(changed("{day}/{client}.csv", "{sha256}-{client}.csv")) ==
          lines{"ads.toml:9:7: url in [sink] gives several days the same object, and one would "
                "replace the other; put {day} into it"});
  }

  TEST_CASE("a file sink needs no credentials") { CHECK(mistakes(smallest).empty()); }
}
