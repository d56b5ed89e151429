// SPDX-License-Identifier: Apache-2.0
#include "source/source.hpp"

#include <fmt/format.h>

#include <algorithm>

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
using meaning_of_error = source_error::meaning;

// Rules can make any status rows.
bool may_be_rows(const source& spec, int status) {
  return means_rows(status) || std::ranges::any_of(spec.on, [&](const answer_rule& rule) {
           return rule.is == meaning::rows && (!rule.status || *rule.status == status);
         });
}

// Parts an answer's body: to the spool if it may be rows, and its beginning to the rules.
class body_splitter final : public body_writer {
 public:
  /// Keeps up to so many bytes of the beginning.
  body_splitter(const source& spec, spool_writer& rows, std::size_t kept_bytes)
      : spec_(spec), rows_(rows), kept_bytes_(kept_bytes) {}

  verdict write(int status, std::string_view bytes) override {
    const auto room = kept_bytes_ - prefix.size();
    prefix.append(bytes.substr(0, room));
    is_whole = is_whole && bytes.size() <= room;
    if (!may_be_rows(spec_, status)) return is_whole ? verdict::more : verdict::enough;
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
  const std::size_t kept_bytes_;
};

source_error from_spool(const spool_error& wrong) {
  using is = source_error::meaning;
  switch (wrong.kind) {
    case spool_error_kind::full: return {is::spool_full, spool_full_wait, wrong.message};
    case spool_error_kind::too_large: return {is::permanent, std::nullopt, wrong.message};
    case spool_error_kind::no_space: return {is::transient, no_space_wait, wrong.message};
    default: return {is::transient, std::nullopt, wrong.message};
  }
}

/// Where the first page of a report lies, as a template.
std::string_view place_of_the_first(const source& spec) {
  return spec.poll && spec.url.empty() ? spec.poll->download : spec.url;
}

source_error cut(const std::string& place) {
  return {
      source_error::meaning::transient, std::nullopt,
      fmt::format("the answer of {} ends in the middle of a line, and it came without a length: "
                  "it may have been cut; let the API send Content-Length or chunks, or end the "
                  "last line",
                  place)};
}

source_error expired(const std::string& place, int status, bool is_later_page) {
  return {
      source_error::meaning::expired, std::nullopt,
      fmt::format("{} answered {} at {}: it may have expired, and is asked for anew", place, status,
                  is_later_page ? "a later page of the report"
                                : "the address of the report that the API gave")};
}

source_error empty_body(const std::string& place, int status, bool ends_there) {
  if (ends_there) {
    return {source_error::meaning::empty, std::nullopt,
            fmt::format("{} answered {} with an empty body: no further rows", place, status)};
  }
  // A report without rows still has its header line; 204 says that there is nothing.
  return {source_error::meaning::transient, std::nullopt,
          fmt::format("{} answered {} with an empty body; an API without rows for a day must send "
                      "the header line or 204",
                      place, status)};
}

std::expected<download, source_error> take_rows(const http_response& answered, spool_writer& into) {
  auto file = into.finish();
  if (!file) return std::unexpected(from_spool(file.error()));
  return download{std::move(*file), answered.first_byte_after, answered.total};
}

}  // namespace

http_source::http_source(const source& spec, http_fetcher& client, time_source now)
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
  auto place = place_of_page(of, on, {});
  if (!place) co_return std::unexpected(std::move(place.error()));
  co_return co_await fetch(*std::move(place), into);
}

task<std::expected<download, source_error>> http_source::fetch(remote_place from,
                                                               spool_writer& into) {
  auto got = co_await fetch_rows(std::move(from), into,
                                 {.kept_bytes = looks_at_bodies(spec_.on) ? body_prefix_limit : 0});
  if (!got) co_return std::unexpected(std::move(got.error()));
  co_return std::move(got->got);
}

std::expected<remote_place, source_error> http_source::place_of_page(
    const client& of, day on, const asked_page& which) const {
  const bool is_first = which.next.empty();
  const auto home = place_of_the_first(spec_);
  template_values values{{"part", which.part}, {"report", which.report}};
  if (spec_.pages) values.merge(page_values(*spec_.pages, which.next));
  const bool has_own = !is_first && spec_.pages && !spec_.pages->url.empty();
  const request_template how{.url = has_own ? std::string_view(spec_.pages->url) : home,
                             .url_key = has_own ? "source.pages.url" : "source.url",
                             .body = spec_.body,
                             .body_key = "source.body"};
  auto place = place_for(spec_, how, of, on, values);
  if (!place || is_first || spec_.pages->by != report_pages::way::link) return place;
  auto link = resolve_url(place->url, which.next);
  const auto there = parse_origin(link);
  if (!there) {
    return std::unexpected(
        source_error{meaning_of_error::permanent, std::nullopt,
                     "the address of the next page is none; check `source.pages.next`"});
  }
  if (there != parse_origin(place->url)) return remote_place{std::move(link)};
  place->url = std::move(link);
  return place;
}

task<std::expected<page, source_error>> http_source::fetch_page(client of, day on, asked_page which,
                                                                std::optional<remote_place> from,
                                                                spool_writer& into) {
  if (!from) {
    auto place = place_of_page(of, on, which);
    if (!place) co_return std::unexpected(std::move(place.error()));
    from = std::move(*place);
  }
  const auto place = place_of(from->url);
  const bool is_paged = spec_.pages.has_value();
  const bool is_later_page = !which.next.empty();
  auto got = co_await fetch_rows(
      *std::move(from), into,
      {.kept_bytes = is_paged                    ? page_size_limit
                     : looks_at_bodies(spec_.on) ? body_prefix_limit
                                                 : 0,
       .is_later_page = is_later_page,
       .ends_when_empty = is_later_page && (spec_.pages->by == report_pages::way::offset ||
                                            spec_.pages->by == report_pages::way::page)});
  if (!got) co_return std::unexpected(std::move(got.error()));
  page made{.file = std::move(got->got.file)};
  if (!is_paged) co_return made;
  const auto wrong = [&](std::string_view what) {
    return std::unexpected(
        source_error{meaning_of_error::permanent, std::nullopt,
                     fmt::format("a page of {} {}; check [source.pages]", place, what)});
  };
  if (!got->is_whole) co_return wrong("is over 64 MiB, too large to look for the next one in it");
  if (is_packed(got->beginning)) {
    co_return wrong(
        "is packed, or UTF-16, and pages are put together as plain text; let the API send them "
        "plain, as UTF-8, or by Content-Encoding");
  }
  auto next = next_page(*spec_.pages, spec_.format,
                        {.headers = got->headers, .body = got->beginning}, which.next);
  if (!next) co_return wrong(next.error());
  if (spec_.pages->by == report_pages::way::link) next = without_secrets(*next, spec_);
  if (!next->empty() && *next == which.next) co_return wrong("says that it is followed by itself");
  made.next = *std::move(next);
  co_return made;
}

task<std::expected<http_source::fetched, source_error>> http_source::fetch_rows(remote_place from,
                                                                                spool_writer& into,
                                                                                looking how) {
  const auto home = from.with_credentials ? parse_origin(from.url) : std::nullopt;
  for (int redirects = 0;; ++redirects) {
    const auto here = parse_origin(from.url);
    const auto place = here ? to_string(*here) : place_of(from.url);
    body_splitter splitter{spec_, into, how.kept_bytes};
    const bool at_home = home && here == home;
    auto request =
        request_to(spec_, {from.url, at_home, at_home ? from.headers : http_headers{}, from.body});
    request.into = &splitter;
    std::function<bool()> begin_again = [&splitter] { return splitter.begin_again(); };
    auto sent = at_home ? credentials_->send(std::move(request), std::move(begin_again))
                        : send_as_nobody(std::move(request));
    auto answered = co_await std::move(sent);
    if (splitter.wrong) co_return std::unexpected(from_spool(*splitter.wrong));
    if (!answered) co_return std::unexpected(std::move(answered.error()));
    const auto rule_part = std::string_view(splitter.prefix).substr(0, body_prefix_limit);
    const auto meant = classify(spec_.on,
                                {.status = answered->status,
                                 .headers = answered->headers,
                                 .body_prefix = rule_part,
                                 .body_is_whole = splitter.is_whole && !answered->body_fault &&
                                                  rule_part.size() == splitter.prefix.size()},
                                scheduler::current().system_now());
    const bool moved =
        !meant.rule && into.size_bytes() == 0 && sends_on(here, *answered, !from.body.empty());
    if (moved && redirects < redirects_limit) {
      from.url = std::move(answered->redirect_url);
      if (!keeps_body(answered->status)) from.body.clear();
      continue;
    }
    if (meant.is == meaning::rows) {
      if (answered->body_fault)
        co_return std::unexpected(explain_failure(spec_, *answered->body_fault));
      if (answered->ended_by_close && splitter.last != '\n') co_return std::unexpected(cut(place));
      if (into.size_bytes() == 0) {
        co_return std::unexpected(empty_body(place, answered->status, how.ends_when_empty));
      }
      auto got = take_rows(*answered, into);
      if (!got) co_return std::unexpected(std::move(got.error()));
      co_return fetched{std::move(*got), std::move(answered->headers), std::move(splitter.prefix),
                        splitter.is_whole};
    }
    const bool is_gone = answered->status == 404 || answered->status == 410 ||
                         (answered->status == 403 && !from.with_credentials);
    const bool is_no_page = how.is_later_page && meant.is == meaning::permanent;
    if (!meant.rule && ((from.may_expire && is_gone) || is_no_page)) {
      co_return std::unexpected(expired(place, answered->status, how.is_later_page));
    }
    co_return std::unexpected(from_answer(spec_, place, answered->status, meant));
  }
}

}  // namespace wherry::app
