// SPDX-License-Identifier: Apache-2.0
#include "sink/s3_sink.hpp"

#include <fmt/format.h>

#include "net/origin.hpp"
#include "sink/s3_address.hpp"
#include "sink/s3_errors.hpp"
#include "sink/sink_errors.hpp"
#include "spec/template.hpp"
#include "wherry/csp/scheduler.hpp"

namespace wherry::app {
namespace {

constexpr std::uint64_t one_put_limit_bytes = 5ull << 30;     // S3's own
constexpr std::uint64_t in_memory_limit_bytes = 64ull << 10;  // sent in one go with the headers

std::string_view type_of(const sink& spec) {
  if (spec.format == file_format::parquet) return "application/vnd.apache.parquet";
  switch (spec.compression) {
    case compression::gzip: return "application/gzip";
    case compression::zstd: return "application/zstd";
    case compression::none: break;
  }
  return "text/csv";
}

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

}  // namespace

s3_sink::s3_sink(const sink& spec, http_client& client, spool& from)
    : spec_(spec),
      client_(client),
      spool_(from),
      signer_({spec.access_key, spec.secret_key, spec.session_token, spec.region}) {}

std::expected<request_body, sink_error> s3_sink::body_of(const spool_file& file) const {
  if (file.size_bytes > in_memory_limit_bytes) {
    return file_body{spool_.path_of(file), file.size_bytes};
  }
  auto bytes = spool_.read(file);
  if (!bytes) return std::unexpected(from_spool(bytes.error()));
  return std::make_shared<const std::string>(std::move(*bytes));
}

task<std::expected<stored_object, sink_error>> s3_sink::put(client of, day on, spool_file file) {
  auto url = expand_url(spec_.url, of, on);
  if (!url) co_return std::unexpected(from_template(url.error()));
  if (file.size_bytes > one_put_limit_bytes) {
    co_return std::unexpected(sink_error{
        sink_error_kind::permanent,
        fmt::format(
            "{} would have {} bytes; S3 takes at most {} in one PUT: make the report smaller, "
            "or compress it (name it .csv.gz or .parquet in `sink.url`)",
            *url, file.size_bytes, one_put_limit_bytes),
        {}});
  }
  auto body = body_of(file);
  if (!body) co_return std::unexpected(body.error());
  const auto object = parse_s3_url(*url);
  const auto address = address_of(spec_, object);
  const auto now = scheduler::current().system_now();

  http_request request;
  request.method = "PUT";
  request.url = address.url();
  request.body = std::move(*body);
  request.timeout = spec_.timeout;
  request.headers = signer_.sign(
      {.method = "PUT",
       .path = address.path,
       .query = {},
       .headers = {{"Host", address.host}, {"Content-Type", std::string{type_of(spec_)}}},
       .body_sha256 = file.sha256},
      now);
  const auto answered = co_await client_.fetch(std::move(request));
  if (!answered) co_return std::unexpected(explain_failure(answered.error(), *url));
  if (answered->status < 200 || answered->status > 299) {
    co_return std::unexpected(explain_refusal({.status = answered->status,
                                               .headers = answered->headers,
                                               .body = answered->body,
                                               .object = *url,
                                               .bucket = object.bucket,
                                               .place = place_of(address.url()),
                                               .region = spec_.region},
                                              now));
  }
  co_return stored_object{std::move(*url), file.size_bytes, std::move(file.sha256)};
}

}  // namespace wherry::app
