// SPDX-License-Identifier: Apache-2.0
#pragma once
// What an S3 server's refusal means, and what to do about it. Pure.

#include <chrono>
#include <string>
#include <string_view>

#include "net/http_client.hpp"
#include "sink/sink.hpp"

namespace wherry::app {

/// An answer that is no success, as the sink saw it.
struct s3_refusal {
  int status = 0;
  const http_headers& headers;
  std::string_view body;  ///< XML: <Error><Code>…</Code><Message>…</Message>…</Error>
  std::string object;     ///< s3://bucket/key
  std::string bucket;
  std::string place;  ///< scheme, host and port of the server
  std::string region;
};

/// Decides between transient, throttled, permanent and damaged; names the key of the spec to look
/// at. Never quotes the body beyond its <Code>.
[[nodiscard]] sink_error explain_refusal(const s3_refusal& refused,
                                         std::chrono::system_clock::time_point now);

/// Finds the text of <Code> in an S3 error. Empty: none, or no plain word.
[[nodiscard]] std::string_view s3_error_code(std::string_view body) noexcept;

}  // namespace wherry::app
