// SPDX-License-Identifier: Apache-2.0
#pragma once
// aws_credentials: signs as whoever this machine is for AWS, with keys that hold.
//
// 1. Keys are in memory only, and go nowhere but into signatures.
// 2. They are asked for anew some minutes before they expire, or once a server has said that they
//    have; one request asks for all who wait. While that fails, the old ones are used as long as
//    they hold.
// 3. Each time the whole chain is looked at: a profile that somebody wrote anew, a token that
//    somebody renewed, are seen.
// 4. No error holds a secret, or what anybody answered beyond a code.
// Threads: any.

#include <chrono>
#include <expected>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>

#include "aws/origin.hpp"
#include "net/http_client.hpp"
#include "net/shared_answer.hpp"
#include "sign/sigv4.hpp"
#include "wherry/csp/task.hpp"

namespace wherry::app {

class aws_credentials {
 public:
  /// Signs for S3.
  using signer_handle = std::shared_ptr<const sigv4_signer>;
  /// Looks at the chain (find_aws). Errors: what is wrong with it.
  using finder = std::function<std::expected<aws_setup, std::string>()>;
  using wall_clock = std::function<std::chrono::system_clock::time_point()>;

  /// Requires: the client outlives it. `now`: by default the scheduler's clock.
  aws_credentials(finder find, http_client& client, wall_clock now = {});

  /// Suspends: while keys are asked for. Errors: aws_error; `cancelled`.
  [[nodiscard]] task<std::expected<signer_handle, aws_error>> signer();

  /// Notes that a server found the keys of that signer expired, unless there are others already.
  void drop(const signer_handle& refused);

 private:
  [[nodiscard]] std::optional<signer_handle> known();
  [[nodiscard]] task<std::expected<signer_handle, aws_error>> ask();

  const finder find_;
  http_client& client_;
  const wall_clock now_;
  shared_answer<signer_handle, aws_error> asking_;

  std::mutex mutex_;  // of what follows; never held over a suspension
  signer_handle signer_;
  aws_keys keys_;
  std::chrono::system_clock::time_point renew_at_{};
};

}  // namespace wherry::app
