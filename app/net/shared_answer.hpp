// SPDX-License-Identifier: Apache-2.0
#pragma once
// shared_answer: however many wait for the same answer, one of them asks for it; its outcome, good
// or bad, is that of all who waited meanwhile. Who comes later asks anew. Threads: any.

#include <cstdint>
#include <expected>
#include <functional>
#include <mutex>
#include <optional>
#include <variant>

#include "wherry/csp/channel.hpp"
#include "wherry/csp/task.hpp"

namespace wherry::app {

template <class Answer, class Error>
class shared_answer {
 public:
  using outcome = std::expected<Answer, Error>;

  shared_answer() { turn_.offer(std::monostate{}); }

  /// Gives what is known, or asks. `known`: empty where somebody must ask; what `ask` learns it
  /// knows afterwards. Suspends: while somebody asks. Errors: those of `ask`; `cancelled`.
  [[nodiscard]] task<outcome> get(std::function<std::optional<Answer>()> known,
                                  std::function<task<outcome>()> ask) {
    if (auto answer = known()) co_return *std::move(answer);
    std::uint64_t answers_before = 0;
    {
      const std::lock_guard lock{mutex_};
      answers_before = answers_;
    }
    co_await turn_.take();
    const turn_holder holder{turn_};
    if (auto answer = known()) co_return *std::move(answer);
    {
      const std::lock_guard lock{mutex_};
      if (answers_ != answers_before && last_error_) co_return std::unexpected(*last_error_);
    }
    auto got = co_await ask();
    const std::lock_guard lock{mutex_};
    ++answers_;
    last_error_ = got ? std::nullopt : std::optional{got.error()};
    co_return got;
  }

 private:
  // Gives the turn back, also from a step that was cancelled while it asked.
  class turn_holder {
   public:
    explicit turn_holder(const channel<std::monostate>& of) : of_(of) {}
    ~turn_holder() { of_.offer(std::monostate{}); }
    turn_holder(const turn_holder&) = delete;
    turn_holder& operator=(const turn_holder&) = delete;

   private:
    const channel<std::monostate>& of_;
  };

  // Holds something while nobody asks: who has it may ask. Every report of a window may wait,
  // however large that is.
  const channel<std::monostate> turn_{fixed{1}, waiters_limit{1u << 30}};
  std::mutex mutex_;  // of what follows; never held over a suspension
  std::uint64_t answers_ = 0;
  std::optional<Error> last_error_;  // of the last answer
};

}  // namespace wherry::app
