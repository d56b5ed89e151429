// SPDX-License-Identifier: Apache-2.0
#include "recording/recorder.hpp"

#include <fmt/format.h>

#include <memory>
#include <string>
#include <variant>

namespace wherry::app {
namespace {

constexpr std::uint64_t most_bytes = 64u << 20;

/// Gives a body on, and keeps a copy.
class body_copy final : public body_writer {
 public:
  explicit body_copy(body_writer& to) : to_(to) {}

  verdict write(int status, std::string_view bytes) override {
    if (kept.size() + bytes.size() > most_bytes) {
      is_too_large = true;
      return verdict::failed;
    }
    kept += bytes;
    return to_.write(status, bytes);
  }

  std::string kept;
  bool is_too_large = false;

 private:
  body_writer& to_;
};

net_error not_recorded(std::string why) {
  return {.kind = net_error_kind::local_io, .message = std::move(why), .transient = false};
}

}  // namespace

question question_of(const http_request& request, const redactor& secrets) {
  const auto* const body = std::get_if<std::shared_ptr<const std::string>>(&request.body);
  return {.method = request.method,
          .url = secrets.text(request.url),
          .headers = secrets.sent(request.headers),
          .body = body != nullptr && *body ? secrets.text(**body) : std::string()};
}

task<std::expected<http_response, net_error>> recorder::fetch(http_request request) {
  exchange said;
  {
    const std::lock_guard lock(mutex_);
    said.asked = question_of(request, secrets_);
    secrets_.learn(request.headers);
  }
  std::optional<body_copy> copy;
  if (request.into != nullptr) request.into = &copy.emplace(*request.into);
  auto answered = co_await by_.fetch(std::move(request));
  if (copy && copy->is_too_large) {
    co_return std::unexpected(not_recorded(
        fmt::format("an answer of over {} MiB is not recorded; choose a day with fewer rows",
                    most_bytes >> 20)));
  }
  if (!answered) co_return answered;
  const std::lock_guard lock(mutex_);
  const auto& body = copy ? copy->kept : answered->body;
  secrets_.learn(body);
  said.status = answered->status;
  said.headers = secrets_.answered(answered->headers);
  said.body = is_plain_text(body) ? secrets_.text(body) : secrets_.bytes(body);
  said.ended_by_close = answered->ended_by_close;
  if (auto kept = into_.add(said); !kept) {
    co_return std::unexpected(not_recorded(std::move(kept.error())));
  }
  co_return answered;
}

}  // namespace wherry::app
