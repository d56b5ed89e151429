// SPDX-License-Identifier: Apache-2.0
#include "sink/multipart.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <exception>

#include "aws/xml.hpp"
#include "sink/checksum.hpp"
#include "sink/encryption.hpp"
#include "sink/s3_errors.hpp"
#include "sink/s3_look.hpp"
#include "sink/sink_errors.hpp"
#include "spec/spelling.hpp"
#include "spool/blocking.hpp"
#include "wherry/csp/sleep.hpp"

namespace wherry::app {
namespace {

using namespace std::chrono_literals;
constexpr int attempts = 3;
constexpr std::chrono::milliseconds longest_wait = 5s;  // before a request is made again
constexpr std::chrono::milliseconds shielded_limit = 15s;

// The engine's own backoff waits longer, and with the whole object.
std::chrono::milliseconds backoff(int attempt) { return 250ms * (1 << attempt); }

// A CompleteMultipartUpload that fails late has said 200 already: its body tells.
bool is_done(const http_response& answer) {
  return is_success(answer) && s3_error_code(answer.body).empty();
}

std::optional<std::chrono::milliseconds> wait_for_another(const sink_error& wrong, int attempt) {
  if (wrong.kind == sink_error_kind::permanent || attempt == attempts) return std::nullopt;
  const auto wait = wrong.wait.value_or(backoff(attempt));
  return wait <= longest_wait ? std::optional{wait} : std::nullopt;
}

}  // namespace

task<> multipart_upload::pay() {
  if (what_.pay) co_await what_.pay();
}

// Asks again while what is wrong may pass; the last answer, whatever it says.
task<multipart_upload::answered> multipart_upload::ask(s3_request what) {
  for (int attempt = 1;; ++attempt) {
    co_await pay();
    auto answer = co_await server_.ask(what);
    if (answer && is_done(*answer)) co_return answer;
    const auto wrong = answer ? server_.refusal(*answer, what_.url) : answer.error();
    const auto wait = wait_for_another(wrong, attempt);
    if (!wait) co_return answer;
    co_await sleep_for(*wait);
  }
}

// Not every server heeds If-None-Match when an upload is completed.
task<std::expected<bool, sink_error>> multipart_upload::is_to_stay() {
  const auto seen = co_await look(&server_, what_.url, what_.file);
  if (!seen) co_return std::unexpected(seen.error());
  co_return *seen != standing::none_known;
}

// Shielded: an upload whose name we did not wait for could not be aborted.
task<std::expected<void, sink_error>> multipart_upload::begin() {
  const auto guard = co_await shield();
  auto headers = what_.headers;
  add_encryption(headers, spec_);
  if (spec_.checksum) {
    headers.emplace_back("x-amz-checksum-algorithm", words_of(*spec_.checksum).algorithm);
    headers.emplace_back("x-amz-checksum-type", "COMPOSITE");
  }
  const auto begun = co_await server_.ask({.method = "POST",
                                           .url = what_.url,
                                           .query = {{"uploads", ""}},
                                           .headers = std::move(headers),
                                           .at_most = shielded_limit});
  if (!begun) co_return std::unexpected(begun.error());
  if (!is_done(*begun)) co_return std::unexpected(server_.refusal(*begun, what_.url));
  id_ = xml_text(begun->body, "UploadId");
  if (id_.empty()) {
    co_return std::unexpected(sink_error{
        sink_error_kind::transient,
        fmt::format("{}: an upload was begun, and the answer does not name it; check that "
                    "`sink.endpoint` is an S3 server",
                    what_.url),
        {}});
  }
  if (auto plain = not_encrypted(spec_, *begun, what_.url)) {
    co_return std::unexpected(*std::move(plain));
  }
  co_return {};
}

task<std::expected<void, sink_error>> multipart_upload::send_one(std::size_t index) {
  const auto& part = parts_[index];
  http_headers headers;
  add_checksum(headers, spec_.checksum, part.checksum);
  const auto sent = co_await ask(
      {.method = "PUT",
       .url = what_.url,
       .query = {{"partNumber", std::to_string(index + 1)}, {"uploadId", id_}},
       .headers = std::move(headers),
       .body = file_body{spool_.path_of(what_.file), part.size_bytes, part.begin_bytes},
       .body_sha256 = part.sha256});
  if (!sent) co_return std::unexpected(sent.error());
  if (!is_done(*sent)) co_return std::unexpected(server_.refusal(*sent, what_.url));
  if (auto wrong = other_than_sent(spec_, what_.url, *sent, part.checksum)) {
    co_return std::unexpected(*std::move(wrong));
  }
  etags_[index] = find_header(sent->headers, "etag");
  if (!etags_[index].empty()) co_return {};
  co_return std::unexpected(sink_error{
      sink_error_kind::transient,
      fmt::format("{}: part {} was taken without an ETag; check that `sink.endpoint` is an S3 "
                  "server, and that nothing before it removes headers",
                  what_.url, index + 1),
      {}});
}

task<> multipart_upload::send_some(scope* all) {
  for (auto index = next_++; index < parts_.size(); index = next_++) {
    auto sent = co_await send_one(index);
    if (sent) continue;
    {
      const std::lock_guard lock{mutex_};
      if (!error_) error_ = std::move(sent.error());
    }
    all->cancel();
    co_return;
  }
}

task<std::expected<void, sink_error>> multipart_upload::send_parts() {
  etags_.resize(parts_.size());
  scope all;
  for (std::size_t i = 0; i < std::min<std::size_t>(parts_at_once, parts_.size()); ++i) {
    all.go(send_some(&all));
  }
  co_await all.join();
  if (error_) co_return std::unexpected(*std::move(error_));
  co_return {};
}

std::string multipart_upload::list_of_parts() const {
  std::string xml = R"(<CompleteMultipartUpload xmlns="http://s3.amazonaws.com/doc/2006-03-01/">)";
  for (std::size_t i = 0; i < parts_.size(); ++i) {
    xml += fmt::format("<Part><PartNumber>{}</PartNumber><ETag>{}</ETag>", i + 1,
                       xml_escaped(etags_[i]));
    if (spec_.checksum) {
      const auto element = words_of(*spec_.checksum).element;
      xml += fmt::format("<{0}>{1}</{0}>", element, in_base64(parts_[i].checksum));
    }
    xml += "</Part>";
  }
  return xml + "</CompleteMultipartUpload>";
}

// What the answer to the completion says is wrong.
std::optional<sink_error> multipart_upload::wrong_checksum(std::string_view answer) const {
  if (!spec_.checksum) return std::nullopt;
  std::string all;
  for (const auto& each : parts_) all += each.checksum;
  const auto sent =
      fmt::format("{}-{}", in_base64(checksum_of(*spec_.checksum, all)), parts_.size());
  return other_than_sent(spec_, what_.url, xml_text(answer, words_of(*spec_.checksum).element),
                         sent);
}

task<std::expected<bool, sink_error>> multipart_upload::complete() {
  const auto list = std::make_shared<const std::string>(list_of_parts());
  http_headers headers;
  if (!spec_.overwrite) headers.emplace_back("If-None-Match", "*");
  const auto answer = co_await ask({.method = "POST",
                                    .url = what_.url,
                                    .query = {{"uploadId", id_}},
                                    .headers = std::move(headers),
                                    .body = list,
                                    .body_sha256 = to_hex(sha256_of(*list))});
  if (!answer) co_return std::unexpected(answer.error());
  if (!spec_.overwrite && answer->status == precondition_failed) co_return false;
  if (is_done(*answer) && answer->body.contains("</CompleteMultipartUploadResult>")) {
    if (auto wrong = wrong_checksum(answer->body)) co_return std::unexpected(*std::move(wrong));
    co_return true;
  }
  if (!is_done(*answer) && answer->status != not_found) {
    co_return std::unexpected(server_.refusal(*answer, what_.url));
  }
  // The answer ended early; or an earlier one was lost, and the upload is an object already.
  co_await pay();
  const auto seen = co_await look(&server_, what_.url, what_.file);
  if (!seen) co_return std::unexpected(seen.error());
  if (*seen == standing::same) co_return true;
  if (!is_done(*answer)) co_return std::unexpected(server_.refusal(*answer, what_.url));
  co_return std::unexpected(
      sink_error{sink_error_kind::transient,
                 fmt::format("{}: the upload was completed, and its object is not there; check "
                             "that `sink.endpoint` is an S3 server",
                             what_.url),
                 {}});
}

task<std::expected<bool, sink_error>> multipart_upload::begin_and_complete() {
  if (auto begun = co_await begin(); !begun) co_return std::unexpected(std::move(begun.error()));
  if (auto sent = co_await send_parts(); !sent) co_return std::unexpected(std::move(sent.error()));
  if (!spec_.overwrite) {
    co_await pay();
    auto stays = co_await is_to_stay();
    if (!stays) co_return std::unexpected(std::move(stays.error()));
    if (*stays) co_return false;
  }
  co_return co_await complete();
}

// Until the server does not know it: a part that was under way may have come after the first
// request. Source: AWS, "AbortMultipartUpload". Gives what to add to an error; nothing if all is
// gone.
task<std::string> multipart_upload::abort() {
  const auto guard = co_await shield();
  std::string left;
  bool is_taken = false;
  for (int attempt = 0; attempt < attempts; ++attempt) {
    if (attempt > 0) co_await sleep_for(backoff(attempt));
    const auto answer = co_await server_.ask({.method = "DELETE",
                                              .url = what_.url,
                                              .query = {{"uploadId", id_}},
                                              .at_most = shielded_limit});
    if (answer && answer->status == not_found) co_return {};
    is_taken = is_taken || (answer && is_success(*answer));
    if (is_taken) continue;
    left =
        "; its parts are still there, and cost, until a lifecycle rule removes them "
        "(AbortIncompleteMultipartUpload): " +
        (answer ? server_.refusal(*answer, what_.url) : answer.error()).message;
  }
  co_return is_taken ? std::string{} : left;
}

task<std::expected<bool, sink_error>> multipart_upload::put() {
  auto cut = co_await blocking([this](const std::stop_token& stop) {
    return cut_into_parts(spool_, what_.file, part_size_bytes(what_.file.size_bytes, spec_),
                          spec_.checksum, stop);
  });
  if (!cut) co_return std::unexpected(from_spool(cut.error()));
  parts_ = std::move(*cut);
  if (!spec_.overwrite) {
    auto stays = co_await is_to_stay();
    if (!stays) co_return std::unexpected(std::move(stays.error()));
    if (*stays) co_return false;
    co_await pay();
  }
  std::expected<bool, sink_error> made = false;
  std::exception_ptr unwound;
  try {
    made = co_await begin_and_complete();
  } catch (...) {  // `cancelled`, or a call that has to wait: a handler cannot wait itself
    unwound = std::current_exception();
  }
  if (made && *made) co_return made;
  const auto left = id_.empty() ? std::string{} : co_await abort();
  if (unwound) std::rethrow_exception(unwound);
  if (!made) made.error().message += left;
  co_return made;
}

}  // namespace wherry::app
