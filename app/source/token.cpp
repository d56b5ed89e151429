// SPDX-License-Identifier: Apache-2.0
#include "source/token.hpp"

#include <algorithm>

#include "source/token_words.hpp"

namespace wherry::app {
namespace {

using namespace std::chrono_literals;

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

// Every report of a window may wait, however large that is.
constexpr waiters_limit any_number{1u << 30};

}  // namespace

token_keeper::token_keeper(const oauth2_auth& how, const source& spec, http_fetcher& client,
                           time_source now)
    : how_(how),
      spec_(spec),
      client_(client),
      now_(std::move(now)),
      turn_(fixed{1}, any_number),
      refresh_token_(how.refresh_token.reveal) {
  turn_.offer(std::monostate{});
}

std::optional<std::string> token_keeper::known() {
  const auto now = now_();
  const std::lock_guard lock{mutex_};
  return !token_.empty() && now < good_until_ ? std::optional{token_} : std::nullopt;
}

void token_keeper::drop(const std::string& refused) {
  const std::lock_guard lock{mutex_};
  if (token_ == refused) token_.clear();
}

task<std::expected<std::string, source_error>> token_keeper::token() {
  if (auto token = known()) co_return *std::move(token);
  std::uint64_t answers_before = 0;
  {
    const std::lock_guard lock{mutex_};
    answers_before = answers_;
  }
  co_await turn_.take();
  const turn_holder holder{turn_};
  if (auto token = known()) co_return *std::move(token);
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

task<std::expected<std::string, source_error>> token_keeper::ask() {
  std::string refresh_token;
  {
    const std::lock_guard lock{mutex_};
    refresh_token = refresh_token_;
  }
  const auto asked_at = now_();
  auto answered = co_await client_.fetch(token_request(how_, spec_, refresh_token));
  if (!answered) co_return std::unexpected(explain_token_failure(answered.error()));
  co_return take(*answered, asked_at);
}

std::expected<std::string, source_error> token_keeper::take(const http_response& answer,
                                                            steady_time asked_at) {
  auto given = read_token(how_, answer);
  if (!given) return std::unexpected(std::move(given.error()));
  const std::lock_guard lock{mutex_};
  token_ = given->access_token;
  good_until_ = given->lives_for
                    ? asked_at + std::max<duration>(*given->lives_for - 1min, *given->lives_for / 2)
                    : steady_time::max();
  if (!given->refresh_token.empty()) refresh_token_ = std::move(given->refresh_token);
  return std::move(given->access_token);
}

}  // namespace wherry::app
