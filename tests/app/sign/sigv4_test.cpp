// SPDX-License-Identifier: Apache-2.0
// Goal: signatures that S3 accepts. Method: the four worked examples that AWS publishes ("Signature
// Calculations for the Authorization Header: Transferring Payload in a Single Chunk"), and the
// rules of canonical requests where the examples are silent. s3_test has a real server check the
// rest.
#include "sign/sigv4.hpp"

#include <doctest/doctest.h>

#include "spec/spelling.hpp"

namespace wherry::app {
namespace {

using namespace std::chrono_literals;

constexpr auto host = "examplebucket.s3.amazonaws.com";
constexpr auto no_body = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
// 2013-05-24 00:00:00 UTC
constexpr std::chrono::system_clock::time_point then{1'369'353'600s};

sigv4_options example() {
  return {
      "AKIAIOSFODNN7EXAMPLE", {"wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"}, {}, "us-east-1", "s3"};
}

std::string authorization(const sigv4_request& request,
                          const sigv4_signer& by = sigv4_signer{example()}) {
  return std::string{find_header(by.sign(request, then), "authorization")};
}

std::string canonical(const sigv4_request& request) {
  std::string names;
  return canonical_request(request, names);
}

}  // namespace

TEST_SUITE("sign/sigv4.hpp") {
  TEST_CASE("a GET of an object is signed as AWS publishes it") {
    CHECK(authorization(
              {"GET", "/test.txt", {}, {{"Host", host}, {"Range", "bytes=0-9"}}, no_body}) ==
          "AWS4-HMAC-SHA256 Credential=AKIAIOSFODNN7EXAMPLE/20130524/us-east-1/s3/aws4_request,"
          "SignedHeaders=host;range;x-amz-content-sha256;x-amz-date,"
          "Signature=f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41");
  }

  TEST_CASE("a PUT of an object is signed as AWS publishes it") {
    const auto body_hash = to_hex(sha256_of("Welcome to Amazon S3."));
    const auto path = "/" + uri_encode("test$file.text", slash::keep);
    CHECK(authorization({"PUT",
                         path,
                         {},
                         {{"Date", "Fri, 24 May 2013 00:00:00 GMT"},
                          {"Host", host},
                          {"x-amz-storage-class", "REDUCED_REDUNDANCY"}},
                         body_hash}) ==
          "AWS4-HMAC-SHA256 Credential=AKIAIOSFODNN7EXAMPLE/20130524/us-east-1/s3/aws4_request,"
          "SignedHeaders=date;host;x-amz-content-sha256;x-amz-date;x-amz-storage-class,"
          "Signature=98ad721746da40c64f1a55b78f14c238d841ea1380cd77a1b5971af0ece108bd");
  }

  TEST_CASE("a query without a value is signed as AWS publishes it") {
    CHECK(authorization({"GET", "/", {{"lifecycle", ""}}, {{"Host", host}}, no_body})
              .ends_with("=fea454ca298b7da1c68078a5d1bdbfbbe0d65c699e0f91ac7a200a0136783543"));
  }

  TEST_CASE("a query is signed as AWS publishes it in whatever order it is given") {
    constexpr auto published = "=34b48302e7b5fa45bde8084f4b7868a86f0a534bc59db6670ed5711ef69dc6f7";
    CHECK(
        authorization({"GET", "/", {{"max-keys", "2"}, {"prefix", "J"}}, {{"Host", host}}, no_body})
            .ends_with(published));
    CHECK(
        authorization({"GET", "/", {{"prefix", "J"}, {"max-keys", "2"}}, {{"Host", host}}, no_body})
            .ends_with(published));
  }

  TEST_CASE("headers are lowered and sorted and tidied and joined by name") {
    const sigv4_request request{
        "GET",
        "/",
        {},
        {{"X-B", "  a   b "}, {"Host", "h"}, {"X-b2", "x"}, {"x-b", "c"}, {"x-A", ""}},
        no_body};
    std::string names;
    CHECK(canonical_request(request, names) ==
          std::string{"GET\n/\n\nhost:h\nx-a:\nx-b:a b,c\nx-b2:x\n\nhost;x-a;x-b;x-b2\n"} +
              no_body);
    CHECK(names == "host;x-a;x-b;x-b2");
  }

  TEST_CASE("queries are encoded before they are sorted") {
    CHECK(canonical(
              {"GET", "/", {{"b", "2"}, {"a", "x y"}, {"a", "1"}, {"~", "="}, {"(", "+"}}, {}, ""})
              .starts_with("GET\n/\n%28=%2B&a=1&a=x%20y&b=2&~=%3D\n"));
  }

  TEST_CASE("only unreserved characters stay unencoded") {
    CHECK(uri_encode("AZaz09-._~", slash::encode) == "AZaz09-._~");
    CHECK(uri_encode("a/b c=+(*)'!%\xc3\xbc", slash::keep) ==
          "a/b%20c%3D%2B%28%2A%29%27%21%25%C3%BC");
    CHECK(uri_encode("/", slash::encode) == "%2F");
  }

  TEST_CASE("a session token is sent and signed") {
    auto options = example();
    options.session_token = {"token"};
    const sigv4_signer signer{options};
    const sigv4_request request{"GET", "/", {}, {{"Host", host}}, no_body};
    CHECK(find_header(signer.sign(request, then), "x-amz-security-token") == "token");
    CHECK(authorization(request, signer).contains(";x-amz-date;x-amz-security-token,"));
  }

  TEST_CASE("another service is signed as AWS's test suite has it") {
    const sigv4_signer signer{
        {"AKIDEXAMPLE", {"wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"}, {}, "us-east-1", "service"}};
    constexpr std::chrono::system_clock::time_point noon{1'440'938'160s};  // 20150830T123600Z
    const auto headers =
        signer.sign({"GET", "/", {}, {{"Host", "example.amazonaws.com"}}, no_body}, noon);
    CHECK(find_header(headers, "authorization") ==
          "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20150830/us-east-1/service/aws4_request,"
          "SignedHeaders=host;x-amz-date,"
          "Signature=5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31");
    CHECK(find_header(headers, "x-amz-content-sha256").empty());
  }

  TEST_CASE("the key of a new day is a new key") {
    const sigv4_signer signer{example()};
    const sigv4_request request{
        "GET", "/test.txt", {}, {{"Host", host}, {"Range", "bytes=0-9"}}, no_body};
    const auto first = authorization(request, signer);
    const auto next_day = signer.sign(request, then + 24h);
    CHECK(find_header(next_day, "x-amz-date") == "20130525T000000Z");
    CHECK(find_header(next_day, "authorization") ==
          find_header(sigv4_signer{example()}.sign(request, then + 24h), "authorization"));
    CHECK(authorization(request, signer) == first);
  }

}  // TEST_SUITE

}  // namespace wherry::app
