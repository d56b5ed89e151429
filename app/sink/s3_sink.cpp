// SPDX-License-Identifier: Apache-2.0
#include "sink/s3_sink.hpp"

#include <fmt/format.h>

#include "sink/sink_errors.hpp"

namespace wherry::app {
namespace {

constexpr std::uint64_t one_put_limit_bytes = 5ull << 30;     // S3's own
constexpr std::uint64_t in_memory_limit_bytes = 64ull << 10;  // sent in one go with the headers

constexpr const char* sha256_header = "x-amz-meta-sha256";

}  // namespace

std::string s3_sink::type_of(object_role role) const {
  if (role == object_role::rejected) return "text/csv";
  if (spec_.format == file_format::parquet) return "application/vnd.apache.parquet";
  switch (spec_.compression) {
    case compression::gzip: return "application/gzip";
    case compression::zstd: return "application/zstd";
    case compression::none: break;
  }
  return spec_.format == file_format::json_lines ? "application/x-ndjson" : "text/csv";
}

std::expected<request_body, sink_error> s3_sink::body_of(const spool_file& file) const {
  if (file.size_bytes > in_memory_limit_bytes) {
    return file_body{spool_.path_of(file), file.size_bytes};
  }
  auto bytes = spool_.read(file);
  if (!bytes) return std::unexpected(from_spool(bytes.error()));
  return std::make_shared<const std::string>(std::move(*bytes));
}

// An answer that is neither yes nor no is told by the PUT that follows, which has a body to tell it
// in. Without s3:ListBucket "there is none" is a 403.
task<std::expected<bool, sink_error>> s3_sink::holds(std::string url, spool_file file) {
  const auto answered = co_await server_.ask({.method = "HEAD", .url = std::move(url)});
  if (!answered) co_return std::unexpected(answered.error());
  co_return is_success(*answered) &&
      find_header(answered->headers, sha256_header) ==
          file.sha256&& find_header(answered->headers, "content-length") ==
          std::to_string(file.size_bytes);
}

task<std::expected<bool, sink_error>> s3_sink::put_whole(std::string url, object_to_put what) {
  if (what.file.size_bytes > one_put_limit_bytes) {
    co_return std::unexpected(sink_error{
        sink_error_kind::permanent,
        fmt::format(
            "{} would have {} bytes; S3 takes at most {} in one PUT: make the report smaller, "
            "or compress it (name it .csv.gz or .parquet in `sink.url`)",
            url, what.file.size_bytes, one_put_limit_bytes),
        {}});
  }
  auto body = body_of(what.file);
  if (!body) co_return std::unexpected(body.error());
  http_headers headers = {{"Content-Type", type_of(what.role)}, {sha256_header, what.file.sha256}};
  if (!spec_.overwrite) headers.emplace_back("If-None-Match", "*");
  const auto answered = co_await server_.ask({.method = "PUT",
                                              .url = url,
                                              .headers = std::move(headers),
                                              .body = std::move(*body),
                                              .body_sha256 = what.file.sha256});
  if (!answered) co_return std::unexpected(answered.error());
  constexpr int precondition_failed = 412;
  if (!spec_.overwrite && answered->status == precondition_failed) co_return false;
  if (!is_success(*answered)) co_return std::unexpected(server_.refusal(*answered, url));
  co_return true;
}

task<std::expected<stored_object, sink_error>> s3_sink::put(object_to_put what) {
  auto url = object_url(spec_, what);
  if (!url) co_return std::unexpected(url.error());
  stored_object made{*std::move(url), what.file.size_bytes, what.file.sha256};
  if (what.may_be_there) {
    const auto found = co_await holds(made.url, what.file);
    if (!found) co_return std::unexpected(found.error());
    made.unchanged = *found;
    if (!made.unchanged && what.pay) co_await what.pay();
  }
  if (!made.unchanged) {
    const auto put = co_await put_whole(made.url, what);
    if (!put) co_return std::unexpected(put.error());
    if (*put) co_return made;
    // Ours, of a step whose answer was lost, or of an import before; or somebody else's.
    if (what.pay) co_await what.pay();
    const auto found = co_await holds(made.url, what.file);
    if (!found) co_return std::unexpected(found.error());
    if (!*found) co_return std::unexpected(kept_as_it_is(made.url));
    made.unchanged = true;
  }
  co_return made;
}

// Looks first: most days without rows never had any, and whoever may look needs no leave to remove.
task<std::expected<void, sink_error>> s3_sink::remove(client of, day on, object_role role) {
  constexpr int not_found = 404;
  const auto url = object_url(spec_, {.of = std::move(of), .on = on, .file = {}, .role = role});
  if (!url) co_return std::unexpected(url.error());
  const auto found = co_await server_.ask({.method = "HEAD", .url = *url});
  if (!found) co_return std::unexpected(found.error());
  if (found->status == not_found) co_return {};
  const auto answered = co_await server_.ask({.method = "DELETE", .url = *url});
  if (!answered) co_return std::unexpected(answered.error());
  if (is_success(*answered) || answered->status == not_found) co_return {};
  auto why = server_.refusal(*answered, *url);
  why.message +=
      "; the report has no rows any more, so its object must go: allow s3:DeleteObject, or remove "
      "it, and s3:ListBucket, without which nobody sees that it is gone";
  co_return std::unexpected(std::move(why));
}

}  // namespace wherry::app
