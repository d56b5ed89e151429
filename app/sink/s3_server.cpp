// SPDX-License-Identifier: Apache-2.0
#include "sink/s3_server.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "net/origin.hpp"
#include "sink/s3_errors.hpp"
#include "spec/spelling.hpp"
#include "wherry/csp/scheduler.hpp"

namespace wherry::app {
namespace {

sink_error explain_failure(const net_error& wrong, const std::string& object) {
  // The file in the spool vanished or changed while it was sent.
  if (wrong.kind == net_error_kind::local_io) return {sink_error_kind::damaged, wrong.message, {}};
  if (wrong.kind == net_error_kind::exhausted) {
    return {sink_error_kind::transient, fmt::format("{}: {}", object, wrong.message), {}};
  }
  return {wrong.transient ? sink_error_kind::transient : sink_error_kind::permanent,
          fmt::format("{}: {} (`sink.endpoint`, `sink.path_style`, `sink.timeout`)", object,
                      wrong.message),
          {}};
}

// "?partNumber=1&uploadId=…", as it is signed; a parameter without a value has no "=".
std::string query_text(const s3_request& of) {
  std::string text;
  for (const auto& [name, value] : of.query) {
    text += text.empty() ? "?" : "&";
    text += uri_encode(name, slash::encode);
    if (!value.empty()) text += "=" + uri_encode(value, slash::encode);
  }
  return text;
}

}  // namespace

s3_server::s3_server(const sink& spec, http_client& client)
    : spec_(spec),
      client_(client),
      signer_({spec.access_key, spec.secret_key, spec.session_token, spec.region}) {}

task<std::expected<http_response, sink_error>> s3_server::ask(s3_request what) {
  const auto address = address_of(spec_, parse_s3_url(what.url));
  http_request request;
  request.method = what.method;
  request.url = address.url() + query_text(what);
  request.body = std::move(what.body);
  request.timeout = std::min(spec_.timeout, what.at_most);
  request.into = what.into;
  request.max_size_bytes = what.max_size_bytes;
  what.headers.emplace_back("Host", address.host);
  request.headers = signer_.sign({.method = std::move(what.method),
                                  .path = address.path,
                                  .query = std::move(what.query),
                                  .headers = std::move(what.headers),
                                  .body_sha256 = std::move(what.body_sha256)},
                                 scheduler::current().system_now());
  auto answered = co_await client_.fetch(std::move(request));
  if (!answered) co_return std::unexpected(explain_failure(answered.error(), what.url));
  co_return *std::move(answered);
}

sink_error s3_server::refusal(const http_response& answer, const std::string& url) const {
  const auto object = parse_s3_url(url);
  return explain_refusal({.status = answer.status,
                          .headers = answer.headers,
                          .body = answer.body,
                          .object = url,
                          .bucket = object.bucket,
                          .place = place_of(address_of(spec_, object).url()),
                          .region = spec_.region},
                         scheduler::current().system_now());
}

}  // namespace wherry::app
