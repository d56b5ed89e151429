// SPDX-License-Identifier: Apache-2.0
#include "source/credentials.hpp"

#include "source/signing.hpp"
#include "source/source_words.hpp"
#include "wherry/csp/scheduler.hpp"

namespace wherry::app {

credentials::credentials(const source& spec, http_fetcher& client, time_source now)
    : spec_(spec),
      client_(client),
      now_(now ? std::move(now) : time_source{[] { return scheduler::current().now(); }}) {
  add(spec.auth);
  for (const auto& each : spec.more_auth) add(each);
}

void credentials::add(const auth& by) {
  auto& made = *all_.emplace_back(std::make_unique<one>());
  made.by = &by;
  if (const auto* const oauth2 = std::get_if<oauth2_auth>(&by)) {
    made.tokens = std::make_unique<token_keeper>(*oauth2, spec_, client_, now_);
  } else if (const auto* const aws = std::get_if<sigv4_auth>(&by)) {
    made.signer = std::make_unique<sigv4_signer>(sigv4_options{.access_key = aws->access_key,
                                                               .secret_key = aws->secret_key,
                                                               .session_token = aws->session_token,
                                                               .region = aws->region,
                                                               .service = aws->service});
  }
}

credentials::one& credentials::whose_turn() {
  const auto now = now_();
  const std::lock_guard lock{mutex_};
  for (std::size_t tried = 0; tried < all_.size(); ++tried) {
    auto& each = *all_[next_++ % all_.size()];
    if (each.out_until <= now) return each;
  }
  return *all_[next_++ % all_.size()];
}

credentials::one* credentials::other_than(one& refused) {
  const auto now = now_();
  const std::lock_guard lock{mutex_};
  for (std::size_t tried = 0; tried < all_.size(); ++tried) {
    auto& each = *all_[next_++ % all_.size()];
    if (&each == &refused || each.out_until > now) continue;
    refused.out_until = now + left_out_for;
    return &each;
  }
  return nullptr;
}

task<std::expected<http_response, source_error>> credentials::send(
    http_request question, std::function<bool()> may_repeat) {
  auto* who = &whose_turn();
  bool has_renewed = false;
  for (std::size_t refusals = 0;;) {
    auto request = question;
    signing_facts facts{.token = {}, .now = scheduler::current().system_now()};
    if (who->tokens) {
      auto got = co_await who->tokens->token();
      if (!got) {
        const bool is_refused = got.error().is == source_error::meaning::credentials;
        auto* const other = is_refused && ++refusals < all_.size() ? other_than(*who) : nullptr;
        if (other == nullptr) co_return std::unexpected(std::move(got.error()));
        who = other;
        has_renewed = false;
        continue;
      }
      facts.token = *std::move(got);
      facts.now = scheduler::current().system_now();
    }
    if (who->signer) {
      sign(request, *who->signer, facts.now);
    } else {
      sign(request, *who->by, facts);
    }
    auto answered = co_await client_.fetch(std::move(request));
    if (!answered) co_return std::unexpected(explain_failure(spec_, answered.error()));
    const bool is_refused = answered->status == 401 || answered->status == 403;
    if (!is_refused || (may_repeat && !may_repeat())) co_return std::move(*answered);
    if (who->tokens && answered->status == 401 && !has_renewed) {
      who->tokens->drop(facts.token);
      has_renewed = true;
      continue;
    }
    auto* const other = ++refusals < all_.size() ? other_than(*who) : nullptr;
    if (other == nullptr) co_return std::move(*answered);
    who = other;
    has_renewed = false;
  }
}

}  // namespace wherry::app
