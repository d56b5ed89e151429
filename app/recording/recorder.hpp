// SPDX-License-Identifier: Apache-2.0
#pragma once
// recorder: passes requests on, and keeps what was asked and answered, without secrets. What had no
// answer is not kept. Threads: any.

#include <expected>
#include <mutex>

#include "net/http_client.hpp"
#include "recording/recording.hpp"
#include "recording/redactor.hpp"

namespace wherry::app {

class recorder final : public http_fetcher {
 public:
  /// Requires: `by` outlives it.
  recorder(http_fetcher& by, redactor secrets, recording_writer into)
      : by_(by), secrets_(std::move(secrets)), into_(std::move(into)) {}

  /// Errors: as of `by`; local_io, for good, when the recording cannot be written, or a body is too
  /// large to be recorded.
  [[nodiscard]] task<std::expected<http_response, net_error>> fetch(http_request request) override;

 private:
  http_fetcher& by_;
  std::mutex mutex_;  // of what follows
  redactor secrets_;
  recording_writer into_;
};

/// What a request asks, without secrets.
[[nodiscard]] question question_of(const http_request& request, const redactor& secrets);

}  // namespace wherry::app
