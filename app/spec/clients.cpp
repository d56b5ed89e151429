// SPDX-License-Identifier: Apache-2.0
#include "spec/clients.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <string_view>

#include "spec/closing.hpp"
#include "spec/forms.hpp"
#include "spec/words.hpp"

namespace wherry::app {
namespace {

using namespace std::chrono;
constexpr day sample_day = year{2025} / January / 31;

bool is_line(std::string_view text) {
  return std::ranges::none_of(
      text, [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7F; });
}

// What stands for the placeholders of a request.
const template_values of_a_request{
    {"part", "p"}, {"cursor", "c"}, {"offset", "0"}, {"page", "1"}, {"size", "1"}};
const template_values of_one_made = [] {
  auto all = of_a_request;
  all["report"] = "sample";
  return all;
}();

class fitting {
 public:
  explicit fitting(const spec& whole) : whole_(whole) {}

  template <class Expand>
  void look(std::string_view asker, Expand expand) {
    for (std::size_t i = 0; i < whole_.clients.size(); ++i) {
      if (whole_.clients[i].id.empty()) continue;
      auto made = expand(whole_.clients[i]);
      if (!made) unfit_.push_back({i, std::string{asker}, std::move(made.error())});
    }
  }
  void look_at_url(std::string_view asker, const std::string& text,
                   const template_values& more = {}) {
    look(asker, [&](const client& of) { return expand_url(text, of, sample_day, more); });
  }
  void look_at_lane(std::string_view asker, const std::string& text) {
    look(asker, [&](const client& of) { return expand_lane(text, of); });
  }
  std::vector<unfit_client> found() && { return std::move(unfit_); }

 private:
  const spec& whole_;
  std::vector<unfit_client> unfit_;
};

}  // namespace

std::vector<std::string> mistakes_in(const client& one) {
  std::vector<std::string> all;
  if (!toml_file::is_id(one.id)) {
    all.push_back(
        fmt::format("id {} is no name; write up to 100 letters, digits, - _ . and begin "
                    "with a letter or digit",
                    in_quotes(one.id)));
  }
  if (!is_line(one.account)) {
    all.push_back(fmt::format("account {} is not one line; take the control characters out",
                              in_quotes(one.account)));
  }
  if (!one.currency.empty() && !toml_file::is_currency(one.currency)) {
    all.push_back(
        fmt::format("currency {} is none; write one such as \"EUR\"", in_quotes(one.currency)));
  }
  if (!toml_file::is_timezone(one.timezone)) {
    all.push_back(fmt::format("timezone {} is none; write one such as \"Europe/Berlin\"",
                              in_quotes(one.timezone)));
  } else if (!is_known_timezone(one.timezone)) {
    all.push_back(
        fmt::format("timezone {} is not known on this machine; check the spelling, or install "
                    "tzdata",
                    in_quotes(one.timezone)));
  }
  return all;
}

std::vector<unfit_client> unfit_clients(const spec& whole) {
  fitting all{whole};
  const auto& from = whole.source;
  all.look_at_url("the url of [source]", from.url, of_a_request);
  const auto look_at_body = [&](std::string_view asker, const std::string& text,
                                const template_values& more) {
    all.look(asker, [&](const client& of) { return expand_body(text, of, sample_day, more); });
  };
  look_at_body("the body of [source]", from.body, of_a_request);
  for (const auto& header : from.headers) {
    all.look("a header of [source.headers]",
             [&](const client& of) { return expand_text(header.second, of, sample_day); });
  }
  if (from.request) {
    all.look_at_url("the url of [source.request]", from.request->url, of_a_request);
    look_at_body("the body of [source.request]", from.request->body, of_a_request);
  }
  if (from.poll) {
    all.look_at_url("the url of [source.poll]", from.poll->url, of_one_made);
    look_at_body("the body of [source.poll]", from.poll->body, of_one_made);
    all.look_at_url("the download of [source.poll]", from.poll->download, of_one_made);
  }
  if (from.pages) all.look_at_url("the url of [source.pages]", from.pages->url, of_one_made);
  all.look_at_url("the url of [sink]", whole.sink.url, no_object_yet);
  all.look_at_lane("the lane of [source.limit]", from.limit.lane);
  for (const auto& each : from.shared) all.look_at_lane("a lane of [source.shared]", each.lane);
  all.look_at_lane("the lane of [sink.limit]", whole.sink.limit.lane);
  return std::move(all).found();
}

std::optional<std::pair<std::size_t, std::size_t>> same_object(const spec& whole) {
  if (whole.sink.url.empty()) return std::nullopt;
  std::map<std::string, std::size_t> owner;
  for (std::size_t i = 0; i < whole.clients.size(); ++i) {
    const auto& one = whole.clients[i];
    const auto url = one.id.empty() ? std::unexpected(template_error{})
                                    : expand_url(whole.sink.url, one, sample_day, no_object_yet);
    if (!url) continue;
    const auto [known, is_new] = owner.try_emplace(*url, i);
    if (!is_new && whole.clients[known->second].id != one.id) return std::pair{known->second, i};
  }
  return std::nullopt;
}

}  // namespace wherry::app
