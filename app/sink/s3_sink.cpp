// SPDX-License-Identifier: Apache-2.0
#include "sink/s3_sink.hpp"

#include <fmt/format.h>

#include "sink/checksum.hpp"
#include "sink/encryption.hpp"
#include "sink/multipart.hpp"
#include "sink/s3_look.hpp"
#include "sink/sink_errors.hpp"
#include "spool/blocking.hpp"

namespace wherry::app {
namespace {

constexpr std::uint64_t in_memory_limit_bytes = 64ull << 10;  // sent in one go with the headers
constexpr std::uint64_t largest_object_bytes = most_parts * largest_part_bytes;

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

// Only a CRC of a large file costs another look at its bytes.
task<std::expected<std::string, sink_error>> s3_sink::whole_checksum(request_body body,
                                                                     spool_file file) {
  if (!spec_.checksum) co_return std::string{};
  if (spec_.checksum == checksum::sha256) co_return bytes_of_sha256(file.sha256);
  if (const auto* bytes = std::get_if<std::shared_ptr<const std::string>>(&body)) {
    co_return checksum_of(*spec_.checksum, **bytes);
  }
  auto whole = co_await blocking([&](const std::stop_token& stop) {
    return cut_into_parts(spool_, file, file.size_bytes, spec_.checksum, stop);
  });
  if (!whole) co_return std::unexpected(from_spool(whole.error()));
  co_return whole->front().checksum;
}

http_headers s3_sink::headers_of(const object_to_put& what) const {
  return {{"Content-Type", type_of(what.role)}, {std::string{sha256_header}, what.file.sha256}};
}

task<std::expected<bool, sink_error>> s3_sink::put_in_parts(std::string url, object_to_put what) {
  if (what.file.size_bytes > largest_object_bytes) {
    co_return std::unexpected(sink_error{
        sink_error_kind::permanent,
        fmt::format("{} would have {} bytes; S3 takes at most {}: make the report smaller, or "
                    "compress it (name it .csv.gz or .parquet in `sink.url`)",
                    url, what.file.size_bytes, largest_object_bytes),
        {}});
  }
  auto headers = headers_of(what);
  multipart_upload upload{spec_,
                          server_,
                          spool_,
                          {.url = std::move(url),
                           .file = std::move(what.file),
                           .headers = std::move(headers),
                           .pay = std::move(what.pay)}};
  co_return co_await upload.put();
}

task<std::expected<bool, sink_error>> s3_sink::put_whole(std::string url, object_to_put what) {
  auto body = body_of(what.file);
  if (!body) co_return std::unexpected(body.error());
  const auto sum = co_await whole_checksum(*body, what.file);
  if (!sum) co_return std::unexpected(sum.error());
  auto headers = headers_of(what);
  add_checksum(headers, spec_.checksum, *sum);
  add_encryption(headers, spec_);
  if (!spec_.overwrite) headers.emplace_back("If-None-Match", "*");
  const auto answered = co_await server_.ask({.method = "PUT",
                                              .url = url,
                                              .headers = std::move(headers),
                                              .body = std::move(*body),
                                              .body_sha256 = what.file.sha256});
  if (!answered) co_return std::unexpected(answered.error());
  if (!spec_.overwrite && answered->status == precondition_failed) co_return false;
  if (!is_success(*answered)) co_return std::unexpected(server_.refusal(*answered, url));
  if (auto plain = not_encrypted(spec_, *answered, url)) {
    co_return std::unexpected(*std::move(plain));
  }
  if (auto wrong = other_than_sent(spec_, url, *answered, *sum)) {
    co_return std::unexpected(*std::move(wrong));
  }
  co_return true;
}

task<std::expected<stored_object, sink_error>> s3_sink::put(object_to_put what) {
  auto url = object_url(spec_, what);
  if (!url) co_return std::unexpected(url.error());
  stored_object made{*std::move(url), what.file.size_bytes, what.file.sha256};
  if (what.may_be_there) {
    const auto found = co_await look(&server_, made.url, what.file);
    if (!found) co_return std::unexpected(found.error());
    made.unchanged = *found == standing::same;
    if (!made.unchanged && what.pay) co_await what.pay();
  }
  if (!made.unchanged) {
    // Parts are read where the file lies.
    const bool is_large =
        what.file.size_bytes > spec_.multipart_bytes && spool::has_path(what.file);
    const auto put =
        is_large ? co_await put_in_parts(made.url, what) : co_await put_whole(made.url, what);
    if (!put) co_return std::unexpected(put.error());
    if (*put) co_return made;
    // Ours, of a step whose answer was lost, or of an import before; or somebody else's.
    if (what.pay) co_await what.pay();
    const auto found = co_await look(&server_, made.url, what.file);
    if (!found) co_return std::unexpected(found.error());
    if (*found != standing::same) co_return std::unexpected(kept_as_it_is(made.url));
    made.unchanged = true;
  }
  co_return made;
}

// Looks first: most days without rows never had any, and whoever may look needs no leave to remove.
task<std::expected<void, sink_error>> s3_sink::remove(client of, day on, object_role role) {
  if (has_names_of_versions(spec_)) co_return {};
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
