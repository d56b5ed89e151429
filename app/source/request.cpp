// SPDX-License-Identifier: Apache-2.0
#include "source/request.hpp"

#include <fmt/format.h>

#include "source/source_words.hpp"

namespace wherry::app {

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
  using is = source_error::meaning;
  using meaning = answer_rule::meaning;
  const auto kind = meant.is == meaning::empty       ? is::empty
                    : meant.is == meaning::transient ? is::transient
                    : meant.is == meaning::throttled ? is::throttled
                                                     : is::permanent;
  return {kind, meant.wait, explain_answer(spec, place, status, meant)};
}

}  // namespace wherry::app
