// SPDX-License-Identifier: Apache-2.0
#include "warehouse/manifest.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <boost/json.hpp>

#include "sink/s3_address.hpp"
#include "spool/sha256.hpp"

namespace wherry::app {
namespace {

namespace json = boost::json;

// COPY wants the key as it is; an address in a state has it percent-encoded.
std::string plain_url(const std::string& url) {
  if (!url.starts_with("s3://")) return url;
  const auto object = parse_s3_url(url);
  return fmt::format("s3://{}/{}", object.bucket, object.key);
}

}  // namespace

load_manifest manifest_of(std::span<const load_item> reports) {
  json::array entries;
  for (const auto& each : reports) {
    if (each.rows == 0) continue;
    entries.push_back(json::object{{"url", plain_url(each.url)},
                                   {"mandatory", true},
                                   {"meta", {{"content_length", each.size_bytes}}}});
  }
  load_manifest made{.text = json::serialize(json::object{{"entries", std::move(entries)}}),
                     .name = {}};
  made.name = to_hex(sha256_of(made.text));
  return made;
}

bool has_rows(std::span<const load_item> reports) {
  return std::ranges::any_of(reports, [](const load_item& each) { return each.rows > 0; });
}

std::string manifest_url(std::string_view sink_url, std::string_view name) {
  return fmt::format("s3://{}/_wherry/manifests/{}.json", parse_s3_url(sink_url).bucket, name);
}

}  // namespace wherry::app
