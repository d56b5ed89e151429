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

http_request request_to(const source& spec, std::string url, bool with_credentials) {
  http_request request;
  request.url = std::move(url);
  request.accept_compressed = true;
  request.max_size_bytes = spec.max_size_bytes;
  request.connect_timeout = spec.connect_timeout;
  request.timeout = spec.timeout;
  if (!with_credentials) return request;
  request.headers.assign(spec.headers.begin(), spec.headers.end());
  return request;
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
