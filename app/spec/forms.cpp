// SPDX-License-Identifier: Apache-2.0
// How each form is read into its field. Messages quote the string of the file, never what a
// variable of the environment made of it.
#include "spec/forms.hpp"
#include "spec/closing.hpp"

#include <algorithm>
#include <boost/json.hpp>
#include <set>

#include "spec/object_name.hpp"
#include "spec/spelling.hpp"
#include "spec/template.hpp"

namespace wherry::app::toml_file {
namespace json = boost::json;
namespace {

bool is_header_name(std::string_view name) {
  constexpr std::string_view others = "!#$%&'*+-.^_`|~";  // RFC 9110, token
  return !name.empty() && std::ranges::all_of(name, [&](char c) {
    return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') ||
           others.contains(c);
  });
}

// A template as a line, every fault in it reported.
std::optional<std::string> read_template(reader& r, const value& from, template_scope scope) {
  auto text = r.line(from, reader::braces::doubled);
  if (!text) return std::nullopt;
  const auto faults = check_template(*text, scope);
  for (const auto& fault : faults) {
    const bool is_ours =
        from.string.contains(fault.part);  // or else a variable's: not to be quoted
    r.wrong(r.locate(from, fault.part),
            is_ours ? fault.message : "is wrong once its variables are filled in", fault.remedy);
  }
  return faults.empty() ? std::move(text) : std::nullopt;
}

// Splits scheme://rest and checks the scheme; an unknown one is reported and gives nothing.
struct address {
  std::string_view scheme, rest;
};
std::optional<address> split_address(reader& r, const value& from, std::string_view text,
                                     std::span<const std::string_view> schemes) {
  const auto colon = text.find("://");
  const auto scheme = text.substr(0, colon == text.npos ? 0 : colon);
  if (std::ranges::find(schemes, scheme) != schemes.end())
    return address{scheme, text.substr(colon + 3)};
  const auto best = closest(scheme, schemes);
  r.wrong(from.begin, fmt::format("does not begin with {}://", fmt::join(schemes, ":// or ")),
          best ? fmt::format("did you mean {}://?", *best)
               : fmt::format("write {}://…", schemes.back()));
  return std::nullopt;
}

// The part of an http address in front of the path. A user in it would show up in logs.
std::optional<std::string_view> read_host(reader& r, const value& from, std::string_view rest,
                                          std::string_view where_secrets_go) {
  const auto host = rest.substr(0, rest.find_first_of("/?#"));
  if (host.contains('@')) {
    r.hide(from);
    r.wrong(from.begin, "holds a user or a password", std::string{where_secrets_go});
    return std::nullopt;
  }
  if (host.empty() || host.starts_with(':')) {
    r.wrong(from.begin, "has no host", "write it after the //: https://host/path");
    return std::nullopt;
  }
  return host;
}

bool is_bucket(std::string_view name) {
  const auto inner = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '.';
  };
  return name.size() >= 3 && name.size() <= 63 && std::ranges::all_of(name, inner);
}

bool reaches_an_object(reader& r, const value& from, const address& to) {
  const auto slash = std::min(to.rest.find('/'), to.rest.size());
  const bool has_name = slash + 1 < to.rest.size();
  if (to.scheme == "file") {
    if (slash == 0 && has_name) return true;
    r.wrong(from.begin, "is not an absolute path",
            "write three slashes: file:///data/{day}/{client}.csv, or file://${PWD}/…");
  } else if (!is_bucket(to.rest.substr(0, slash))) {
    r.wrong(from.begin, "has no valid bucket",
            "write s3://bucket/name, the bucket of 3 to 63 of a-z 0-9 - .");
  } else if (!has_name) {
    r.wrong(from.begin, "has no name behind the bucket",
            "write s3://bucket/{day}/{client}.parquet");
  } else {
    return true;
  }
  return false;
}

// Reads a string by a pure parser; `name` is what it should have been.
template <class Form, class Parse, class Field>
void read_by(reader& r, const value& from, Parse parse, Field& to) {
  const auto words = r.line(from);
  if (!words) return;
  if (auto parsed = parse(*words)) {
    to = *std::move(parsed);
  } else {
    r.wrong(from.begin, fmt::format("is {}", in_quotes(from.string)),
            fmt::format("write {}", Form::wanted));
  }
}

auto only_if(bool (*fits)(std::string_view)) {
  return [fits](const std::string& words) {
    return fits(words) ? std::optional{words} : std::nullopt;
  };
}

void flatten(reader& r, const value& from, const std::string& path,
             std::map<std::string, std::string>& to) {
  for (const auto& member : from.members) {
    const auto name = path.empty() ? member.name : path + "." + member.name;
    const auto& item = member.item;
    if (item.is == table) {
      flatten(r, item, name, to);
    } else if (item.is == text) {
      if (auto words = r.text(item)) to[name] = *std::move(words);
    } else if (item.is == whole) {
      to[name] = std::to_string(item.integer);
    } else if (item.is == flag) {
      to[name] = item.boolean ? "true" : "false";
    } else {
      r.wrong(item.begin, fmt::format("compares {} with {}", in_quotes(name), name_of(item.is)),
              "compare with a string, a whole number, true or false");
    }
  }
}

}  // namespace

void any_text::read(reader& r, const value& from, std::string& to) {
  if (auto words = r.text(from)) to = *std::move(words);
}

void sql_text::read(reader& r, const value& from, transform& to) {
  if (auto words = r.text(from, reader::braces::keep, &to.variables)) to.sql = *std::move(words);
}

void line_or_nothing::read(reader& r, const value& from, secret& to) {
  if (auto words = r.line(from, reader::braces::keep, reader::emptiness::allowed)) {
    to.reveal = *std::move(words);
  }
}

void one_line::read(reader& r, const value& from, std::string& to) {
  if (auto words = r.line(from)) to = *std::move(words);
}

void lane_name::read(reader& r, const value& from, std::string& to) {
  if (auto words = read_template(r, from, template_scope::client)) to = *std::move(words);
}

void id_text::read(reader& r, const value& from, std::string& to) {
  const auto words = r.line(from);
  if (!words) return;
  if (is_id(*words)) {
    to = *words;
  } else {
    r.wrong(from.begin, fmt::format("has {}, which is no name", in_quotes(from.string)),
            "write up to 100 letters, digits, - _ . and begin with a letter or digit");
  }
}

void currency_code::read(reader& r, const value& from, std::string& to) {
  read_by<currency_code>(r, from, only_if(is_currency), to);
}

void timezone_name::read(reader& r, const value& from, std::string& to) {
  read_by<timezone_name>(r, from, only_if(is_timezone), to);
  if (!to.empty() && !is_known_timezone(to)) {
    r.wrong(from.begin, fmt::format("is {}, which this machine does not know", in_quotes(to)),
            "check the spelling, or install tzdata");
  }
}

void duration::read(reader& r, const value& from, std::chrono::milliseconds& to) {
  read_by<duration>(r, from, parse_duration, to);
}

void duration::read(reader& r, const value& from, std::optional<std::chrono::milliseconds>& to) {
  read_by<duration>(r, from, parse_duration, to);
}

void size_text::read(reader& r, const value& from, std::uint64_t& to) {
  read_by<size_text>(r, from, parse_size, to);
}

void rate_text::read(reader& r, const value& from, limit& to) {
  const auto words = r.line(from);
  if (words && !parse_rate(*words, to)) {
    r.wrong(from.begin, fmt::format("is {}", in_quotes(from.string)),
            fmt::format("write {}", wanted));
  }
}

void header_name::read(reader& r, const value& from, std::string& to) {
  const auto words = r.line(from);
  if (words && !is_header_name(*words)) {
    r.wrong(from.begin, "is not the name of a header", fmt::format("write {}", wanted));
  } else if (words) {
    to = *words;
  }
}

namespace {

template <class ReadText>
void read_headers(reader& r, const value& from, std::map<std::string, std::string>& to,
                  ReadText read_text) {
  for (const auto& member : from.members) {
    const reader::inside here{r, member.name};
    if (!is_header_name(member.name)) {
      r.wrong(member.at, "is not the name of a header", "write letters, digits and -");
    } else if (member.item.is != text) {
      r.wrong(member.item.begin, fmt::format("is {}", name_of(member.item.is)), "write a string");
    } else if (auto words = read_text(member.item)) {
      to[member.name] = *std::move(words);
    }
  }
}

}  // namespace

void header_map::read(reader& r, const value& from, std::map<std::string, std::string>& to) {
  read_headers(r, from, to, [&](const value& item) { return r.line(item); });
}

void header_templates::read(reader& r, const value& from, std::map<std::string, std::string>& to) {
  read_headers(r, from, to, [&](const value& item) {
    auto words = r.line(item, reader::braces::doubled);
    if (!words || check_template(*words, template_scope::report).empty()) return words;
    // It may be a secret: nothing of it is quoted.
    r.wrong(item.begin, "is no template of a report",
            "write {client}, {account}, {currency} or {day}, and twice a brace that is one");
    words.reset();
    return words;
  });
}

void json_conditions::read(reader& r, const value& from, std::map<std::string, std::string>& to) {
  if (from.members.empty()) r.wrong(from.begin, "is empty", fmt::format("write {}", wanted));
  flatten(r, from, "", to);
}

void meaning_word::read(reader& r, const value& from, answer_rule::meaning& to) {
  static constexpr std::string_view words[] = {"rows",      "empty", "pending",     "transient",
                                               "throttled", "split", "credentials", "permanent"};
  read_word(r, from, words, to);
}

namespace {

// `url`: of that value.
void take_url(reader& r, const value& from, std::optional<std::string> url, std::string& to) {
  static constexpr std::string_view schemes[] = {"http", "https"};
  if (from.string.contains('?')) r.hide(from);  // a query may hold a key under any name
  if (!url) return;
  const auto parts = split_address(r, from, *url, schemes);
  constexpr std::string_view secrets =
      R"(put them into auth = { basic = { user = "…", password = "${PASSWORD}" } })";
  if (parts && read_host(r, from, parts->rest, secrets)) to = *std::move(url);
}

void read_url(reader& r, const value& from, std::string& to, template_scope scope) {
  take_url(r, from, read_template(r, from, scope), to);
}

// Errors are the reader's; what is wrong becomes null.
json::value body_of(reader& r, const value& from, template_scope scope) {
  switch (from.is) {
    case text: {
      auto words = read_template(r, from, scope);
      return words ? json::value(*words) : json::value(nullptr);
    }
    case whole: return from.integer;
    case flag: return from.boolean;
    case list: {
      json::array items;
      for (const auto& each : from.items) items.push_back(body_of(r, each, scope));
      return items;
    }
    case table: {
      json::object members;
      for (const auto& each : from.members) {
        const reader::inside here{r, each.name};
        members[each.name] = body_of(r, each.item, scope);
      }
      return members;
    }
    case real:
    case moment: break;
  }
  r.wrong(from.begin, fmt::format("holds {}", name_of(from.is)), "write it as a string");
  return nullptr;
}

}  // namespace

void web_url::read(reader& r, const value& from, std::string& to) {
  take_url(r, from, r.line(from), to);
}

void source_url::read(reader& r, const value& from, std::string& to) {
  read_url(r, from, to, template_scope::request);
}

void poll_url::read(reader& r, const value& from, std::string& to) {
  read_url(r, from, to, template_scope::remote);
}

void remote_url::read(reader& r, const value& from, std::string& to) {
  read_url(r, from, to, template_scope::remote);
  if (!to.empty() && !to.contains("{report}")) {
    r.wrong(from.begin, "asks for the same report whatever was requested", "put {report} into it");
  }
}

void json_body::read(reader& r, const value& from, std::string& to) {
  to = json::serialize(body_of(r, from, template_scope::request));
}

void poll_body::read(reader& r, const value& from, std::string& to) {
  to = json::serialize(body_of(r, from, template_scope::remote));
}

void id_frame::read(reader& r, const value& from, std::string& to) {
  constexpr std::string_view mark = "{report}";
  const auto words = r.text(from);
  if (!words) return;
  const auto at = words->find(mark);
  if (at == 0 || at == words->npos || words->find(mark, at + 1) != words->npos) {
    r.wrong(from.begin, fmt::format("is {}", in_quotes(from.string)),
            fmt::format("write {}", wanted));
  } else {
    to = *words;
  }
}

void endpoint_url::read(reader& r, const value& from, std::string& to) {
  static constexpr std::string_view schemes[] = {"http", "https"};
  auto url = r.line(from);
  const auto parts = url ? split_address(r, from, *url, schemes) : std::nullopt;
  constexpr std::string_view secrets =
      R"(take them out; S3 has access_key = "…" and secret_key = "${SECRET_KEY}")";
  const auto host = parts ? read_host(r, from, parts->rest, secrets) : std::nullopt;
  if (!host) return;
  const auto behind = parts->rest.substr(host->size());
  if (!behind.empty() && behind != "/") {
    r.wrong(from.begin, "has a path",
            "write only scheme, host and port: the sink's url has the rest");
    return;
  }
  url->resize(url->size() - behind.size());
  to = *std::move(url);
}

void sink_url::read(reader& r, const value& from, sink& to) {
  static constexpr std::string_view schemes[] = {"file", "s3"};
  auto url = read_template(r, from, template_scope::object);
  const auto parts = url ? split_address(r, from, *url, schemes) : std::nullopt;
  if (!parts || !reaches_an_object(r, from, *parts)) return;
  const auto known = ending_of(*url);
  if (!known) {
    r.wrong(from.begin, "has a name that tells no format",
            "end it with .parquet, .csv or .jsonl; the last two also with .gz or .zst");
  } else if (!tells_days_apart(*url)) {
    r.wrong(from.begin, "gives several days the same object, and one would replace the other",
            "put {day} into it");
  } else {
    to.format = known->format;
    to.compression = known->packed;
    to.url = *std::move(url);
  }
}

void store_url::read(reader& r, const value& from, std::string& to) {
  auto url = r.line(from);
  if (!url) return;
  constexpr std::string_view scheme = "sqlite:";
  if (!url->starts_with(scheme) || url->size() == scheme.size()) {
    r.wrong(from.begin, "is no store", fmt::format("write {}", wanted));
  } else {
    to = *std::move(url);
  }
}

}  // namespace wherry::app::toml_file
