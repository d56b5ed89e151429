// SPDX-License-Identifier: Apache-2.0
#include "net/origin.hpp"

#include <curl/curl.h>
#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <memory>

namespace wherry::app {
namespace {

std::optional<std::string> part(CURLU* url, CURLUPart which, unsigned flags) {
  char* text = nullptr;
  if (curl_url_get(url, which, &text, flags) != CURLUE_OK) return std::nullopt;
  std::string copy{text};
  curl_free(text);
  std::ranges::transform(copy, copy.begin(), [](char c) {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  });
  return copy;
}

using url_handle = std::unique_ptr<CURLU, decltype(&curl_url_cleanup)>;

}  // namespace

std::string resolve_url(const std::string& base, const std::string& location) {
  const url_handle parsed{curl_url(), &curl_url_cleanup};
  char* text = nullptr;
  if (!parsed || curl_url_set(parsed.get(), CURLUPART_URL, base.c_str(), 0) != CURLUE_OK ||
      curl_url_set(parsed.get(), CURLUPART_URL, location.c_str(), 0) != CURLUE_OK ||
      curl_url_get(parsed.get(), CURLUPART_URL, &text, 0) != CURLUE_OK) {
    return {};
  }
  std::string absolute{text};
  curl_free(text);
  return absolute;
}

std::optional<origin> parse_origin(const std::string& url) {
  const url_handle parsed{curl_url(), &curl_url_cleanup};
  if (!parsed || curl_url_set(parsed.get(), CURLUPART_URL, url.c_str(), 0) != CURLUE_OK) return {};
  const auto scheme = part(parsed.get(), CURLUPART_SCHEME, 0);
  const auto host = part(parsed.get(), CURLUPART_HOST, 0);
  const auto port = part(parsed.get(), CURLUPART_PORT, CURLU_DEFAULT_PORT);
  if (!scheme || !host || !port || (*scheme != "http" && *scheme != "https")) return {};
  origin found{*scheme, *host, 0};
  std::from_chars(port->data(), port->data() + port->size(), found.port);
  return found;
}

std::string to_string(const origin& of) {
  const bool usual = of.port == (of.scheme == "https" ? 443 : 80);
  return usual ? fmt::format("{}://{}", of.scheme, of.host)
               : fmt::format("{}://{}:{}", of.scheme, of.host, of.port);
}

std::string place_of(const std::string& url) {
  const auto found = parse_origin(url);
  return found ? to_string(*found) : "the given URL";
}

}  // namespace wherry::app
