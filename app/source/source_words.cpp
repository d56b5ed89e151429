// SPDX-License-Identifier: Apache-2.0
#include "source/source_words.hpp"

#include <fmt/format.h>

#include <type_traits>

namespace wherry::app {
namespace {

using meaning = answer_rule::meaning;

std::string_view auth_key(const source& spec) {
  struct key_of {
    std::string_view operator()(const std::monostate&) const { return "none is set: add `auth`"; }
    std::string_view operator()(const bearer_auth&) const { return "`auth.bearer`"; }
    std::string_view operator()(const basic_auth&) const { return "`auth.basic`"; }
    std::string_view operator()(const header_auth&) const { return "`auth.header`"; }
    std::string_view operator()(const query_auth&) const { return "`auth.query`"; }
    std::string_view operator()(const oauth2_auth&) const { return "`auth.oauth2`"; }
    std::string_view operator()(const sigv4_auth&) const { return "`auth.sigv4`"; }
    std::string_view operator()(const hmac_auth&) const { return "`auth.hmac`"; }
  };
  if (!spec.more_auth.empty()) return "any of `auth`";
  return std::visit(key_of{}, spec.auth);
}

std::string remedy_of(const source& spec, int status) {
  switch (status) {
    case 202: return "the report is not ready yet";
    case 206:
      return "that is a part of the report, though all of it was asked for; check what stands "
             "between here and the API";
    case 401:
      return fmt::format(
          "it does not accept the credentials of [source] ({}); check the value or the "
          "environment variable that it comes from",
          auth_key(spec));
    case 403:
      return fmt::format(
          "the credentials of [source] ({}) may not read this report; check what they "
          "are allowed to, and the client's account",
          auth_key(spec));
    case 404:
    case 410:
      // That it means no rows would hold for a report that expired as well.
      if (spec.request) return "there is no such address; check those of [source]";
      return "there is no such report; check `source.url` and the client's id and account, or say "
             "by "
             "[[source.on]] status = 404, is = \"empty\" that it means no rows";
    case 429: return "it asks for fewer calls; if that happens often, lower `source.limit.rate`";
    default: break;
  }
  if (status >= 500) return "the server has a problem of its own";
  if (status >= 300 && status < 400) {
    return "it sends the caller elsewhere; write the final address in `source.url`";
  }
  return "it does not take the request as it is; check `source.url` and `source.headers`";
}

std::string_view again(meaning is) {
  switch (is) {
    case meaning::throttled: return "; the lane waits and goes on by itself";
    case meaning::credentials: return "; the lane stops, and no report is given up";
    default: return "";
  }
}

}  // namespace

std::string explain_answer(const source& spec, const std::string& place, int status,
                           const answer_meaning& meant) {
  if (meant.rule) {
    constexpr const char* words[] = {"rows",      "empty", "pending",     "transient",
                                     "throttled", "split", "credentials", "permanent"};
    return fmt::format("{} answered {}, which rule {} of [[source.on]] calls {}{}", place, status,
                       *meant.rule + 1, words[static_cast<std::size_t>(meant.is)], again(meant.is));
  }
  if (meant.is == meaning::empty) return fmt::format("{} answered {}: no rows", place, status);
  return fmt::format("{} answered {}: {}{}", place, status, remedy_of(spec, status),
                     again(meant.is));
}

source_error explain_failure(const source& spec, const net_error& wrong) {
  using is = source_error::meaning;
  const auto kind = wrong.transient ? is::transient : is::permanent;
  std::string_view key;
  switch (wrong.kind) {
    case net_error_kind::bad_request:
    case net_error_kind::resolve:
    case net_error_kind::connect:
    case net_error_kind::tls:
    case net_error_kind::protocol: key = " (`source.url`)"; break;
    case net_error_kind::timeout: key = " (`source.timeout`, `source.connect_timeout`)"; break;
    case net_error_kind::too_large:
      return {
          kind, std::nullopt,
          fmt::format("{} (`source.max_size`, now {} bytes)", wrong.message, spec.max_size_bytes)};
    default: break;
  }
  return {kind, std::nullopt, wrong.message + std::string{key}};
}

}  // namespace wherry::app
