// SPDX-License-Identifier: Apache-2.0
#include "aws/answers.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <boost/json.hpp>
#include <charconv>

#include "aws/xml.hpp"
#include "spec/day.hpp"

namespace wherry::app {
namespace {

using namespace std::chrono_literals;
using std::chrono::system_clock;

bool is_passing(int status) { return status == 408 || status == 429 || status >= 500; }

// What keys are made of, and what may stand in a header.
bool is_word(std::string_view text) {
  return std::ranges::all_of(text, [](char c) { return c > 0x20 && c < 0x7F; });
}

std::expected<aws_keys, aws_error> made_of(std::string id, std::string key, std::string token,
                                           std::string_view expires, const std::string& from) {
  aws_keys made{std::move(id), {std::move(key)}, {std::move(token)}};
  if (!expires.empty()) made.expires = parse_instant(expires);
  const bool is_whole = !made.access_key.empty() && !made.secret_key.reveal.empty() &&
                        is_word(made.access_key) && is_word(made.session_token.reveal) &&
                        (expires.empty() || made.expires);
  if (is_whole) return made;
  return std::unexpected(
      aws_error{true, fmt::format("{} answered without keys that can be used", from)});
}

std::string element(std::string_view xml, std::string_view name) {
  return std::string{xml_text(xml, name)};
}

std::string_view remedy_of(std::string_view code) {
  if (code == "ExpiredTokenException" || code == "ExpiredToken") {
    return "the token that is exchanged has expired: let whoever writes it renew it";
  }
  if (code == "InvalidIdentityToken") {
    return "the token in the file is none that the role trusts: check AWS_WEB_IDENTITY_TOKEN_FILE";
  }
  if (code == "AccessDenied") {
    return "the role does not let itself be taken so: mend its trust policy, or check its ARN";
  }
  if (code == "InvalidClientTokenId" || code == "SignatureDoesNotMatch") {
    return "check the keys that the role is taken with";
  }
  return "check the role's ARN and what it is taken with";
}

}  // namespace

std::expected<aws_keys, aws_error> keys_in_json(const http_response& answer,
                                                const std::string& from) {
  if (answer.status != 200) {
    return std::unexpected(aws_error{
        is_passing(answer.status),
        fmt::format("{} answered {} to the request for keys; check the role that is given to this "
                    "machine or container, and what AWS_CONTAINER_… says, if it does",
                    from, answer.status)});
  }
  boost::system::error_code wrong;
  const auto said = boost::json::parse(answer.body, wrong);
  const auto* const object = wrong ? nullptr : said.if_object();
  const auto text = [&](std::string_view name) -> std::string {
    const auto* const value = object == nullptr ? nullptr : object->if_contains(name);
    const auto* const string = value == nullptr ? nullptr : value->if_string();
    return string == nullptr ? std::string{} : std::string{string->data(), string->size()};
  };
  return made_of(text("AccessKeyId"), text("SecretAccessKey"), text("Token"), text("Expiration"),
                 from);
}

std::expected<aws_keys, aws_error> keys_in_xml(const http_response& answer, const std::string& from,
                                               const std::string& role) {
  const std::string_view body = answer.body;
  if (answer.status == 200) {
    return made_of(element(body, "AccessKeyId"), element(body, "SecretAccessKey"),
                   element(body, "SessionToken"), element(body, "Expiration"), from);
  }
  auto code = element(body, "Code");
  const bool is_code =
      code.size() < 64 &&
      std::ranges::all_of(
          code, [](char c) { return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z'); });
  if (!is_code) code.clear();
  const bool passes =
      is_passing(answer.status) || code == "Throttling" || code == "IDPCommunicationError";
  return std::unexpected(
      aws_error{passes, fmt::format("{} answered {}{}{} to the request for the role {}: {}", from,
                                    answer.status, code.empty() ? "" : " ", code, role,
                                    passes ? "it is asked again" : remedy_of(code))});
}

std::optional<system_clock::time_point> parse_instant(std::string_view text) {
  constexpr std::string_view shape = "2025-01-31T12:00:00";
  if (text.size() <= shape.size() || text[10] != 'T' || text[13] != ':' || text[16] != ':') {
    return std::nullopt;
  }
  const auto zone = text.substr(text.find_first_not_of(".0123456789", shape.size()));
  if (zone != "Z" && zone != "+00:00") return std::nullopt;
  const auto on = parse_day(text.substr(0, 10));
  const auto number = [&](std::size_t at, unsigned below) -> std::optional<unsigned> {
    unsigned value = 0;
    const auto* const end = text.data() + at + 2;
    const auto read = std::from_chars(text.data() + at, end, value);
    if (read.ec != std::errc{} || read.ptr != end || value >= below) return std::nullopt;
    return value;
  };
  const auto hour = number(11, 24), minute = number(14, 60), second = number(17, 61);
  if (!on || !hour || !minute || !second) return std::nullopt;
  return std::chrono::sys_days{*on} + std::chrono::hours(*hour) + std::chrono::minutes(*minute) +
         std::chrono::seconds(*second);
}

system_clock::time_point renewal_of(const aws_keys& keys, system_clock::time_point got_at) {
  if (!keys.expires) return system_clock::time_point::max();
  return *keys.expires - std::clamp<system_clock::duration>((*keys.expires - got_at) / 2, 0s, 5min);
}

system_clock::time_point next_try(const aws_keys& old, system_clock::time_point now) {
  const auto left = old.expires.value_or(system_clock::time_point::max()) - now;
  return now + std::min<system_clock::duration>(left / 2, 1min);
}

}  // namespace wherry::app
