// SPDX-License-Identifier: Apache-2.0
#pragma once
// token_keeper: the access token of an API that signs in by OAuth 2.0. Internal to app/source.
//
// 1. The token is in memory only, and goes nowhere but into requests.
// 2. However many wait for a token, one request asks for it; its outcome, good or bad, is that of
//    all who waited meanwhile. Who comes later asks anew.
// 3. A token is used until a minute before it expires; one that lives for less than two minutes,
//    for half of its life; one that says nothing of it, until it is refused.
// 4. No error holds a secret, or what the server said beyond the error's code.
//
// Source: RFC 6749, sections 2.3.1, 4.4, 5 and 6. Threads: any.

#include <chrono>
#include <expected>
#include <functional>
#include <mutex>
#include <string>

#include "net/http_client.hpp"
#include "net/shared_answer.hpp"
#include "source/source.hpp"
#include "spec/spec.hpp"
#include "wherry/csp/clock.hpp"
#include "wherry/csp/task.hpp"

namespace wherry::app {

/// Requires: spec and client outlive it.
class token_keeper {
 public:
  token_keeper(const oauth2_auth& how, const source& spec, http_fetcher& client, time_source now);

  /// Gives a token that has not expired.
  /// Suspends: while one is asked for. Errors: source_error; `cancelled`.
  [[nodiscard]] task<std::expected<std::string, source_error>> token();

  /// Notes that the API refused a token, unless there is another one already.
  void drop(const std::string& refused);

 private:
  [[nodiscard]] std::optional<std::string> known();
  [[nodiscard]] task<std::expected<std::string, source_error>> ask();
  [[nodiscard]] std::expected<std::string, source_error> take(const http_response& answer,
                                                              steady_time asked_at);

  const oauth2_auth& how_;
  const source& spec_;
  http_fetcher& client_;
  const time_source now_;
  shared_answer<std::string, source_error> asking_;

  std::mutex mutex_;  // of what follows; never held over a suspension
  std::string token_;
  steady_time good_until_{};
  std::string refresh_token_;  // the spec's, or the one that took its place
};

}  // namespace wherry::app
