// SPDX-License-Identifier: Apache-2.0
#include "recording/replayer.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "net/origin.hpp"
#include "recording/recorder.hpp"

namespace wherry::app {
namespace {

net_error unknown(std::string why) {
  return {.kind = net_error_kind::local_io, .message = std::move(why), .transient = false};
}

}  // namespace

std::string replayer::why_none(const question& asked) const {
  const auto what = fmt::format("{} {}", asked.method, asked.url);
  constexpr std::string_view remedy =
      "ask for what was recorded, or record again: wherry preview … --record DIR";
  if (from_.exchanges.empty()) {
    return fmt::format("the recording {} holds no answer at all; {}", from_.directory.string(),
                       remedy);
  }
  const auto nearest = std::ranges::max_element(
      from_.exchanges, {}, [&](const auto& each) { return likeness(asked, each.said.asked); });
  if (are_same(asked, nearest->said.asked)) {
    const auto times = std::ranges::count_if(
        from_.exchanges, [&](const auto& each) { return are_same(asked, each.said.asked); });
    return fmt::format("{} is asked once more than the {} times that {} has an answer; {}", what,
                       times, from_.directory.string(), remedy);
  }
  return fmt::format("the recording {} has no answer to {}; nearest is {}, which differs in {}; {}",
                     from_.directory.string(), what, nearest->file,
                     difference(asked, nearest->said.asked), remedy);
}

std::expected<exchange, std::string> replayer::answer_to(const question& asked) {
  const std::lock_guard lock(mutex_);
  for (std::size_t i = 0; i < from_.exchanges.size(); ++i) {
    if (is_told_[i] || !are_same(asked, from_.exchanges[i].said.asked)) continue;
    is_told_[i] = true;
    return from_.exchanges[i].said;
  }
  return std::unexpected(why_none(asked));
}

task<std::expected<http_response, net_error>> replayer::fetch(http_request request) {
  auto said = answer_to(question_of(request, secrets_));
  if (!said) co_return std::unexpected(unknown(std::move(said.error())));
  http_response answer;
  answer.status = said->status;
  answer.headers = std::move(said->headers);
  answer.body_size_bytes = said->body.size();
  answer.ended_by_close = said->ended_by_close;
  if (const auto where = find_header(answer.headers, "Location");
      answer.status >= 300 && answer.status < 400 && !where.empty()) {
    answer.redirect_url = resolve_url(request.url, std::string(where));
  }
  if (request.into == nullptr) {
    answer.body = std::move(said->body);
  } else if (!said->body.empty() &&
             request.into->write(answer.status, said->body) == body_writer::verdict::failed) {
    co_return std::unexpected(unknown("the body of an answer could not be kept"));
  }
  co_return answer;
}

}  // namespace wherry::app
