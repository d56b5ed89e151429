// SPDX-License-Identifier: Apache-2.0
// Goal: a refusal says what to change, and whether to try again. Method: bodies as AWS and RGW send
// them. s3_test sees the most common ones from a real server.
#include "sink/s3_errors.hpp"

#include <doctest/doctest.h>

namespace wherry::app {
namespace {

using kind = sink_error_kind;

sink_error refusal(int status, const std::string& code, http_headers headers = {}) {
  const auto body = code.empty() ? std::string{}
                                 : "<?xml version=\"1.0\"?><Error><Code>" + code +
                                       "</Code><Message>hunter2 \x1b[31m</Message></Error>";
  return explain_refusal({.status = status,
                          .headers = headers,
                          .body = body,
                          .object = "s3://bucket/key",
                          .bucket = "bucket",
                          .place = "https://s3.example",
                          .region = "us-east-1"},
                         std::chrono::system_clock::now());
}

}  // namespace

TEST_SUITE("sink/s3_errors.hpp") {
  TEST_CASE("each refusal has its kind and names the key to look at") {
    struct row {
      int status;
      const char* code;
      kind is;
      const char* says;
    };
    const row table[] = {{403, "SignatureDoesNotMatch", kind::stopped, "sink.secret_key"},
                         {403, "InvalidAccessKeyId", kind::stopped, "sink.access_key"},
                         {403, "AccessDenied", kind::permanent, "s3:PutObject"},
                         {403, "", kind::permanent, "sink.secret_key"},
                         {400, "ExpiredToken", kind::stopped, "sink.session_token"},
                         {403, "RequestTimeTooSkewed", kind::transient, "clock"},
                         {403, "QuotaExceeded", kind::permanent, "quota"},
                         {404, "NoSuchBucket", kind::permanent, "make it"},
                         {301, "PermanentRedirect", kind::permanent, "sink.region"},
                         {301, "", kind::permanent, "sink.region"},
                         {400, "AuthorizationHeaderMalformed", kind::permanent, "sink.region"},
                         {400, "XAmzContentSHA256Mismatch", kind::damaged, "bytes changed"},
                         {400, "BadDigest", kind::damaged, "bytes changed"},
                         {400, "RequestTimeout", kind::transient, "sink.timeout"},
                         {400, "NeverHeardOf", kind::permanent, "sink.url"},
                         {503, "SlowDown", kind::throttled, "sink.limit.rate"},
                         {400, "KMS.NotFoundException", kind::permanent, "`sink.kms_key`"},
                         {400, "KMS.DisabledException", kind::permanent, "enable it"},
                         {403, "AccessDenied", kind::permanent, "kms:GenerateDataKey"},
                         {400, "InvalidRequest", kind::permanent, "`sink.encryption`"},
                         {501, "NotImplemented", kind::permanent, "`sink.checksum`"},
                         {409, "ConditionalRequestConflict", kind::transient, "somebody else"},
                         {404, "NoSuchUpload", kind::transient, "lifecycle rule"},
                         {400, "InvalidPart", kind::transient, "lost a part"},
                         {200, "InternalError", kind::transient, "a problem of its own"},
                         {429, "", kind::throttled, "sink.limit.rate"},
                         {503, "", kind::transient, "a problem of its own"},
                         {500, "InternalError", kind::transient, "a problem of its own"}};
    for (const auto& [status, code, is, says] : table) {
      CAPTURE(status);
      CAPTURE(code);
      const auto error = refusal(status, code);
      CHECK(error.kind == is);
      CHECK(error.message.contains(says));
      CHECK(error.message.contains("s3://bucket/key"));
      CHECK(error.message.contains("https://s3.example"));
      CHECK(error.message.contains(code));
      CHECK_FALSE(error.message.contains("hunter2"));
      CHECK_FALSE(error.message.contains("again"));  // it may have been the last attempt
    }
  }

  TEST_CASE("a server that asks for a pause is given it") {
    CHECK(refusal(503, "SlowDown", {{"Retry-After", "9"}}).wait == std::chrono::seconds{9});
    CHECK_FALSE(refusal(503, "SlowDown").wait);
  }

  TEST_CASE("the region that a server names is passed on") {
    const auto error = refusal(301, "PermanentRedirect", {{"x-amz-bucket-region", "eu-west-1"}});
    CHECK(error.message.contains("eu-west-1"));
  }

  TEST_CASE("a code is a word or nothing") {
    CHECK(s3_error_code("<Error><Code>NoSuchKey</Code></Error>") == "NoSuchKey");
    CHECK(s3_error_code("<html>502 Bad Gateway</html>").empty());
    CHECK(s3_error_code("<Code>a\x1b[31mb</Code>").empty());
    CHECK(s3_error_code("<Code>" + std::string(100, 'x')).empty());
  }

}  // TEST_SUITE

}  // namespace wherry::app
