// SPDX-License-Identifier: Apache-2.0
// Goal: the files of `aws configure` are read as AWS's own tools read them. Method: small files.
#include "aws/profiles.hpp"

#include <doctest/doctest.h>

namespace wherry::app {
namespace {

aws_profiles profiles(std::string_view text, profile_file kind = profile_file::config) {
  aws_profiles all;
  const auto added = add_profiles(text, kind, all);
  REQUIRE_MESSAGE(added.has_value(), (added ? "" : added.error()));
  return all;
}

std::string error_of(std::string_view text) {
  aws_profiles all;
  const auto added = add_profiles(text, profile_file::config, all);
  return added ? "" : added.error();
}

}  // namespace

TEST_SUITE("aws/profiles.hpp") {
  TEST_CASE("a section of config is a profile if it says so, and of credentials always") {
    const std::string_view text = "[default]\na=1\n[profile x y]\na=2\n[z]\na=3\n[profilez]\na=4\n";
    CHECK(profiles(text) == aws_profiles{{"default", {{"a", "1"}}}, {"x y", {{"a", "2"}}}});
    CHECK(profiles("[z]\na=3\n", profile_file::credentials) == aws_profiles{{"z", {{"a", "3"}}}});
  }

  TEST_CASE("comments, blank lines, line ends and what is indented are no settings") {
    CHECK(profiles("# of ours\r\n\r\n[default]  ; whose\r\n; more\r\nRegion = eu-west-1 # there\r\n"
                   "s3 =\r\n  max_queue_size = 7\r\n\tx = y\r\nb=1#2;3\r\n") ==
          aws_profiles{{"default", {{"region", "eu-west-1"}, {"s3", ""}, {"b", "1#2;3"}}}});
  }

  TEST_CASE("a value may have equals signs, and a profile may lie in two places") {
    CHECK(profiles("[default]\nkey = a/b+c==\n[default]\nkey2=x\n") ==
          aws_profiles{{"default", {{"key", "a/b+c=="}, {"key2", "x"}}}});
    auto all = profiles("[profile p]\na=1\nb=1\n");
    REQUIRE(add_profiles("[p]\nb=2\n", profile_file::credentials, all).has_value());
    CHECK(all == aws_profiles{{"p", {{"a", "1"}, {"b", "2"}}}});
  }

  TEST_CASE("a line that is none is named by its number alone") {
    CHECK(error_of("[default]\n\nwJalrXUtn\n") == "line 3 is neither [section] nor name = value");
    CHECK(error_of("[default\n") == "line 1 begins a section and lacks its ]");
    CHECK(error_of("") == "");
  }
}
}  // namespace wherry::app
