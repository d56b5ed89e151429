// SPDX-License-Identifier: Apache-2.0
#include "warehouse/bucket.hpp"

#include <fmt/format.h>

#include <memory>
#include <optional>
#include <utility>

#include "net/origin.hpp"
#include "sink/s3_address.hpp"
#include "sink/s3_errors.hpp"
#include "spool/sha256.hpp"
#include "wherry/csp/scheduler.hpp"

namespace wherry::app {
namespace {

// A body on its way into the spool; the answer's that is no object is kept for its <Code>.
class into_spool final : public body_writer {
 public:
  explicit into_spool(spool_writer& to) : to_(to) {}
  verdict write(int status, std::string_view bytes) override {
    if (status != 200) {
      refusal.append(bytes.substr(0, 4'096 - std::min<std::size_t>(4'096, refusal.size())));
      return verdict::more;
    }
    auto written = to_.write(bytes);
    if (written) return verdict::more;
    wrong = std::move(written.error());
    return verdict::failed;
  }
  std::optional<spool_error> wrong;
  std::string refusal;

 private:
  spool_writer& to_;
};

load_error from_spool(const spool_error& wrong) {
  return {wrong.kind == spool_error_kind::too_large ? load_error_kind::permanent
                                                    : load_error_kind::transient,
          wrong.message};
}

load_error from_sink(const sink_error& wrong) {
  switch (wrong.kind) {
    case sink_error_kind::throttled: return {load_error_kind::unreachable, wrong.message};
    case sink_error_kind::permanent:
      return {load_error_kind::stopped,
              wrong.message + "; loads also need s3:GetObject and s3:DeleteObject"};
    case sink_error_kind::damaged:
    case sink_error_kind::transient: break;
  }
  return {load_error_kind::transient, wrong.message};
}

}  // namespace

bucket::bucket(const sink& spec, http_client& client, spool& into)
    : spec_(spec),
      client_(client),
      spool_(into),
      signer_({spec.access_key, spec.secret_key, spec.session_token, spec.region}) {}

http_request bucket::request(const std::string& method, const std::string& url,
                             std::string body) const {
  const auto address = address_of(spec_, parse_s3_url(url));
  http_request made;
  made.method = method;
  made.url = address.url();
  made.timeout = spec_.timeout;
  made.headers = signer_.sign({.method = method,
                               .path = address.path,
                               .query = {},
                               .headers = {{"Host", address.host}},
                               .body_sha256 = to_hex(sha256_of(body))},
                              scheduler::current().system_now());
  if (method == "PUT") made.body = std::make_shared<const std::string>(std::move(body));
  return made;
}

load_error bucket::explain(const http_response& answer, const std::string& url) const {
  return from_sink(explain_refusal({.status = answer.status,
                                    .headers = answer.headers,
                                    .body = answer.body,
                                    .object = url,
                                    .bucket = parse_s3_url(url).bucket,
                                    .place = place_of(address_of(spec_, parse_s3_url(url)).url()),
                                    .region = spec_.region},
                                   scheduler::current().system_now()));
}

load_error bucket::explain(const net_error& wrong, const std::string& url) const {
  return {wrong.transient ? load_error_kind::transient : load_error_kind::stopped,
          fmt::format("{}: {} (`sink.endpoint`, `sink.path_style`, `sink.timeout`)", url,
                      wrong.message)};
}

task<std::expected<void, load_error>> bucket::put(std::string url, std::string bytes) {
  const auto answer = co_await client_.fetch(request("PUT", url, std::move(bytes)));
  if (!answer) co_return std::unexpected(explain(answer.error(), url));
  if (answer->status < 200 || answer->status > 299)
    co_return std::unexpected(explain(*answer, url));
  co_return {};
}

task<std::expected<void, load_error>> bucket::remove(std::string url) {
  const auto answer = co_await client_.fetch(request("DELETE", url, {}));
  if (!answer) co_return std::unexpected(explain(answer.error(), url));
  const bool is_gone = (answer->status >= 200 && answer->status <= 299) || answer->status == 404;
  if (!is_gone) co_return std::unexpected(explain(*answer, url));
  co_return {};
}

task<std::expected<spool_file, load_error>> bucket::fetch(std::string url, spool_key as) {
  auto file = spool_.write(as);
  if (const auto& full = file.refusal()) co_return std::unexpected(from_spool(*full));
  into_spool writer{file};
  auto asked = request("GET", url, {});
  asked.into = &writer;
  asked.max_size_bytes = spool_.budget_bytes();
  auto answer = co_await client_.fetch(std::move(asked));
  if (writer.wrong) co_return std::unexpected(from_spool(*writer.wrong));
  if (!answer) co_return std::unexpected(explain(answer.error(), url));
  if (answer->status == 404) {
    co_return std::unexpected(
        load_error{load_error_kind::vanished,
                   url + " is gone: somebody removed it; the report is made again"});
  }
  if (answer->status != 200) {
    answer->body = std::move(writer.refusal);
    co_return std::unexpected(explain(*answer, url));
  }
  auto made = file.finish();
  if (!made) co_return std::unexpected(from_spool(made.error()));
  co_return *std::move(made);
}

}  // namespace wherry::app
