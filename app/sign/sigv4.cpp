// SPDX-License-Identifier: Apache-2.0
#include "sign/sigv4.hpp"

#include <fmt/chrono.h>
#include <fmt/format.h>

#include <algorithm>
#include <ctime>
#include <map>

#include "spec/spelling.hpp"

namespace wherry::app {
namespace {

// Without blanks at the ends, runs of blanks as one.
std::string tidied(std::string_view value) {
  std::string tidy;
  for (const char c : value) {
    const bool blank = c == ' ' || c == '\t';
    if (!blank) {
      tidy += c;
    } else if (!tidy.empty() && tidy.back() != ' ') {
      tidy += ' ';
    }
  }
  if (tidy.ends_with(' ')) tidy.pop_back();
  return tidy;
}

std::string canonical_query(const sigv4_request& request) {
  std::vector<std::pair<std::string, std::string>> encoded;
  for (const auto& [name, value] : request.query) {
    encoded.emplace_back(uri_encode(name, slash::encode), uri_encode(value, slash::encode));
  }
  std::ranges::sort(encoded);
  std::string text;
  for (const auto& [name, value] : encoded) {
    text += fmt::format("{}{}={}", text.empty() ? "" : "&", name, value);
  }
  return text;
}

}  // namespace

std::string canonical_request(const sigv4_request& request, std::string& signed_names) {
  std::map<std::string, std::string> headers;  // by name; those of one name make one line
  for (const auto& [name, value] : request.headers) {
    const auto [at, is_new] = headers.try_emplace(in_lower_case(name), tidied(value));
    if (!is_new) at->second += "," + tidied(value);
  }
  std::string lines;
  signed_names.clear();
  for (const auto& [name, value] : headers) {
    lines += fmt::format("{}:{}\n", name, value);
    signed_names += (signed_names.empty() ? "" : ";") + name;
  }
  return fmt::format("{}\n{}\n{}\n{}\n{}\n{}", request.method, request.path,
                     canonical_query(request), lines, signed_names, request.body_sha256);
}

sha256_digest sigv4_signer::key_of(const std::string& date) const {
  const std::lock_guard lock{mutex_};
  if (key_date_ != date) {
    key_ = hmac_sha256("AWS4" + options_.secret_key.reveal, date);
    key_ = hmac_sha256(bytes_of(key_), options_.region);
    key_ = hmac_sha256(bytes_of(key_), options_.service);
    key_ = hmac_sha256(bytes_of(key_), "aws4_request");
    key_date_ = date;
  }
  return key_;
}

http_headers sigv4_signer::sign(const sigv4_request& request,
                                std::chrono::system_clock::time_point now) const {
  const auto utc = fmt::gmtime(std::chrono::system_clock::to_time_t(now));
  const auto time = fmt::format("{:%Y%m%dT%H%M%SZ}", utc);
  const auto date = time.substr(0, 8);
  const auto scope = fmt::format("{}/{}/{}/aws4_request", date, options_.region, options_.service);

  sigv4_request complete = request;
  if (options_.service == "s3") {
    complete.headers.emplace_back("x-amz-content-sha256", request.body_sha256);
  } else {
    complete.path = uri_encode(request.path, slash::keep);
  }
  complete.headers.emplace_back("x-amz-date", time);
  if (!options_.session_token.reveal.empty()) {
    complete.headers.emplace_back("x-amz-security-token", options_.session_token.reveal);
  }
  std::string names;
  const auto canonical = canonical_request(complete, names);
  const auto to_sign =
      fmt::format("AWS4-HMAC-SHA256\n{}\n{}\n{}", time, scope, to_hex(sha256_of(canonical)));
  const auto key = key_of(date);
  complete.headers.emplace_back(
      "Authorization",
      fmt::format("AWS4-HMAC-SHA256 Credential={}/{},SignedHeaders={},Signature={}",
                  options_.access_key, scope, names, to_hex(hmac_sha256(bytes_of(key), to_sign))));
  return std::move(complete.headers);
}

}  // namespace wherry::app
