// SPDX-License-Identifier: Apache-2.0
#pragma once
// AWS Signature Version 4, in the Authorization header: for S3, and for APIs that want it. Our own,
// because libcurl's breaks on odd keys and queries (docs/dependencies.md says how). Pure: no clock,
// no network.
//
// 1. All headers that are given are signed; so give all that are sent except what proxies change.
// 2. The path is signed as it is sent for S3, which neither normalises nor encodes it a second
//    time; encoded once more for any other service.
// Source: AWS, "Authenticating Requests: Using the Authorization Header (AWS Signature Version 4)".

#include <chrono>
#include <mutex>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "net/http_client.hpp"
#include "spec/spec.hpp"
#include "spool/sha256.hpp"

namespace wherry::app {

/// What is signed.
struct sigv4_request {
  std::string method;
  std::string path;                                        ///< encoded, begins with "/"
  std::vector<std::pair<std::string, std::string>> query;  ///< names and values, not encoded
  http_headers headers;                                    ///< must hold Host
  std::string body_sha256;                                 ///< 64 hex digits
};

/// Says who signs.
struct sigv4_options {
  std::string access_key;
  secret secret_key;
  secret session_token;  ///< empty: none
  std::string region;
  std::string service = "s3";
};

/// Signs requests. Threads: any.
class sigv4_signer {
 public:
  explicit sigv4_signer(sigv4_options options) : options_(std::move(options)) {}

  /// Makes the headers to send: those given, and x-amz-date, x-amz-content-sha256 (of S3 alone),
  /// x-amz-security-token (if there is one) and Authorization.
  [[nodiscard]] http_headers sign(const sigv4_request& request,
                                  std::chrono::system_clock::time_point now) const;

 private:
  [[nodiscard]] sha256_digest key_of(const std::string& date) const;

  const sigv4_options options_;
  mutable std::mutex mutex_;
  mutable std::string key_date_;  // the key below is for this day
  mutable sha256_digest key_{};
};

/// The text whose hash is signed; public for tests. `signed_names` receives "host;x-amz-date".
[[nodiscard]] std::string canonical_request(const sigv4_request& request,
                                            std::string& signed_names);

}  // namespace wherry::app
