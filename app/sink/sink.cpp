// SPDX-License-Identifier: Apache-2.0
#include "sink/sink.hpp"

#include <fmt/format.h>

#include "sink/file_sink.hpp"
#include "sink/s3_sink.hpp"
#include "sink/sink_errors.hpp"
#include "spec/object_name.hpp"
#include "wherry/csp/assert.hpp"

namespace wherry::app {

std::unique_ptr<object_sink> make_sink(const sink& spec, http_client& client, aws_credentials& keys,
                                       spool& from) {
  if (spec.url.starts_with("s3://")) return std::make_unique<s3_sink>(spec, client, keys, from);
  WHERRY_ASSERT(spec.url.starts_with("file://"), "read_spec lets only file:// and s3:// through");
  return std::make_unique<file_sink>(spec, from);
}

sink_error from_spool(const spool_error& wrong) {
  return {wrong.kind == spool_error_kind::damaged ? sink_error_kind::damaged
                                                  : sink_error_kind::transient,
          wrong.message, std::nullopt};
}

sink_error from_template(const template_error& wrong) {
  return {sink_error_kind::permanent,
          fmt::format("`sink.url`: {}; {}", wrong.message, wrong.remedy), std::nullopt};
}

sink_error kept_as_it_is(const std::string& object) {
  return {
      sink_error_kind::permanent,
      fmt::format("{} is there with other bytes, and `sink.overwrite` is false: remove or rename "
                  "it, or let `sink.overwrite` be true, and redrive the report",
                  object),
      std::nullopt};
}

bool has_names_of_versions(const sink& spec) {
  return spec.url.contains("{sha256}") || spec.url.contains("{spec}");
}

std::expected<std::string, sink_error> object_url(const sink& spec, const object_to_put& what) {
  const bool is_beside = what.role == object_role::rejected;
  const template_values values{{"sha256", is_beside ? what.rows_sha256 : what.file.sha256},
                               {"spec", what.spec}};
  auto url = expand_url(spec.url, what.of, what.on, values);
  if (!url) return std::unexpected(from_template(url.error()));
  return is_beside ? rejected_name(*url) : *std::move(url);
}

}  // namespace wherry::app
