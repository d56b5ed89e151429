// SPDX-License-Identifier: Apache-2.0
#include "source/token.hpp"

#include <algorithm>

#include "source/token_words.hpp"

namespace wherry::app {

using namespace std::chrono_literals;

token_keeper::token_keeper(const oauth2_auth& how, const source& spec, http_fetcher& client,
                           time_source now)
    : how_(how),
      spec_(spec),
      client_(client),
      now_(std::move(now)),
      refresh_token_(how.refresh_token.reveal) {}

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
  return asking_.get([this] { return known(); }, [this] { return ask(); });
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
