// SPDX-License-Identifier: Apache-2.0
#pragma once
// One run of a machine at a time, within an engine: a run whose machine was taken from it (its
// lease ran out, somebody cancelled it) goes on until it returns, and meanwhile the machine may be
// leased again. That run waits here for the earlier one. Threads: any.

#include <cstdint>
#include <mutex>
#include <unordered_map>

#include "wherry/csp/channel.hpp"

namespace wherry::detail {

class machine_turns {
 public:
  /// Suspends: until no other run of the machine is under way; then it is the caller's turn, until
  /// `end`. Errors: `cancelled`; then it is not.
  task<> begin(std::int64_t key) {
    for (;;) {
      channel<std::monostate> over;
      {
        const std::lock_guard guard(mutex_);
        const auto [found, is_free] = running_.try_emplace(key, over);
        if (is_free) co_return;
        over = found->second;
      }
      co_await over.take();
    }
  }

  void end(std::int64_t key) noexcept {
    const std::lock_guard guard(mutex_);
    const auto found = running_.find(key);
    found->second.close();
    running_.erase(found);
  }

 private:
  std::mutex mutex_;
  std::unordered_map<std::int64_t, channel<std::monostate>> running_;  // closed when its run ends
};

}  // namespace wherry::detail
