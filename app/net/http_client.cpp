// SPDX-License-Identifier: Apache-2.0
#include "net/http_client.hpp"

#include "net/transfer_loop.hpp"
#include "wherry/csp/scope.hpp"

namespace wherry::app {

bool sends_on(const std::optional<origin>& here, const http_response& answer) {
  const auto next = parse_origin(answer.redirect_url);
  return here && next && !(here->scheme == "https" && next->scheme == "http");
}

struct http_client::implementation {
  transfer_loop loop;
};

http_client::http_client(http_client_options options)
    : self_(new implementation{.loop = transfer_loop{std::move(options)}}) {}

http_client::~http_client() = default;

task<std::expected<http_response, net_error>> http_client::fetch(http_request request) {
  const auto ours = std::make_shared<transfer>(std::move(request));
  self_->loop.start(ours);
  std::optional<transfer::answer> answer;
  bool was_cancelled = false;
  try {
    answer = co_await ours->done.take();
  } catch (const cancelled&) {
    was_cancelled = true;  // a handler cannot wait, so the clean-up is below
  }
  if (was_cancelled) {
    // The request may point into the frame that unwinds: wait until the thread has let go of it.
    const auto guard = co_await shield();
    self_->loop.abort(ours);
    co_await ours->done.take();
    throw cancelled{};
  }
  co_return std::move(*answer);
}

}  // namespace wherry::app
