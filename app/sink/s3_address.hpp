// SPDX-License-Identifier: Apache-2.0
#pragma once
// From s3://bucket/key to the address of an HTTP request: path style or virtual host, at AWS or at
// any other endpoint. Pure.

#include <string>
#include <string_view>

#include "spec/spec.hpp"

namespace wherry::app {

/// Names an object. The key is plain: what was percent-encoded in the URL is decoded.
struct s3_object {
  std::string bucket;
  std::string key;
};

/// Splits an s3:// URL. A "%" that begins no two hex digits stands for itself.
[[nodiscard]] s3_object parse_s3_url(std::string_view url);

/// Says where a request for an object goes.
struct s3_address {
  std::string scheme;  ///< "https"
  std::string host;    ///< with the port, unless it is the scheme's own: as in the Host header
  std::string path;    ///< encoded
  [[nodiscard]] std::string url() const { return scheme + "://" + host + path; }
};

/// Finds the address of an object by the sink's endpoint, region and path_style.
[[nodiscard]] s3_address address_of(const sink& spec, const s3_object& object);

}  // namespace wherry::app
