// SPDX-License-Identifier: Apache-2.0
#include "source/token_words.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>

#include "net/origin.hpp"
#include "source/json_path.hpp"
#include "spec/spelling.hpp"
#include "wherry/csp/scheduler.hpp"

namespace wherry::app {
namespace {

using namespace std::chrono_literals;
using meaning = source_error::meaning;

void add_field(std::string& form, std::string_view name, std::string_view value) {
  if (value.empty()) return;
  form += fmt::format("{}{}={}", form.empty() ? "" : "&", name, uri_encode(value, slash::encode));
}

// An error's code as it may be shown: a word, and none that the server took from what it was sent.
std::string shown_code(const oauth2_auth& how, const std::string& code) {
  const bool is_word = !code.empty() && code.size() <= 40 && std::ranges::all_of(code, [](char c) {
    return (c >= 'a' && c <= 'z') || c == '_';
  });
  const auto holds = [&](const secret& one) {
    return !one.reveal.empty() && (code.contains(one.reveal) || one.reveal.contains(code));
  };
  const bool is_safe = is_word && !holds(how.client_secret) && !holds(how.refresh_token);
  return is_safe ? code : "an error code of its own";
}

std::string_view remedy_of(std::string_view code) {
  if (code == "invalid_client") {
    return "check `client_id` and `client_secret`, and whether the server wants them in the body "
           "(client = \"body\")";
  }
  if (code == "invalid_grant") {
    return "the refresh token has expired, was revoked or belongs to another client: consent anew "
           "and write the new one into `refresh_token`";
  }
  if (code == "invalid_scope") return "check `scope`";
  if (code == "unauthorized_client" || code == "unsupported_grant_type") {
    return "this client may not ask in this way: let the server allow it, or with consent of a "
           "person add `refresh_token`, or take it out";
  }
  return "check `token_url`, `client_id`, `client_secret`, `scope` and `refresh_token`";
}

source_error refused(const oauth2_auth& how, const http_response& answer, const std::string& code) {
  const bool is_passing = code == "temporarily_unavailable" || code == "server_error";
  return {is_passing ? meaning::transient : meaning::credentials, std::nullopt,
          fmt::format("{} answered {} to the request for a token of `auth.oauth2`: {}; {}",
                      place_of(how.token_url), answer.status, shown_code(how, code),
                      is_passing ? "it is asked again" : remedy_of(code))};
}

source_error without_token(const oauth2_auth& how, const http_response& answer) {
  const auto meant = classify({},
                              {.status = answer.status,
                               .headers = answer.headers,
                               .body_prefix = {},
                               .body_is_whole = true},
                              scheduler::current().system_now());
  using is = answer_rule::meaning;
  const bool is_ours = meant.is == is::permanent || meant.is == is::credentials;
  const bool is_token = meant.is == is::rows || meant.is == is::empty;
  return {meant.is == is::throttled ? meaning::throttled
          : is_ours                 ? meaning::credentials
                                    : meaning::transient,
          meant.wait,
          fmt::format("{} answered {} to the request for a token of `auth.oauth2`{}",
                      place_of(how.token_url), answer.status,
                      is_ours    ? "; check `auth.oauth2.token_url`"
                      : is_token ? " without a token to use; if that stays so, check "
                                   "`auth.oauth2.token_url`"
                                 : ", which passes")};
}

std::optional<std::chrono::seconds> seconds_of(const std::optional<std::string>& text) {
  if (!text) return std::nullopt;
  std::int64_t count = 0;
  const auto [end, error] = std::from_chars(text->data(), text->data() + text->size(), count);
  if (error != std::errc{} || count <= 0) return std::nullopt;
  return std::min(std::chrono::seconds{count}, std::chrono::seconds{std::chrono::days{365}});
}

}  // namespace

http_request token_request(const oauth2_auth& how, const source& spec,
                           const std::string& refresh_token) {
  http_request request;
  request.method = "POST";
  request.url = how.token_url;
  request.connect_timeout = spec.connect_timeout;
  request.timeout = std::min<std::chrono::milliseconds>(spec.timeout, 1min);
  request.headers = {{"Content-Type", "application/x-www-form-urlencoded"},
                     {"Accept", "application/json"}};
  std::string form;
  add_field(form, "grant_type", refresh_token.empty() ? "client_credentials" : "refresh_token");
  add_field(form, "refresh_token", refresh_token);
  add_field(form, "scope", how.scope);
  if (how.client == oauth2_auth::place::body || how.client_secret.reveal.empty()) {
    add_field(form, "client_id", how.client_id);
    add_field(form, "client_secret", how.client_secret.reveal);
  } else {
    request.user = uri_encode(how.client_id, slash::encode);
    request.password = uri_encode(how.client_secret.reveal, slash::encode);
  }
  request.body = std::make_shared<const std::string>(std::move(form));
  return request;
}

std::expected<given_token, source_error> read_token(const oauth2_auth& how,
                                                    const http_response& answer) {
  const auto said = answer.body_fault ? std::nullopt : parse_json(answer.body);
  // A server in trouble, or one that wants fewer calls, is that whatever it writes.
  const bool speaks =
      answer.status == 200 || answer.status == 400 || answer.status == 401 || answer.status == 403;
  if (!said || !speaks) return std::unexpected(without_token(how, answer));
  if (const auto code = text_at(*said, "error")) {
    return std::unexpected(refused(how, answer, *code));
  }
  auto token = text_at(*said, "access_token");
  const bool is_token = answer.status == 200 && token && !token->empty() &&
                        std::ranges::all_of(*token, [](char c) { return c > 0x20 && c < 0x7F; });
  if (!is_token) return std::unexpected(without_token(how, answer));
  if (const auto type = text_at(*said, "token_type"); type && in_lower_case(*type) != "bearer") {
    return std::unexpected(source_error{
        meaning::credentials, std::nullopt,
        fmt::format("{} gives tokens of another type than bearer, which `auth.oauth2` does not "
                    "know; ask for bearer tokens there",
                    place_of(how.token_url))});
  }
  auto replaced = text_at(*said, "refresh_token");
  return given_token{*std::move(token), seconds_of(text_at(*said, "expires_in")),
                     how.refresh_token.reveal.empty() ? "" : std::move(replaced).value_or("")};
}

source_error explain_token_failure(const net_error& wrong) {
  return {wrong.transient ? meaning::transient : meaning::permanent, std::nullopt,
          fmt::format("no token of `auth.oauth2`: {} (`auth.oauth2.token_url`)", wrong.message)};
}

}  // namespace wherry::app
