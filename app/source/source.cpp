// SPDX-License-Identifier: Apache-2.0
#include "source/source.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "net/origin.hpp"
#include "source/answer.hpp"
#include "source/credentials.hpp"
#include "source/request.hpp"
#include "source/source_words.hpp"
#include "spec/template.hpp"
#include "wherry/csp/scheduler.hpp"

namespace wherry::app {
namespace {

using meaning = answer_rule::meaning;
constexpr int redirects_limit = 5;

// Rules can make any status rows.
bool may_be_rows(const source& spec, int status) {
  return means_rows(status) || std::ranges::any_of(spec.on, [&](const answer_rule& rule) {
           return rule.is == meaning::rows && (!rule.status || *rule.status == status);
         });
}

// Parts an answer's body: to the spool if it may be rows, and its beginning to the rules.
class body_splitter final : public body_writer {
 public:
  body_splitter(const source& spec, spool_writer& rows)
      : spec_(spec), rows_(rows), keep_prefix_(looks_at_bodies(spec.on)) {}

  verdict write(int status, std::string_view bytes) override {
    const auto room = body_prefix_limit - prefix.size();
    if (keep_prefix_) prefix.append(bytes.substr(0, room));
    is_whole = is_whole && bytes.size() <= room;
    if (!may_be_rows(spec_, status)) {
      return keep_prefix_ && is_whole ? verdict::more : verdict::enough;
    }
    last = bytes.back();
    if (auto written = rows_.write(bytes); !written) {
      wrong = std::move(written.error());
      return verdict::failed;
    }
    return verdict::more;
  }

  // For the body of another answer. False: this one may have been rows.
  bool begin_again() {
    prefix.clear();
    is_whole = true;
    return rows_.size_bytes() == 0;
  }

  std::string prefix;
  bool is_whole = true;
  char last = '\n';  // of what may be rows
  std::optional<spool_error> wrong;

 private:
  const source& spec_;
  spool_writer& rows_;
  const bool keep_prefix_;
};

source_error from_spool(const spool_error& wrong) {
  using is = source_error::meaning;
  switch (wrong.kind) {
    case spool_error_kind::full: return {is::throttled, spool_full_wait, wrong.message};
    case spool_error_kind::too_large: return {is::permanent, std::nullopt, wrong.message};
    case spool_error_kind::no_space: return {is::transient, no_space_wait, wrong.message};
    default: return {is::transient, std::nullopt, wrong.message};
  }
}

source_error cut(const std::string& place) {
  return {
      source_error::meaning::transient, std::nullopt,
      fmt::format("the answer of {} ends in the middle of a line, and it came without a length: "
                  "it may have been cut; let the API send Content-Length or chunks, or end the "
                  "last line",
                  place)};
}

source_error expired(const std::string& place, int status) {
  return {source_error::meaning::transient, std::nullopt,
          fmt::format("{} answered {} at the address of the report that the API gave: it may have "
                      "expired, and is asked for anew",
                      place, status)};
}

std::expected<download, source_error> take_rows(const http_response& answered,
                                                const std::string& place, spool_writer& into) {
  if (into.size_bytes() == 0) {
    // A report without rows still has its header line; 204 says that there is nothing.
    return std::unexpected(source_error{
        source_error::meaning::transient, std::nullopt,
        fmt::format(
            "{} answered {} with an empty body; an API without rows for a day must send the header "
            "line or 204",
            place, answered.status)});
  }
  auto file = into.finish();
  if (!file) return std::unexpected(from_spool(file.error()));
  return download{std::move(*file), answered.first_byte_after, answered.total};
}

}  // namespace

http_source::http_source(const source& spec, http_client& client, time_source now)
    : spec_(spec),
      client_(client),
      credentials_(std::make_unique<credentials>(spec, client, std::move(now))) {}

http_source::~http_source() = default;

task<std::expected<http_response, source_error>> http_source::send_as_nobody(
    http_request question) {
  auto answered = co_await client_.fetch(std::move(question));
  if (!answered) co_return std::unexpected(explain_failure(spec_, answered.error()));
  co_return std::move(*answered);
}

task<std::expected<download, source_error>> http_source::fetch(client of, day on,
                                                               spool_writer& into) {
  auto expanded = expand_url(spec_.url, of, on);
  if (!expanded) co_return std::unexpected(from_template(expanded.error(), "source.url"));
  co_return co_await fetch(remote_place{std::move(*expanded), true}, into);
}

task<std::expected<download, source_error>> http_source::fetch(remote_place from,
                                                               spool_writer& into) {
  std::string url = std::move(from.url);
  const auto home = from.with_credentials ? parse_origin(url) : std::nullopt;
  for (int redirects = 0;; ++redirects) {
    const auto here = parse_origin(url);
    const auto place = here ? to_string(*here) : place_of(url);
    body_splitter splitter{spec_, into};
    const bool at_home = home && here == home;
    auto request = request_to(spec_, url, at_home);
    request.into = &splitter;
    std::function<bool()> begin_again = [&splitter] { return splitter.begin_again(); };
    auto sent = at_home ? credentials_->send(std::move(request), std::move(begin_again))
                        : send_as_nobody(std::move(request));
    auto answered = co_await std::move(sent);
    if (splitter.wrong) co_return std::unexpected(from_spool(*splitter.wrong));
    if (!answered) co_return std::unexpected(std::move(answered.error()));
    const auto meant = classify(spec_.on,
                                {.status = answered->status,
                                 .headers = answered->headers,
                                 .body_prefix = splitter.prefix,
                                 .body_is_whole = splitter.is_whole && !answered->body_fault},
                                scheduler::current().system_now());
    const bool moved = !meant.rule && !answered->redirect_url.empty() && into.size_bytes() == 0;
    if (moved && redirects < redirects_limit) {
      const auto next = parse_origin(answered->redirect_url);
      const bool downgrade = here && next && here->scheme == "https" && next->scheme == "http";
      if (next && !downgrade) {
        url = std::move(answered->redirect_url);
        continue;
      }
    }
    if (meant.is == meaning::rows) {
      if (answered->body_fault)
        co_return std::unexpected(explain_failure(spec_, *answered->body_fault));
      if (answered->ended_by_close && splitter.last != '\n') co_return std::unexpected(cut(place));
      co_return take_rows(*answered, place, into);
    }
    const bool has_expired =
        !from.with_credentials && !meant.rule &&
        (answered->status == 403 || answered->status == 404 || answered->status == 410);
    if (has_expired) co_return std::unexpected(expired(place, answered->status));
    co_return std::unexpected(from_answer(spec_, place, answered->status, meant));
  }
}

}  // namespace wherry::app
