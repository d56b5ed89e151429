// SPDX-License-Identifier: Apache-2.0
#pragma once
// origin: scheme, host and port of a URL: what credentials belong to, and all of a URL that an
// error may say. libcurl's own parser decides, so that nobody can be talked into reading one host
// where the transfer goes to another.

#include <cstdint>
#include <optional>
#include <string>

namespace wherry::app {

struct origin {
  std::string scheme;  ///< in lower case
  std::string host;    ///< in lower case, without user and password
  std::uint16_t port = 0;
  friend bool operator==(const origin&, const origin&) = default;
};

/// Finds where a URL goes. Empty: it is no http or https URL.
[[nodiscard]] std::optional<origin> parse_origin(const std::string& url);

/// Makes an absolute URL of a Location header's value. Empty: it is no URL.
[[nodiscard]] std::string resolve_url(const std::string& base, const std::string& location);

/// Writes an origin as "https://host" or "http://host:8080", for messages.
[[nodiscard]] std::string to_string(const origin& of);

/// As to_string, or "the given URL" if it is none.
[[nodiscard]] std::string place_of(const std::string& url);

}  // namespace wherry::app
