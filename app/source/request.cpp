// SPDX-License-Identifier: Apache-2.0
#include "source/request.hpp"

#include <fmt/format.h>

#include "source/source_words.hpp"

namespace wherry::app {
namespace {

source_error::meaning meaning_of(answer_rule::meaning of) {
  using from = answer_rule::meaning;
  using to = source_error::meaning;
  switch (of) {
    case from::empty: return to::empty;
    case from::pending: return to::pending;
    case from::transient: return to::transient;
    case from::throttled: return to::throttled;
    case from::split: return to::split;
    case from::credentials: return to::credentials;
    case from::rows:
    case from::permanent: break;
  }
  return to::permanent;
}

}  // namespace

http_request request_to(const source& spec, remote_place what) {
  http_request request;
  request.url = std::move(what.url);
  request.headers = std::move(what.headers);
  request.accept_compressed = true;
  request.max_size_bytes = spec.max_size_bytes;
  request.connect_timeout = spec.connect_timeout;
  request.timeout = spec.timeout;
  if (what.body.empty()) return request;
  request.method = "POST";
  if (find_header(request.headers, "Content-Type").empty()) {
    request.headers.emplace_back("Content-Type", "application/json");
  }
  request.body = std::make_shared<const std::string>(std::move(what.body));
  return request;
}

bool sends_on(const std::optional<origin>& here, const http_response& answer, bool has_body) {
  if (!sends_on(here, answer)) return false;
  return !has_body || !keeps_body(answer.status) || parse_origin(answer.redirect_url) == here;
}

bool keeps_body(int status) noexcept { return status == 307 || status == 308; }

std::expected<remote_place, source_error> place_for(const source& spec, const request_template& how,
                                                    const client& of, day on,
                                                    const template_values& values) {
  auto url = expand_url(how.url, of, on, values);
  if (!url) return std::unexpected(from_template(url.error(), how.url_key));
  auto body = expand_body(how.body, of, on, values);
  if (!body) return std::unexpected(from_template(body.error(), how.body_key));
  remote_place made{.url = *std::move(url), .with_credentials = true, .body = *std::move(body)};
  for (const auto& [name, value] : spec.headers) {
    auto expanded = expand_text(value, of, on);
    if (!expanded) return std::unexpected(from_template(expanded.error(), "source.headers"));
    made.headers.emplace_back(name, *std::move(expanded));
  }
  return made;
}

source_error from_template(const template_error& wrong, std::string_view key) {
  return {source_error::meaning::permanent, std::nullopt,
          fmt::format("`{}`: {}; {}", key, wrong.message, wrong.remedy)};
}

source_error from_answer(const source& spec, const std::string& place, int status,
                         const answer_meaning& meant) {
  return {meaning_of(meant.is), meant.wait, explain_answer(spec, place, status, meant)};
}

}  // namespace wherry::app
