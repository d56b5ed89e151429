// SPDX-License-Identifier: Apache-2.0
#include "warehouse/bucket.hpp"

#include <fmt/format.h>

#include <memory>
#include <optional>
#include <utility>

#include "sink/encryption.hpp"
#include "spool/sha256.hpp"

namespace wherry::app {
namespace {

// A body on its way into the spool.
class into_spool final : public body_writer {
 public:
  explicit into_spool(spool_writer& to) : to_(to) {}
  verdict write(int, std::string_view bytes) override {
    auto written = to_.write(bytes);
    if (written) return verdict::more;
    wrong = std::move(written.error());
    return verdict::failed;
  }
  std::optional<spool_error> wrong;

 private:
  spool_writer& to_;
};

load_error from_spool(const spool_error& wrong) {
  switch (wrong.kind) {
    case spool_error_kind::too_large: return {load_error_kind::permanent, wrong.message};
    case spool_error_kind::full: return {load_error_kind::full, wrong.message};
    default: return {load_error_kind::transient, wrong.message};
  }
}

load_error from_sink(const sink_error& wrong) {
  switch (wrong.kind) {
    case sink_error_kind::throttled: return {load_error_kind::unreachable, wrong.message};
    case sink_error_kind::stopped:
    case sink_error_kind::permanent: return {load_error_kind::stopped, wrong.message};
    case sink_error_kind::damaged:
    case sink_error_kind::transient: break;
  }
  return {load_error_kind::transient, wrong.message};
}

}  // namespace

bucket::bucket(const sink& spec, http_client& client, aws_credentials& keys, spool& into)
    : spec_(spec), server_(spec, client, keys), spool_(into) {}

load_error bucket::refused(const http_response& answer, const std::string& url) const {
  auto why = from_sink(server_.refusal(answer, url));
  if (why.kind == load_error_kind::stopped) {
    why.message +=
        "; loads also need s3:GetObject and s3:DeleteObject, and s3:ListBucket, without which an "
        "object that is gone is refused, too";
  }
  return why;
}

task<std::expected<void, load_error>> bucket::put(std::string url, std::string bytes) {
  auto hash = to_hex(sha256_of(bytes));
  http_headers headers;
  add_encryption(headers, spec_);
  const auto answer =
      co_await server_.ask({.method = "PUT",
                            .url = url,
                            .headers = std::move(headers),
                            .body = std::make_shared<const std::string>(std::move(bytes)),
                            .body_sha256 = std::move(hash)});
  if (!answer) co_return std::unexpected(from_sink(answer.error()));
  if (!is_success(*answer)) co_return std::unexpected(refused(*answer, url));
  co_return {};
}

task<std::expected<void, load_error>> bucket::remove(std::string url) {
  const auto answer = co_await server_.ask({.method = "DELETE", .url = url});
  if (!answer) co_return std::unexpected(from_sink(answer.error()));
  if (!is_success(*answer) && answer->status != not_found) {
    co_return std::unexpected(refused(*answer, url));
  }
  co_return {};
}

task<std::expected<spool_file, load_error>> bucket::fetch(std::string url, spool_key as) {
  auto file = spool_.write(as, spool_form::own_file);  // its reader takes a path
  if (const auto& full = file.refusal()) co_return std::unexpected(from_spool(*full));
  into_spool writer{file};
  const auto answer = co_await server_.ask(
      {.method = "GET", .url = url, .into = &writer, .max_size_bytes = spool_.budget_bytes()});
  if (writer.wrong) co_return std::unexpected(from_spool(*writer.wrong));
  if (!answer) co_return std::unexpected(from_sink(answer.error()));
  if (answer->status == not_found) {
    co_return std::unexpected(
        load_error{load_error_kind::vanished,
                   url + " is gone: somebody removed it; the report is made again"});
  }
  if (answer->status != 200) co_return std::unexpected(refused(*answer, url));
  auto made = file.finish();
  if (!made) co_return std::unexpected(from_spool(made.error()));
  co_return *std::move(made);
}

}  // namespace wherry::app
