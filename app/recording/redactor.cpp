// SPDX-License-Identifier: Apache-2.0
#include "recording/redactor.hpp"

#include <algorithm>
#include <array>

namespace wherry::app {
namespace {

constexpr std::string_view removed = "removed";
/// What is shorter is too common to be looked for by its value.
constexpr std::size_t shortest_token = 8;

/// Names as they are compared: in lower case, without "-" and "_".
std::string bare(std::string_view name) {
  auto made = in_lower_case(name);
  std::erase_if(made, [](char c) { return c == '-' || c == '_'; });
  return made;
}

template <std::size_t Count>
bool is_among(const std::array<std::string_view, Count>& names, std::string_view name) {
  return std::ranges::find(names, name) != names.end();
}

/// Of an address or a form: credentials, and what makes a pre-signed address good.
constexpr auto secret_parameters = std::to_array<std::string_view>({"accesstoken",
                                                                    "apikey",
                                                                    "apptoken",
                                                                    "appsecretproof",
                                                                    "auth",
                                                                    "authtoken",
                                                                    "awsaccesskeyid",
                                                                    "clientsecret",
                                                                    "credential",
                                                                    "googleaccessid",
                                                                    "hmac",
                                                                    "idtoken",
                                                                    "jwt",
                                                                    "key",
                                                                    "keypairid",
                                                                    "password",
                                                                    "policy",
                                                                    "refreshtoken",
                                                                    "sas",
                                                                    "secret",
                                                                    "sessiontoken",
                                                                    "sig",
                                                                    "sign",
                                                                    "signature",
                                                                    "skoid",
                                                                    "sktid",
                                                                    "token",
                                                                    "xamzcredential",
                                                                    "xamzsecuritytoken",
                                                                    "xamzsignature",
                                                                    "xgoogcredential",
                                                                    "xgoogsignature"});

/// Of JSON: what only credentials are called.
constexpr auto secret_members = std::to_array<std::string_view>(
    {"accesstoken", "apikey", "authorization", "authtoken", "bearertoken", "clientsecret",
     "idtoken", "password", "refreshtoken", "secret", "secretaccesskey", "sessiontoken"});

constexpr auto secret_headers =
    std::to_array<std::string_view>({"apikey", "auth", "cookie", "credential", "password", "secret",
                                     "session", "signature", "token"});

bool is_of_a_name(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
         c == '_' || c == '.';
}

/// The name of a parameter that ends where `text` does; empty: none does.
std::string_view parameter_before(std::string_view text) {
  std::size_t begin = text.size();
  while (begin > 0 && is_of_a_name(text[begin - 1])) --begin;
  auto name = text.substr(begin);
  if (begin == 0) return name;
  const char before = text[begin - 1];
  if (std::string_view("?&;").contains(before)) return name;
  // As JSON writes the "&" of an address, and as one address holds another.
  for (const auto [mark, spelled] :
       {std::pair{'\\', "u0026"}, {'\\', "u003f"}, {'%', "26"}, {'%', "3F"}, {'%', "3f"}}) {
    if (before == mark && name.starts_with(spelled)) {
      name.remove_prefix(std::string_view(spelled).size());
      return name;
    }
  }
  return {};
}

/// How long the value of a parameter is with which the text begins. `encoded`: it stands in an
/// address that stands in another one.
std::size_t length_of_value(std::string_view text, bool encoded) {
  std::size_t end = 0;
  for (; end < text.size(); ++end) {
    const char c = text[end];
    const bool is_escaped_slash = c == '\\' && text.substr(end + 1).starts_with('/');
    if (is_escaped_slash) continue;
    if (static_cast<unsigned char>(c) <= 0x20 || std::string_view("&#\"'<>\\,").contains(c)) break;
    if (encoded && text.substr(end).starts_with("%26")) break;
  }
  return end;
}

/// The end of a JSON text whose first quote is at `begin`: its last quote, or that of all.
std::size_t end_of_text(std::string_view of, std::size_t begin) {
  auto at = begin + 1;
  while (at < of.size() && of[at] != '"') at += of[at] == '\\' ? 2 : 1;
  return std::min(at, of.size());
}

/// Calls `visit` with each text of JSON that is the value of a secret member, without its quotes:
/// where it begins, and how long it is.
template <class Visit>
void for_each_secret_member(std::string_view body, Visit visit) {
  constexpr std::string_view space = " \t\r\n";
  for (std::size_t at = body.find('"'); at < body.size();) {
    const auto end = end_of_text(body, at);
    const auto colon = body.find_first_not_of(space, end + 1);
    const bool is_name = colon != body.npos && body[colon] == ':';
    const auto value = is_name ? body.find_first_not_of(space, colon + 1) : body.npos;
    const bool is_text = value != body.npos && body[value] == '"';
    auto over = end;
    if (is_text && is_among(secret_members, bare(body.substr(at + 1, end - at - 1)))) {
      over = end_of_text(body, value);
      visit(value + 1, over - value - 1);
    }
    at = body.find('"', over + 1);
  }
}

std::string without_members(std::string_view body) {
  std::string made;
  std::size_t kept = 0;
  for_each_secret_member(body, [&](std::size_t begin, std::size_t length) {
    made.append(body.substr(kept, begin - kept)).append(removed);
    kept = begin + length;
  });
  return made.append(body.substr(kept));
}

std::string without_parameters(std::string_view text, const std::set<std::string>& more) {
  std::string made;
  std::size_t kept = 0;
  for (std::size_t at = 0; (at = text.find_first_of("=%", at)) != text.npos; ++at) {
    const bool encoded = text.substr(at).starts_with("%3D") || text.substr(at).starts_with("%3d");
    if (text[at] == '%' && !encoded) continue;
    const auto name = bare(parameter_before(text.substr(kept, at - kept)));
    if (name.empty() || (!is_among(secret_parameters, name) && !more.contains(name))) continue;
    const auto begin = at + (encoded ? 3 : 1);
    made.append(text.substr(kept, begin - kept)).append(removed);
    kept = begin + length_of_value(text.substr(begin), encoded);
    at = kept - 1;
  }
  return made.append(text.substr(kept));
}

/// Without "user:password@" behind "://".
std::string without_users(std::string text) {
  for (std::size_t at = 0; (at = text.find("://", at)) != text.npos;) {
    at += 3;
    const auto end = std::min(text.find_first_of("/?#\"'\\<>, \t\r\n", at), text.size());
    const auto user = text.rfind('@', end);
    if (user != text.npos && user >= at && user < end) text.erase(at, user + 1 - at);
  }
  return text;
}

std::string in_json(std::string_view text, bool with_slash) {
  std::string made;
  for (const char c : text) {
    if (c == '"' || c == '\\' || (c == '/' && with_slash)) made += '\\';
    made += c;
  }
  return made;
}

/// What stands in base64 wherever the secret lies in what is encoded: by where it begins in a group
/// of three bytes, without the digits that its neighbours have a part in.
std::vector<std::string> base64_cores(const std::string& secret) {
  std::vector<std::string> all;
  for (const std::size_t before : {0u, 1u, 2u}) {
    const auto first = before == 0 ? 0u : before == 1 ? 2u : 3u;
    const auto last = (before + secret.size()) * 8 / 6;
    const auto digits = in_base64(std::string(before, '\0') + secret);
    auto core = digits.substr(first, last - std::min<std::size_t>(first, last));
    if (core.size() < shortest_token) continue;
    auto for_addresses = core;
    std::ranges::replace(for_addresses, '+', '-');
    std::ranges::replace(for_addresses, '/', '_');
    if (for_addresses != core) all.push_back(std::move(for_addresses));
    all.push_back(std::move(core));
  }
  return all;
}

}  // namespace

redactor::redactor(const spec& of, const stand_ins& by) {
  for (const auto& [name, value] : of.variables) {
    const auto found = by.find(name);
    const bool is_itself = found == by.end() || found->second.text == value.reveal;
    if (!is_itself && !value.reveal.empty()) replace(value.reveal, found->second.text);
  }
  for (const auto& [name, value] : secrets_of(of)) {
    const bool is_stand_in =
        std::ranges::any_of(by, [&](const auto& each) { return each.second.text == value; });
    if (!is_stand_in) replace(value, std::string(removed));
  }
  const auto look_at = [this](const auth& one) {
    if (const auto* const query = std::get_if<query_auth>(&one)) {
      parameters_.insert(bare(query->name));
    } else if (const auto* const header = std::get_if<header_auth>(&one)) {
      headers_.insert(bare(header->name));
    } else if (const auto* const hmac = std::get_if<hmac_auth>(&one)) {
      headers_.insert(bare(hmac->header));
    } else if (std::holds_alternative<sigv4_auth>(one)) {
      is_aws_ = true;
    }
  };
  look_at(of.source.auth);
  for (const auto& each : of.source.more_auth) look_at(each);
}

// In each spelling, in which the stand-in is spelled likewise. What is known already stays so.
void redactor::replace(const std::string& secret, const std::string& by) {
  const auto add = [this](std::string from, std::string to) {
    const bool is_new = std::ranges::find(values_, from, [](const auto& each) -> const auto& {
                          return each.first;
                        }) == values_.end();
    if (is_new) values_.emplace_back(std::move(from), std::move(to));
  };
  add(secret, by);
  auto encoded = uri_encode(secret, slash::encode);
  auto in_form = encoded;
  for (std::size_t at = 0; (at = in_form.find("%20", at)) != in_form.npos;) {
    in_form.replace(at, 3, "+");
  }
  const auto spelled = uri_encode(by, slash::encode);
  add(in_form, spelled);
  // The digits of %XX may be in lower case.
  auto lower = encoded;
  for (std::size_t at = 0; (at = lower.find('%', at)) != lower.npos; at += 3) {
    const auto digits = in_lower_case(std::string_view(lower).substr(at, 3));
    lower.replace(at, 3, digits);
  }
  add(std::move(lower), spelled);
  add(std::move(encoded), spelled);
  add(uri_encode(secret, slash::keep), uri_encode(by, slash::keep));
  add(in_json(secret, false), in_json(by, false));
  add(in_json(secret, true), in_json(by, true));
  for (auto& core : base64_cores(secret)) add(std::move(core), std::string(removed));
}

std::string redactor::text(std::string_view of) const {
  auto made = without_parameters(without_members(of), parameters_);
  return with_replaced(without_users(std::move(made)), values_);
}

bool redactor::is_secret_header(std::string_view name) const {
  const auto plain = bare(name);
  return headers_.contains(plain) || plain.ends_with("key") ||
         std::ranges::any_of(secret_headers,
                             [&](std::string_view word) { return plain.contains(word); });
}

http_headers redactor::sent(const http_headers& of) const {
  http_headers made;
  for (const auto& [name, value] : of) {
    const bool is_signature = is_aws_ && bare(name).starts_with("xamz");
    if (!is_signature && !is_secret_header(name)) made.emplace_back(name, text(value));
  }
  return made;
}

http_headers redactor::answered(const http_headers& of) const {
  constexpr auto of_the_way = std::to_array<std::string_view>(
      {"connection", "contentencoding", "contentlength", "keepalive", "transferencoding"});
  http_headers made;
  for (const auto& [name, value] : of) {
    if (is_among(of_the_way, bare(name))) continue;
    made.emplace_back(name, is_secret_header(name) ? std::string(removed) : text(value));
  }
  return made;
}

void redactor::learn(const http_headers& sent) {
  for (const auto& [name, value] : sent) {
    const bool is_long = value.size() >= shortest_token;
    if (is_long && is_secret_header(name)) replace(value, std::string(removed));
  }
}

void redactor::learn(std::string_view body) {
  for_each_secret_member(body, [&](std::size_t begin, std::size_t length) {
    const std::string token(body.substr(begin, length));
    if (token.size() >= shortest_token) replace(token, std::string(removed));
  });
}

}  // namespace wherry::app
