// SPDX-License-Identifier: Apache-2.0
#include "source/signing.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "net/origin.hpp"
#include "spec/spelling.hpp"

namespace wherry::app {
namespace {

// What stands behind the origin, without a fragment: that is not sent.
struct target {
  std::string_view path, query;
};
target target_of(std::string_view url) {
  url = url.substr(0, url.find('#'));
  const auto host = url.find("://") + 3;
  const auto path = std::min(url.find_first_of("/?", host), url.size());
  const auto query = std::min(url.find('?', path), url.size());
  return {url.substr(path, query - path), url.substr(std::min(query + 1, url.size()))};
}

std::vector<std::pair<std::string, std::string>> parameters_of(std::string_view query) {
  std::vector<std::pair<std::string, std::string>> all;
  while (!query.empty()) {
    const auto one = query.substr(0, query.find('&'));
    query.remove_prefix(std::min(one.size() + 1, query.size()));
    const auto equals = std::min(one.find('='), one.size());
    if (one.empty()) continue;
    all.emplace_back(uri_decode(one.substr(0, equals)),
                     uri_decode(one.substr(std::min(equals + 1, one.size()))));
  }
  return all;
}

bool is_signed(std::string_view name) {
  const auto lower = in_lower_case(name);
  return lower == "content-type" || lower.starts_with("x-amz-");
}

std::string sha256_of_body(const http_request& request) {
  const auto* const bytes = std::get_if<std::shared_ptr<const std::string>>(&request.body);
  return to_hex(sha256_of(bytes != nullptr ? std::string_view{**bytes} : std::string_view{}));
}

// Puts the request's own parts into a template; what they hold is no template again.
std::string filled(std::string_view text, const http_request& request,
                   const std::string& timestamp) {
  const auto [path, query] = target_of(request.url);
  const std::pair<std::string_view, std::string> parts[] = {
      {"{method}", request.method},
      {"{path}", path.empty() ? "/" : std::string{path}},
      {"{query}", std::string{query}},
      {"{timestamp}", timestamp},
      {"{body_sha256}", sha256_of_body(request)}};
  std::string out;
  while (!text.empty()) {
    const auto found =
        std::ranges::find_if(parts, [&](const auto& part) { return text.starts_with(part.first); });
    const bool is_part = found != std::end(parts);
    out += is_part ? std::string_view{found->second} : text.substr(0, 1);
    text.remove_prefix(is_part ? found->first.size() : 1);
  }
  return out;
}

struct signer {
  http_request& request;
  const signing_facts& with;

  void operator()(const std::monostate&) const {}
  void operator()(const bearer_auth& by) const { bear(by.token.reveal); }
  void operator()(const basic_auth& by) const {
    request.user = by.user;
    request.password = by.password.reveal;
  }
  void operator()(const header_auth& by) const {
    request.headers.emplace_back(by.name, by.value.reveal);
  }
  void operator()(const query_auth& by) const {
    request.url = with_parameter(std::move(request.url), by.name, by.value.reveal);
  }
  void operator()(const oauth2_auth&) const { bear(with.token); }
  void operator()(const sigv4_auth&) const {}  // by the other `sign`, which keeps the day's key
  void operator()(const hmac_auth& by) const {
    const auto since = with.now.time_since_epoch();
    const auto timestamp =
        fmt::format("{}", std::chrono::floor<std::chrono::seconds>(since).count());
    const auto digest = hmac_sha256(by.key.reveal, filled(by.over, request, timestamp));
    request.headers.emplace_back(by.header, by.written_in == hmac_auth::encoding::hex
                                                ? to_hex(digest)
                                                : in_base64(bytes_of(digest)));
    if (by.over.contains("{timestamp}")) {
      request.headers.emplace_back(by.timestamp_header, timestamp);
    }
  }

  void bear(const std::string& what) const {
    request.headers.emplace_back("Authorization", "Bearer " + what);
  }
};

}  // namespace

std::string with_parameter(std::string url, const std::string& name, const std::string& value) {
  const auto [path, query] = target_of(url);
  const auto parameters = parameters_of(query);
  const auto same = std::ranges::find(parameters, std::pair{name, value});
  if (same != parameters.end()) return url;
  const auto parameter =
      fmt::format("{}={}", uri_encode(name, slash::encode), uri_encode(value, slash::encode));
  url.resize(std::min(url.find('#'), url.size()));
  const bool has_query = url.contains('?');
  const bool is_open = url.ends_with('?') || url.ends_with('&');
  return url + (!has_query ? "?" : is_open ? "" : "&") + parameter;
}

void sign(http_request& request, const auth& by, const signing_facts& with) {
  std::visit(signer{request, with}, by);
}

void sign(http_request& request, const sigv4_signer& by,
          std::chrono::system_clock::time_point now) {
  const auto where = parse_origin(request.url);
  if (!where) return;  // the client says what is wrong with it
  const auto [path, query] = target_of(request.url);
  const auto host = to_string(*where).substr(where->scheme.size() + 3);
  sigv4_request what{.method = request.method,
                     .path = path.empty() ? "/" : std::string{path},
                     .query = parameters_of(query),
                     .headers = {{"Host", host}},
                     .body_sha256 = sha256_of_body(request)};
  http_headers others;
  for (auto& header : request.headers) {
    (is_signed(header.first) ? what.headers : others).push_back(std::move(header));
  }
  request.headers = by.sign(what, now);
  request.headers.insert(request.headers.end(), others.begin(), others.end());
}

}  // namespace wherry::app
