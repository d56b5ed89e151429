// SPDX-License-Identifier: Apache-2.0
#include "spec/auth_keys.hpp"

#include <fmt/ranges.h>

#include <algorithm>

namespace wherry::app::toml_file {
namespace {

constexpr auto required = need::required;
constexpr auto optional = need::optional;
constexpr auto secret_key = privacy::secret;

constexpr key<basic_auth> basic_keys[] = {
    entry<one_line, &basic_auth::user>("user", "The user.", required),
    entry<line_or_nothing, &basic_auth::password>("password", "The password.", required,
                                                  secret_key),
};

constexpr key<header_auth> header_keys[] = {
    entry<header_name, &header_auth::name>("name", "The header.", required),
    entry<one_line, &header_auth::value>("value", "What it says.", required, secret_key),
};

constexpr key<query_auth> query_keys[] = {
    entry<one_line, &query_auth::name>("name", "The parameter of the query.", required),
    entry<one_line, &query_auth::value>("value", "What it says.", required, secret_key),
};

/// Where access tokens come from: an address without a user, a query or a fragment.
struct token_address : any_text {
  static constexpr std::string_view wanted = R"(an address such as "https://host/oauth2/token")";
  static void read(reader& r, const value& from, std::string& to) {
    auto url = r.line(from);
    if (!url) return;
    const auto colon = url->find("://");
    const auto scheme = url->substr(0, colon);
    if (colon == url->npos || (scheme != "https" && scheme != "http")) {
      r.wrong(from.begin, "does not begin with https:// or http://",
              fmt::format("write {}", wanted));
      return;
    }
    const auto host = url->substr(colon + 3, url->find('/', colon + 3) - colon - 3);
    if (host.empty() || host.starts_with(':')) {
      r.wrong(from.begin, "has no host", fmt::format("write {}", wanted));
    } else if (url->find_first_of("?#") != url->npos || host.contains('@')) {
      r.wrong(from.begin, "has a user, a query or a fragment",
              "take it out; client_id, client_secret and scope are keys of their own");
    } else {
      to = *std::move(url);
    }
  }
};

struct client_place : any_text {
  static constexpr std::string_view wanted = R"(client = "header" or "body")";
  static constexpr std::string_view schema = R"({"enum":["header","body"]})";
  static void read(reader& r, const value& from, oauth2_auth::place& to) {
    const auto word = r.line(from);
    if (word == "body") {
      to = oauth2_auth::place::body;
    } else if (word && word != "header") {
      r.wrong(from.begin, "is neither of the two places", fmt::format("write {}", wanted));
    }
  }
};

constexpr key<oauth2_auth> oauth2_keys[] = {
    entry<token_address, &oauth2_auth::token_url>("token_url", "Where access tokens come from.",
                                                  required),
    entry<one_line, &oauth2_auth::client_id>("client_id", "Who asks for them.", required),
    entry<one_line, &oauth2_auth::client_secret>("client_secret", "The secret of who asks.",
                                                 optional, secret_key),
    entry<one_line, &oauth2_auth::scope>("scope", "What they should allow, by blanks; none."),
    entry<one_line, &oauth2_auth::refresh_token>(
        "refresh_token", "Stands for a person's consent; none: client credentials.", optional,
        secret_key),
    entry<client_place, &oauth2_auth::client>(
        "client", "Where a request for a token has id and secret: header by default, or body."),
};

struct oauth2_form : table_of<oauth2_keys> {
  static constexpr std::string_view wanted =
      R"(oauth2 = { token_url = "https://…", client_id = "…", client_secret = "${SECRET}" })";
  static void read(reader& r, const value& from, oauth2_auth& to) {
    read_table(r, from, to, oauth2_keys);
    if (from.find({"client_secret"}) == nullptr && from.find({"refresh_token"}) == nullptr) {
      r.wrong(from.begin, "has neither client_secret nor refresh_token",
              R"(add client_secret = "${CLIENT_SECRET}")");
    }
  }
};

constexpr key<sigv4_auth> sigv4_keys[] = {
    entry<one_line, &sigv4_auth::access_key>("access_key", "The key's id.", required, secret_key),
    entry<one_line, &sigv4_auth::secret_key>("secret_key", "The key.", required, secret_key),
    entry<one_line, &sigv4_auth::session_token>("session_token", "The token of a session; none.",
                                                optional, secret_key),
    entry<one_line, &sigv4_auth::region>("region", R"(Such as "us-east-1".)", required),
    entry<one_line, &sigv4_auth::service>("service", R"(Such as "execute-api".)", required),
};

/// What an HMAC is made over: any text with parts of the request in it, line breaks as well.
struct signed_text : any_text {
  static constexpr std::string_view wanted = R"(a text such as "{timestamp}{method}{path}")";
  static void read(reader& r, const value& from, std::string& to) {
    static constexpr std::string_view parts[] = {"{method}", "{path}", "{query}", "{timestamp}",
                                                 "{body_sha256}"};
    auto words = r.text(from);
    if (!words) return;
    const std::string_view all = *words;
    for (std::size_t at = 0; (at = all.find('{', at)) != all.npos; ++at) {
      const auto is_here = [&](auto part) { return all.substr(at).starts_with(part); };
      if (std::ranges::any_of(parts, is_here)) continue;
      r.wrong(r.locate(from, all.substr(at, all.find('}', at) - at + 1)),
              "has a { without a known part of a request",
              fmt::format("write one of {}", fmt::join(parts, " ")));
      return;
    }
    if (all.empty()) {
      r.wrong(from.begin, "is empty", fmt::format("write {}", wanted));
    } else {
      to = *std::move(words);
    }
  }
};

struct hmac_encoding : any_text {
  static constexpr std::string_view wanted = R"(encoding = "hex" or "base64")";
  static constexpr std::string_view schema = R"({"enum":["hex","base64"]})";
  static void read(reader& r, const value& from, hmac_auth::encoding& to) {
    const auto word = r.line(from);
    if (word == "base64") {
      to = hmac_auth::encoding::base64;
    } else if (word && word != "hex") {
      r.wrong(from.begin, "is neither of the two", fmt::format("write {}", wanted));
    }
  }
};

constexpr key<hmac_auth> hmac_keys[] = {
    entry<one_line, &hmac_auth::key>("secret", "The key, as text.", required, secret_key),
    entry<header_name, &hmac_auth::header>("header", "The header that says the HMAC.", required),
    entry<signed_text, &hmac_auth::over>(
        "over", "Of what; {method} {path} {query} {timestamp} {body_sha256} stand for its own.",
        required),
    entry<hmac_encoding, &hmac_auth::written_in>("encoding", "hex by default, or base64."),
    entry<header_name, &hmac_auth::timestamp_header>(
        "timestamp_header", "The header that says {timestamp}; X-Timestamp by default."),
};

// One alternative of the variant, read into a struct of its own first.
template <class Alternative, class Form>
struct auth_as : Form {
  static void read(reader& r, const value& from, auth& to) {
    Alternative chosen;
    if constexpr (requires { chosen.token; })
      Form::read(r, from, chosen.token);
    else
      Form::read(r, from, chosen);
    to = std::move(chosen);
  }
};

template <class Alternative, class Form>
constexpr key<auth> way(std::string_view name, std::string_view doc) {
  return whole_entry<auth_as<Alternative, Form>, auth>(name, doc, optional, secret_key);
}

constexpr key<auth> ways[] = {
    way<bearer_auth, one_line>("bearer", "A token: Authorization: Bearer …"),
    way<basic_auth, table_of<basic_keys>>("basic", "User and password."),
    way<header_auth, table_of<header_keys>>("header", "A header of your own."),
    way<query_auth, table_of<query_keys>>("query", "A parameter of the address's query."),
    way<oauth2_auth, oauth2_form>("oauth2", "Access tokens that OAuth 2.0 gives and renews."),
    way<sigv4_auth, table_of<sigv4_keys>>("sigv4", "AWS Signature Version 4."),
    way<hmac_auth, table_of<hmac_keys>>("hmac", "HMAC-SHA-256 over parts of the request."),
};

void read_way(reader& r, const value& from, auth& to) {
  read_table(r, from, to, ways);
  if (from.members.size() == 1) return;
  r.wrong(from.begin, from.members.empty() ? "is empty" : "has more than one way",
          "write one of bearer, basic, header, query, oauth2, sigv4, hmac; several by turns: "
          "auth = [{ … }, { … }]");
}

}  // namespace

std::vector<key_info> auth_form::keys() { return infos<ways>(); }

void auth_form::read(reader& r, const value& from, source& to) {
  if (from.is == table) return read_way(r, from, to.auth);
  if (from.items.empty()) r.wrong(from.begin, "is empty", fmt::format("write {}", wanted));
  for (const auto& item : from.items) {
    auth one;
    if (item.is == table) {
      read_way(r, item, one);
    } else {
      r.hide(item);  // it may be a token
      r.wrong(
          item.begin, fmt::format("holds {}", name_of(item.is)),
          fmt::format("write {}", R"(auth = [{ bearer = "${TOKEN}" }, { bearer = "${OTHER}" }])"));
    }
    if (&item == from.items.data()) {
      to.auth = std::move(one);
    } else {
      to.more_auth.push_back(std::move(one));
    }
  }
}

}  // namespace wherry::app::toml_file
