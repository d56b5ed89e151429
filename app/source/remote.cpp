// SPDX-License-Identifier: Apache-2.0
// Reports that the API makes on request: ask for one, and ask how it comes along.

#include <fmt/format.h>

#include <algorithm>
#include <boost/json.hpp>

#include "net/origin.hpp"
#include "source/credentials.hpp"
#include "source/json_path.hpp"
#include "source/pages.hpp"
#include "source/request.hpp"
#include "source/source.hpp"
#include "source/source_words.hpp"
#include "spec/template.hpp"
#include "wherry/csp/scheduler.hpp"

namespace wherry::app {
namespace {

using meaning = source_error::meaning;
constexpr std::size_t id_size_limit = 500;
/// Of an answer that is no report.
constexpr std::uint64_t answer_size_limit = 1u << 20;

bool is_of_an_id(char c) {
  return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') ||
         std::string_view("-_.:").contains(c);
}

/// The id within "duplicate of : {report}"; empty: the text does not say it.
std::string id_within(std::string_view text, std::string_view frame) {
  constexpr std::string_view mark = "{report}";
  const auto at = frame.find(mark);
  if (at == frame.npos) return {};
  const auto before = frame.substr(0, at), after = frame.substr(at + mark.size());
  const auto found = text.find(before);
  if (found == text.npos) return {};
  const auto rest = text.substr(found + before.size());
  const auto end =
      after.empty()
          ? static_cast<std::size_t>(std::ranges::find_if_not(rest, is_of_an_id) - rest.begin())
          : rest.find(after);
  return end == rest.npos ? std::string() : std::string(rest.substr(0, end));
}

bool is_id(std::string_view id) {
  return !id.empty() && id.size() <= id_size_limit &&
         std::ranges::none_of(id, [](char c) { return static_cast<unsigned char>(c) < 0x20; });
}

bool hold(const boost::json::value& body, const std::map<std::string, std::string>& conditions) {
  return std::ranges::all_of(
      conditions, [&](const auto& each) { return text_at(body, each.first) == each.second; });
}

/// Of the first page: the others are asked for by http_source::place_of_page.
template_values values_of(const source& spec, const std::string& remote) {
  template_values values{{"report", remote}, {"part", ""}};
  if (spec.pages) values.merge(page_values(*spec.pages, ""));
  return values;
}

source_error no_json(const std::string& place, int status) {
  return {meaning::transient, std::nullopt,
          fmt::format("{} answered {} with a body that is no JSON; if that stays so, check "
                      "`source.request.url` and `source.poll.url`",
                      place, status)};
}

}  // namespace

task<std::expected<http_source::asked, source_error>> http_source::ask(http_request question,
                                                                       std::uint64_t most_bytes) {
  asked heard{.answer = {}, .place = place_of(question.url), .meant = {}};
  question.max_size_bytes = std::min(question.max_size_bytes, most_bytes);
  auto answered = co_await credentials_->send(std::move(question), {});
  if (!answered) co_return std::unexpected(std::move(answered.error()));
  heard.answer = std::move(*answered);
  const std::string_view body = heard.answer.body;
  heard.meant =
      classify(spec_.on,
               {.status = heard.answer.status,
                .headers = heard.answer.headers,
                .body_prefix = body.substr(0, body_prefix_limit),
                .body_is_whole = body.size() <= body_prefix_limit && !heard.answer.body_fault},
               scheduler::current().system_now());
  co_return heard;
}

task<std::expected<std::string, source_error>> http_source::get(std::string url) {
  auto heard = co_await ask(request_to(spec_, {std::move(url), true}), page_size_limit);
  if (!heard) co_return std::unexpected(heard.error());
  auto& [answer, place, meant] = *heard;
  if (meant.is == answer_rule::meaning::rows) co_return std::move(answer.body);
  co_return std::unexpected(from_answer(spec_, place, answer.status, meant));
}

task<std::expected<std::string, source_error>> http_source::request(client of, day on,
                                                                    std::string part) {
  const auto& how = *spec_.request;
  const template_values values{{"part", std::move(part)}};
  auto asked_at = place_for(spec_, {how.url, "source.request.url", how.body, "source.request.body"},
                            of, on, values);
  if (!asked_at) co_return std::unexpected(std::move(asked_at.error()));
  auto question = request_to(spec_, *std::move(asked_at));
  question.method = "POST";  // also of nothing
  if (how.body.empty()) question.body = std::make_shared<const std::string>();

  const auto heard = co_await ask(std::move(question), answer_size_limit);
  if (!heard) co_return std::unexpected(heard.error());
  const auto& [answer, place, meant] = *heard;
  if (auto known = id_within(answer.body, how.duplicate); is_id(known)) co_return known;
  // 202 is how many say that they have begun.
  const bool has_begun = !meant.rule && answer.status == 202;
  if (meant.is != answer_rule::meaning::rows && !has_begun) {
    co_return std::unexpected(from_answer(spec_, place, answer.status, meant));
  }
  const auto said = parse_json(answer.body);
  if (!said) co_return std::unexpected(no_json(place, answer.status));
  auto id = text_at(*said, how.id);
  if (!id || !is_id(*id)) {
    co_return std::unexpected(source_error{
        meaning::transient, std::nullopt,
        fmt::format("{} answered {} without the report's id at \"{}\"; if that stays so, check "
                    "`source.request.id`",
                    place, answer.status, how.id)});
  }
  co_return *std::move(id);
}

task<std::expected<remote_progress, source_error>> http_source::poll(client of, day on,
                                                                     std::string remote) {
  using is = remote_progress::is;
  const auto& how = *spec_.poll;
  const template_values values = values_of(spec_, remote);
  const auto asked_at =
      place_for(spec_, {how.url, "source.poll.url", how.body, "source.poll.body"}, of, on, values);
  if (!asked_at) co_return std::unexpected(asked_at.error());
  const auto heard = co_await ask(request_to(spec_, *asked_at), answer_size_limit);
  if (!heard) co_return std::unexpected(heard.error());
  const auto& [answer, place, meant] = *heard;
  if (!meant.rule && (answer.status == 202 || answer.status == 425)) co_return remote_progress{};
  if (!meant.rule && (answer.status == 404 || answer.status == 410)) {
    co_return remote_progress{
        is::gone, {}, fmt::format("{} answered {}: it knows no such report", place, answer.status)};
  }
  if (meant.is != answer_rule::meaning::rows) {
    co_return std::unexpected(from_answer(spec_, place, answer.status, meant));
  }
  const auto said = parse_json(answer.body);
  if (!said) co_return std::unexpected(no_json(place, answer.status));
  if (!how.failed.empty() && hold(*said, how.failed)) {
    co_return remote_progress{is::gone, {}, fmt::format("{} says that it failed", place)};
  }
  if (!hold(*said, how.ready)) co_return remote_progress{};
  if (how.link.empty()) {
    auto there = expand_url(how.download, of, on, values);
    if (!there) co_return std::unexpected(from_template(there.error(), "source.poll.download"));
    co_return remote_progress{is::ready,
                              {.url = *std::move(there),
                               .with_credentials = true,
                               .headers = asked_at->headers,
                               .may_expire = true},
                              {}};
  }
  auto link = text_at(*said, how.link);
  if (link && parse_origin(*link)) {
    co_return remote_progress{is::ready, {.url = *std::move(link), .may_expire = true}, {}};
  }
  if (how.ready.empty()) co_return remote_progress{};
  // Ready, and no address: that is how a report without rows is told.
  co_return std::unexpected(source_error{meaning::empty, std::nullopt,
                                         fmt::format("{} has no address for it: no rows", place)});
}

}  // namespace wherry::app
