// SPDX-License-Identifier: Apache-2.0
#include "source/probe.hpp"

#include <fmt/format.h>

#include "net/origin.hpp"
#include "source/answer.hpp"
#include "source/credentials.hpp"
#include "source/pages.hpp"
#include "source/request.hpp"
#include "source/source_words.hpp"
#include "spec/template.hpp"
#include "wherry/csp/scheduler.hpp"

namespace wherry::app {
namespace {

using meaning = answer_rule::meaning;

/// Keeps the first bytes of a body, and ends the transfer there.
class first_bytes final : public body_writer {
 public:
  verdict write(int, std::string_view bytes) override {
    prefix.append(bytes.substr(0, body_prefix_limit - prefix.size()));
    is_whole = prefix.size() < body_prefix_limit;
    return is_whole ? verdict::more : verdict::enough;
  }
  bool begin_again() {
    prefix.clear();
    is_whole = true;
    return true;
  }

  std::string prefix;
  bool is_whole = true;
};

struct heard {
  std::string place;
  int status = 0;
  answer_meaning meant;
  bool is_empty = false;  ///< no byte of a body came
};

/// One call, and where it is sent on to.
task<std::expected<heard, source_error>> ask(const source& spec, http_client& client,
                                             remote_place from) {
  credentials by(spec, client, {});
  const auto home = parse_origin(from.url);
  for (int redirects = 0;; ++redirects) {
    const auto here = parse_origin(from.url);
    const auto place = here ? to_string(*here) : place_of(from.url);
    first_bytes body;
    const bool at_home = here && here == home;
    auto request =
        request_to(spec, {from.url, at_home, at_home ? from.headers : http_headers{}, from.body});
    request.into = &body;
    std::expected<http_response, source_error> answered;
    if (at_home) {
      std::function<bool()> begin_again = [&body] { return body.begin_again(); };
      answered = co_await by.send(std::move(request), std::move(begin_again));
    } else {
      auto sent = co_await client.fetch(std::move(request));
      answered = sent ? std::expected<http_response, source_error>(*std::move(sent))
                      : std::unexpected(explain_failure(spec, sent.error()));
    }
    if (!answered) co_return std::unexpected(std::move(answered.error()));
    const auto meant = classify(spec.on,
                                {.status = answered->status,
                                 .headers = answered->headers,
                                 .body_prefix = body.prefix,
                                 .body_is_whole = body.is_whole && !answered->body_fault},
                                scheduler::current().system_now());
    const bool moves = !meant.rule && sends_on(here, *answered, !from.body.empty());
    if (!moves || redirects == redirects_limit) {
      co_return heard{place, answered->status, meant, body.prefix.empty()};
    }
    from.url = std::move(answered->redirect_url);
    if (!keeps_body(answered->status)) from.body.clear();
  }
}

bool refuses_credentials(const heard& what) {
  return what.meant.is == meaning::credentials || (!what.meant.rule && what.status == 403);
}

/// What stands in the address of a whole report, of its first page, or of no report.
template_values values_of(const source& spec) {
  template_values values{{"report", std::string(no_report)}, {"part", ""}};
  if (spec.pages) values.merge(page_values(*spec.pages, ""));
  return values;
}

/// Whether an answer to a question about no report shows that the API is there and knows us.
bool shows_that_it_knows_us(const heard& what) {
  if (refuses_credentials(what) || what.meant.is == meaning::throttled) return false;
  return what.status < 500 && (what.status < 300 || what.status >= 400);
}

}  // namespace

task<std::expected<std::string, std::string>> probe_source(const source& spec, http_client& client,
                                                           app::client of, day on) {
  const bool is_made = spec.request.has_value();
  const auto how = is_made ? request_template{spec.poll->url, "source.poll.url", spec.poll->body,
                                              "source.poll.body"}
                           : request_template{spec.url, "source.url", spec.body, "source.body"};
  auto there = place_for(spec, how, of, on, values_of(spec));
  if (!there) co_return std::unexpected(std::move(there.error().message));
  const auto tried = is_made ? std::string("asked for a report that does not exist")
                             : fmt::format("asked for {}/{}", of.id, to_string(on));
  const auto answered = co_await ask(spec, client, *std::move(there));
  if (!answered) co_return std::unexpected(fmt::format("{}: {}", tried, answered.error().message));
  const auto& what = *answered;
  if (is_made && shows_that_it_knows_us(what)) {
    co_return fmt::format("{}: {} answered {}, and takes the credentials", tried, what.place,
                          what.status);
  }
  if (what.meant.is == meaning::rows && !what.is_empty) {
    co_return fmt::format("{}: {} answered {}", tried, what.place, what.status);
  }
  if (what.meant.is == meaning::rows) {
    co_return std::unexpected(
        fmt::format("{}: {} answered {} with an empty body; an API without rows for a day must "
                    "send the header line or 204",
                    tried, what.place, what.status));
  }
  auto says =
      fmt::format("{}: {}", tried, explain_answer(spec, what.place, what.status, what.meant));
  // It came to the report itself: an import waits for it, or asks for parts of it.
  const bool is_well = what.meant.is == meaning::empty || what.meant.is == meaning::pending ||
                       what.meant.is == meaning::split;
  if (is_well) co_return says;
  co_return std::unexpected(std::move(says));
}

}  // namespace wherry::app
