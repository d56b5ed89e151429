// SPDX-License-Identifier: Apache-2.0
#pragma once
// replayer: answers requests from a recording, at once and without a network. The same question
// that was asked several times is answered as it was, in order. Threads: any.

#include <expected>
#include <mutex>
#include <string>
#include <vector>

#include "net/http_client.hpp"
#include "recording/recording.hpp"
#include "recording/redactor.hpp"

namespace wherry::app {

class replayer final : public http_fetcher {
 public:
  replayer(recording from, redactor secrets)
      : from_(std::move(from)),
        secrets_(std::move(secrets)),
        is_told_(from_.exchanges.size(), false) {}

  /// Suspends: never. Errors: local_io, for good: nothing like that was asked (the error says which
  /// request comes nearest, and in what it differs), or not as often; the body_writer failed.
  [[nodiscard]] task<std::expected<http_response, net_error>> fetch(http_request request) override;

 private:
  [[nodiscard]] std::expected<exchange, std::string> answer_to(const question& asked);
  [[nodiscard]] std::string why_none(const question& asked) const;

  const recording from_;
  const redactor secrets_;
  std::mutex mutex_;
  std::vector<bool> is_told_;
};

}  // namespace wherry::app
