// SPDX-License-Identifier: Apache-2.0
#pragma once
// s3_server: one signed request at a time to the S3 server of a sink, whatever it is for. Keys that
// the server finds expired are asked for anew, and the request is sent once more with the new ones.
// Threads: any.

#include <chrono>
#include <expected>
#include <string>
#include <utility>
#include <vector>

#include "aws/credentials.hpp"
#include "net/http_client.hpp"
#include "sink/s3_address.hpp"
#include "sink/sink.hpp"

namespace wherry::app {

/// The hash that signs a request without a body.
inline constexpr std::string_view hash_of_nothing =
    "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

/// A request about an object.
struct s3_request {
  std::string method;
  std::string url;                                           ///< s3://bucket/key, as errors name it
  std::vector<std::pair<std::string, std::string>> query{};  ///< not encoded
  http_headers headers{};
  request_body body{};
  std::string body_sha256{hash_of_nothing};  ///< hex; a server refuses other bytes
  body_writer* into = nullptr;  ///< takes the body of a success, of at most `max_size_bytes`
  std::uint64_t max_size_bytes = http_request{}.max_size_bytes;
  std::chrono::milliseconds at_most = std::chrono::hours(24);  ///< beside `sink.timeout`
};

/// Requires: all three outlive it.
class s3_server {
 public:
  s3_server(const sink& spec, http_client& client, aws_credentials& keys);

  /// Sends a request and receives the answer, whatever its status. Suspends: until it is whole.
  /// Errors: what befell it on the way; `cancelled`.
  [[nodiscard]] task<std::expected<http_response, sink_error>> ask(s3_request what);

  /// Says what an answer means that is no success.
  [[nodiscard]] sink_error refusal(const http_response& answer, const std::string& url) const;

 private:
  [[nodiscard]] task<std::expected<http_response, sink_error>> ask_as(
      aws_credentials::signer_handle signer, s3_request what);

  const sink& spec_;
  http_client& client_;
  aws_credentials& keys_;
};

inline constexpr int not_found = 404, precondition_failed = 412;

[[nodiscard]] inline bool is_success(const http_response& answer) noexcept {
  return answer.status >= 200 && answer.status <= 299;
}

}  // namespace wherry::app
