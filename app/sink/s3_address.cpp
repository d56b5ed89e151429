// SPDX-License-Identifier: Apache-2.0
#include "sink/s3_address.hpp"

#include <fmt/format.h>

#include "spec/spelling.hpp"

namespace wherry::app {
namespace {

constexpr std::string_view s3_scheme = "s3://";

}  // namespace

s3_object parse_s3_url(std::string_view url) {
  url.remove_prefix(url.starts_with(s3_scheme) ? s3_scheme.size() : 0);
  const auto slash_at = url.find('/');
  if (slash_at == url.npos) return {std::string{url}, ""};
  return {std::string{url.substr(0, slash_at)}, uri_decode(url.substr(slash_at + 1))};
}

s3_address address_of(const sink& spec, const s3_object& object) {
  const std::string endpoint = spec.endpoint.empty()
                                   ? fmt::format("https://s3.{}.amazonaws.com", spec.region)
                                   : spec.endpoint;
  const auto colon = endpoint.find("://");
  s3_address address{endpoint.substr(0, colon), endpoint.substr(colon + 3), ""};
  const std::string_view own_port = address.scheme == "https" ? ":443" : ":80";
  if (address.host.ends_with(own_port)) address.host.resize(address.host.size() - own_port.size());
  const auto key = uri_encode(object.key, slash::keep);
  if (spec.path_style) {
    address.path = fmt::format("/{}/{}", uri_encode(object.bucket, slash::encode), key);
  } else {
    address.host = fmt::format("{}.{}", object.bucket, address.host);
    address.path = "/" + key;
  }
  return address;
}

}  // namespace wherry::app
