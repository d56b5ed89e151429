// SPDX-License-Identifier: Apache-2.0
#pragma once
// credentials: sends requests as those whom [source.auth] names. Internal to app/source.
//
// 1. Of several credentials each call takes the next. One that the API refuses (401, 403, or no
//    token for it) is left out for a while, as long as there is another one; the call then goes on
//    with that.
// 2. A 401 to a token of OAuth2 gets a new token, once a call; a second 401 is the answer.
// 3. What is asked again is the same question: it must not depend on what was answered.
// Threads: any.

#include <expected>
#include <functional>
#include <memory>
#include <mutex>
#include <vector>

#include "net/http_client.hpp"
#include "sign/sigv4.hpp"
#include "source/source.hpp"
#include "source/token.hpp"
#include "spec/spec.hpp"
#include "wherry/csp/clock.hpp"
#include "wherry/csp/task.hpp"

namespace wherry::app {

/// How long credentials that were refused are left out.
inline constexpr std::chrono::minutes left_out_for{5};

/// Requires: spec and client outlive it.
class credentials {
 public:
  credentials(const source& spec, http_fetcher& client, time_source now);

  /// Signs a request and sends it; again where 1 or 2 say so and `may_repeat` agrees, which is
  /// called before, to forget what came of the first time.
  /// Suspends: until there is an answer. Errors: source_error; `cancelled`.
  [[nodiscard]] task<std::expected<http_response, source_error>> send(
      http_request question, std::function<bool()> may_repeat = {});

 private:
  struct one {
    const auth* by;
    std::unique_ptr<token_keeper> tokens;  // of OAuth2
    std::unique_ptr<sigv4_signer> signer;  // of SigV4
    steady_time out_until = steady_time::min();
  };
  void add(const auth& by);
  [[nodiscard]] one& whose_turn();
  /// Leaves `refused` out. Null: there is no other one now, and it stays.
  [[nodiscard]] one* other_than(one& refused);

  const source& spec_;
  http_fetcher& client_;
  const time_source now_;
  std::vector<std::unique_ptr<one>> all_;
  std::mutex mutex_;  // of next_ and of each out_until
  std::size_t next_ = 0;
};

}  // namespace wherry::app
