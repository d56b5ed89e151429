// SPDX-License-Identifier: Apache-2.0
#include "sink/s3_errors.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "aws/xml.hpp"
#include "net/retry_after.hpp"

namespace wherry::app {
namespace {

using kind = sink_error_kind;

struct known_code {
  std::string_view code;
  sink_error_kind is;
  std::string_view remedy;
};

// Source: AWS, "Error responses", and what RGW answers.
constexpr known_code known[] = {
    {"SignatureDoesNotMatch", kind::stopped,
     "the secret key is not the one of the access key; check `sink.secret_key` (or "
     "AWS_SECRET_ACCESS_KEY)"},
    {"InvalidAccessKeyId", kind::stopped,
     "the server does not know the access key; check `sink.access_key` (or AWS_ACCESS_KEY_ID) and "
     "`sink.endpoint`"},
    {"ExpiredToken", kind::stopped,
     "the session token has expired; get a new one for `sink.session_token` (or "
     "AWS_SESSION_TOKEN, or the profile), and run the same command"},
    {"InvalidToken", kind::stopped,
     "the session token is wrong; check `sink.session_token` (or AWS_SESSION_TOKEN)"},
    {"AccessDenied", kind::permanent,
     "these credentials may not write there; allow them s3:PutObject (and the use of a KMS key: "
     "kms:GenerateDataKey, kms:Decrypt), or use others: "
     "`sink.access_key` and `sink.secret_key` (or AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY)"},
    {"NoSuchBucket", kind::permanent, "there is no such bucket; make it, or correct `sink.url`"},
    {"InvalidBucketName", kind::permanent, "that is no name of a bucket; correct `sink.url`"},
    {"PermanentRedirect", kind::permanent,
     "the bucket is elsewhere; set `sink.region` or `sink.endpoint` to where it is"},
    {"AuthorizationHeaderMalformed", kind::permanent,
     "the bucket is in another region; set `sink.region`"},
    {"RequestTimeTooSkewed", kind::transient,
     "the clock of this machine differs from the server's by over 15 minutes; set the clock"},
    {"KMS.NotFoundException", kind::permanent,
     "there is no such key in the bucket's region; correct `sink.kms_key`"},
    {"KMS.DisabledException", kind::permanent,
     "the key is disabled; enable it, or name another as `sink.kms_key`"},
    {"KMS.KMSInvalidStateException", kind::permanent,
     "the key cannot be used as it is; see to its state in KMS, or name another as "
     "`sink.kms_key`"},
    {"KMS.InvalidKeyUsageException", kind::permanent,
     "the key is none to encrypt with; name a symmetric one as `sink.kms_key`"},
    {"InvalidRequest", kind::permanent,
     "the server does not take such a request; check that it knows `sink.encryption` and "
     "`sink.checksum`, if they are there, or leave them out"},
    {"InvalidArgument", kind::permanent,
     "the server does not take a value of the request; check `sink.encryption` and `sink.kms_key`, "
     "if they are there"},
    {"NotImplemented", kind::permanent,
     "the server does not know how; leave out `sink.encryption` and `sink.checksum`, if they are "
     "there"},
    {"QuotaExceeded", kind::permanent, "the bucket's quota is used up; raise it, or free space"},
    {"KeyTooLongError", kind::permanent, "the key is too long; shorten `sink.url`"},
    {"EntityTooLarge", kind::permanent,
     "the object, or a part of it, is larger than the server takes at once; lower "
     "`sink.multipart`"},
    {"EntityTooSmall", kind::permanent,
     "a part is smaller than the server takes; raise `sink.multipart`"},
    {"InvalidPart", kind::transient, "the server has lost a part"},
    {"NoSuchUpload", kind::transient,
     "somebody ended the upload before it was complete; if that goes on, let the bucket's "
     "lifecycle "
     "rule wait longer"},
    {"SlowDown", kind::throttled, "the server asks for fewer requests; lower `sink.limit.rate`"},
    {"BadDigest", kind::damaged, "the bytes changed on the way"},
    {"XAmzContentSHA256Mismatch", kind::damaged, "the bytes changed on the way"},
    {"RequestTimeout", kind::transient,
     "the upload stalled; if it always does, raise `sink.timeout`"},
    {"IncompleteBody", kind::transient, "the upload was cut on the way"},
    {"OperationAborted", kind::transient, "somebody else changes the bucket just now"},
    {"ConditionalRequestConflict", kind::transient, "somebody else writes the object just now"},
};

known_code by_status(const s3_refusal& refused) {
  const int status = refused.status;
  if (status == 429)
    return {"", kind::throttled, "it asks for fewer requests; lower `sink.limit.rate`"};
  if (status == 408 || status >= 500 || status < 300) {  // 200 with an <Error> in the body
    return {"", kind::transient, "the server has a problem of its own"};
  }
  if (status == 301 || status == 307) {
    return {"", kind::permanent,
            "the bucket is elsewhere; set `sink.region` or `sink.endpoint` to where it is"};
  }
  if (status == 403) {
    return {"", kind::permanent,
            "it refuses the credentials; check `sink.access_key` and `sink.secret_key` (or "
            "AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY)"};
  }
  return {"", kind::permanent, "it does not take the object; check `sink.url` and `sink.endpoint`"};
}

}  // namespace

std::string_view s3_error_code(std::string_view body) noexcept {
  const auto code = xml_text(body, "Code");
  const bool is_word = code.size() < 64 && std::ranges::all_of(
                                               code,
                                               [](char c) {
                                                 return (c >= 'A' && c <= 'Z') ||
                                                        (c >= 'a' && c <= 'z') ||
                                                        (c >= '0' && c <= '9') || c == '.';
                                               });
  return is_word ? code : std::string_view{};
}

sink_error explain_refusal(const s3_refusal& refused, std::chrono::system_clock::time_point now) {
  const auto code = s3_error_code(refused.body);
  const auto found = std::ranges::find(known, code, &known_code::code);
  const auto meant = found != std::end(known) ? *found : by_status(refused);
  sink_error error{meant.is,
                   fmt::format("{} refused {} with {}{}{}: {}", refused.place, refused.object,
                               refused.status, code.empty() ? "" : " ", code, meant.remedy),
                   std::nullopt};
  const auto elsewhere = find_header(refused.headers, "x-amz-bucket-region");
  if (!elsewhere.empty() && elsewhere != refused.region && meant.is == kind::permanent) {
    error.message += fmt::format("; bucket {} is in region {}, `sink.region` is {}", refused.bucket,
                                 elsewhere.substr(0, 64), refused.region);
  }
  if (meant.is == kind::throttled || meant.is == kind::transient) {
    error.wait = parse_retry_after(find_header(refused.headers, "retry-after"), now);
  }
  return error;
}

}  // namespace wherry::app
