// SPDX-License-Identifier: Apache-2.0
#include "sink/probe.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <stdlib.h>
#include <unistd.h>

#include <cerrno>
#include <filesystem>
#include <system_error>

#include "aws/xml.hpp"
#include "sink/encryption.hpp"
#include "sink/s3_server.hpp"
#include "spec/template.hpp"
#include "wherry/csp/go.hpp"
#include "wherry/csp/scope.hpp"

namespace wherry::app {
namespace fs = std::filesystem;

namespace {

using said = std::expected<std::string, std::string>;
constexpr std::string_view file_scheme = "file://";
constexpr std::string_view probe_suffix = ".wherry-probe";

/// The deepest directory of the way to `target` that is there.
fs::path deepest(fs::path target) {
  std::error_code ignored;  // what cannot be looked at is not there for us
  do {
    target = target.parent_path();
  } while (target.has_relative_path() && !fs::exists(target, ignored));
  return target;
}

said probe_directory(const fs::path& target) {
  const auto where = deepest(target);
  const auto cannot = [&](int why) {
    return std::unexpected(
        fmt::format("cannot write in {}: {}; let this user write there, or correct `sink.url`",
                    where.string(), std::error_code(why, std::generic_category()).message()));
  };
  auto name = (where / ".wherry-probe-XXXXXX").string();
  const int file = ::mkostemp(name.data(), O_CLOEXEC);
  if (file < 0) return cannot(errno);
  const bool is_written = ::write(file, "x", 1) == 1 && ::fsync(file) == 0;
  const int why = errno;
  ::close(file);
  if (::unlink(name.c_str()) != 0) return cannot(errno);
  if (!is_written) return cannot(why);
  return fmt::format("wrote and removed a file in {}", where.string());
}

task<said> probe_file(std::string url) {
  const fs::path target{url.substr(file_scheme.size())};
  const auto outcome = co_await thread([target] { return probe_directory(target); }).take();
  if (!outcome->has_value()) outcome->error().rethrow();
  co_return outcome->value();
}

task<said> probe_s3(const sink& spec, http_client& client, aws_credentials& keys, std::string url) {
  s3_server server(spec, client, keys);
  const auto beside = url + std::string(probe_suffix);
  http_headers headers;
  add_encryption(headers, spec);
  const auto begun = co_await server.ask(
      {.method = "POST", .url = beside, .query = {{"uploads", ""}}, .headers = std::move(headers)});
  if (!begun) co_return std::unexpected(begun.error().message);
  if (!is_success(*begun)) co_return std::unexpected(server.refusal(*begun, url).message);
  const std::string id{xml_text(begun->body, "UploadId")};
  if (id.empty()) {
    co_return std::unexpected(fmt::format(
        "{} began an upload and did not name it; check that `sink.endpoint` is an S3 server", url));
  }
  // What has begun is ended also if somebody stops us now.
  const auto guard = co_await shield();
  const auto ended =
      co_await server.ask({.method = "DELETE", .url = beside, .query = {{"uploadId", id}}});
  if (const auto plain = not_encrypted(spec, *begun, url)) {
    co_return std::unexpected(plain->message);
  }
  if (ended && is_success(*ended)) {
    co_return fmt::format("began an upload beside {} and aborted it", url);
  }
  co_return fmt::format(
      "began an upload beside {}; it has no parts and costs nothing, but could not be aborted: {}",
      url, ended ? server.refusal(*ended, url).message : ended.error().message);
}

}  // namespace

task<said> probe_sink(const sink& spec, http_client& client, aws_credentials& keys, app::client of,
                      day on) {
  auto url = expand_url(spec.url, of, on, no_object_yet);
  if (!url) {
    co_return std::unexpected(
        fmt::format("`sink.url`: {}; {}", url.error().message, url.error().remedy));
  }
  if (url->starts_with(file_scheme)) co_return co_await probe_file(*std::move(url));
  co_return co_await probe_s3(spec, client, keys, *std::move(url));
}

}  // namespace wherry::app
