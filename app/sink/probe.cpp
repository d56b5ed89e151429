// SPDX-License-Identifier: Apache-2.0
#include "sink/probe.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <stdlib.h>
#include <unistd.h>

#include <cerrno>
#include <filesystem>
#include <system_error>

#include "net/origin.hpp"
#include "sign/sigv4.hpp"
#include "sink/s3_address.hpp"
#include "sink/s3_errors.hpp"
#include "spec/spelling.hpp"
#include "spec/template.hpp"
#include "wherry/csp/go.hpp"
#include "wherry/csp/scheduler.hpp"
#include "wherry/csp/scope.hpp"

namespace wherry::app {
namespace fs = std::filesystem;

namespace {

using said = std::expected<std::string, std::string>;
constexpr std::string_view file_scheme = "file://";
constexpr std::string_view probe_suffix = ".wherry-probe";
constexpr std::string_view hash_of_nothing =
    "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

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

/// The text of <UploadId> in the answer that begins an upload.
std::string upload_id(std::string_view body) {
  constexpr std::string_view open = "<UploadId>", close = "</UploadId>";
  const auto begin = body.find(open);
  if (begin == body.npos) return {};
  const auto rest = body.substr(begin + open.size());
  return std::string(rest.substr(0, rest.find(close)));
}

class s3_probe {
 public:
  s3_probe(const sink& spec, http_client& client, std::string url)
      : spec_(spec),
        client_(client),
        url_(std::move(url)),
        signer_({spec.access_key, spec.secret_key, spec.session_token, spec.region}) {}

  task<said> run() {
    const auto begun = co_await ask("POST", {{"uploads", ""}});
    if (!begun) co_return std::unexpected(begun.error());
    const auto id = upload_id(begun->body);
    if (id.empty()) {
      co_return std::unexpected(fmt::format(
          "{} began an upload and did not name it; check that `sink.endpoint` is an S3 server",
          url_));
    }
    // What has begun is ended also if somebody stops us now.
    const auto guard = co_await shield();
    const auto ended = co_await ask("DELETE", {{"uploadId", id}});
    if (!ended) {
      co_return fmt::format(
          "began an upload beside {}; it has no parts and costs nothing, but could not be aborted: "
          "{}",
          url_, ended.error());
    }
    co_return fmt::format("began an upload beside {} and aborted it", url_);
  }

 private:
  using query = std::vector<std::pair<std::string, std::string>>;

  task<std::expected<http_response, std::string>> ask(std::string method, query parameters) {
    auto object = parse_s3_url(url_);
    object.key += probe_suffix;
    const auto address = address_of(spec_, object);
    http_request request;
    request.method = method;
    request.url = address.url();
    for (const auto& [name, value] : parameters) {
      request.url += (&name == &parameters.front().first ? "?" : "&") + name;
      if (!value.empty()) request.url += "=" + uri_encode(value, slash::encode);
    }
    request.timeout = spec_.timeout;
    const auto now = scheduler::current().system_now();
    request.headers = signer_.sign({.method = std::move(method),
                                    .path = address.path,
                                    .query = std::move(parameters),
                                    .headers = {{"Host", address.host}},
                                    .body_sha256 = std::string(hash_of_nothing)},
                                   now);
    auto answered = co_await client_.fetch(std::move(request));
    if (!answered) {
      co_return std::unexpected(
          fmt::format("{}: {} (`sink.endpoint`, `sink.path_style`, `sink.timeout`)", url_,
                      answered.error().message));
    }
    if (answered->status < 200 || answered->status > 299) {
      co_return std::unexpected(explain_refusal({.status = answered->status,
                                                 .headers = answered->headers,
                                                 .body = answered->body,
                                                 .object = url_,
                                                 .bucket = object.bucket,
                                                 .place = place_of(address.url()),
                                                 .region = spec_.region},
                                                now)
                                    .message);
    }
    co_return *std::move(answered);
  }

  const sink& spec_;
  http_client& client_;
  const std::string url_;
  const sigv4_signer signer_;
};

}  // namespace

task<said> probe_sink(const sink& spec, http_client& client, app::client of, day on) {
  auto url = expand_url(spec.url, of, on);
  if (!url) {
    co_return std::unexpected(
        fmt::format("`sink.url`: {}; {}", url.error().message, url.error().remedy));
  }
  if (url->starts_with(file_scheme)) co_return co_await probe_file(*std::move(url));
  s3_probe probe(spec, client, *std::move(url));
  co_return co_await probe.run();
}

}  // namespace wherry::app
