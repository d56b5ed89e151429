// SPDX-License-Identifier: Apache-2.0
#include "source/pages.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <boost/json.hpp>
#include <charconv>

#include "source/json_path.hpp"
#include "source/line_rows.hpp"
#include "spec/spelling.hpp"

namespace wherry::app {
namespace {

using way = report_pages::way;

/// The address of rel="next" in a Link header (RFC 8288), or a header that is but an address.
std::string link_in(std::string_view header) {
  if (!header.contains('<')) return std::string(header);
  for (std::size_t at = 0; (at = header.find('<', at)) != header.npos; ++at) {
    const auto close = header.find('>', at);
    if (close == header.npos) break;
    const auto parameters = header.substr(close + 1, header.find('<', close) - close - 1);
    const bool is_next = parameters.contains("rel=\"next\"") || parameters.contains("rel=next");
    if (is_next) return std::string(header.substr(at + 1, close - at - 1));
  }
  return {};
}

/// What the first page is counted from, and the later ones by their number.
std::uint64_t number_of(const report_pages& how, std::string_view asked_by) {
  std::uint64_t number = how.by == way::page ? static_cast<std::uint64_t>(how.first) : 0;
  std::from_chars(asked_by.data(), asked_by.data() + asked_by.size(), number);
  return number;
}

bool is_a_row(std::string_view line) { return line.find_first_not_of(" \t\r") != line.npos; }

const boost::json::value* array_at(const boost::json::value& in, std::string_view path) {
  const auto* const found = path.empty() ? &in : value_at(in, path);
  return found != nullptr && found->is_array() ? found : nullptr;
}

/// A number or a text of one; not what is none, or no whole one.
std::optional<std::uint64_t> number_at(const boost::json::value& in, std::string_view path) {
  const auto* const at = value_at(in, path);
  if (at == nullptr) return std::nullopt;
  if (const auto* const text = at->if_string()) {
    std::uint64_t number = 0;
    const auto read = std::from_chars(text->begin(), text->end(), number);
    if (read.ec != std::errc{} || read.ptr != text->end()) return std::nullopt;
    return number;
  }
  boost::system::error_code wrong;
  const auto number = at->to_number<std::uint64_t>(wrong);
  return wrong ? std::nullopt : std::optional(number);
}

/// As APIs say yes and no; not what says neither, or nothing.
std::optional<bool> flag_at(const boost::json::value& in, std::string_view path) {
  const auto* const at = value_at(in, path);
  if (at == nullptr) return std::nullopt;
  if (at->is_null()) return false;
  if (const auto* const flag = at->if_bool()) return *flag;
  const auto text = text_at(in, path).value_or("");
  if (text == "true") return true;
  if (text == "false") return false;
  const auto number = number_at(in, path);
  return number ? std::optional(*number != 0) : std::nullopt;
}

using said_next = std::expected<std::string, std::string>;

said_next no_rows_there() {
  return std::unexpected(std::string("has no rows where `source.format.rows` says"));
}

/// The answer does not say whether there are more pages: one without rows is the last all the same.
said_next silent(std::optional<std::size_t> rows, std::string_view key, std::string_view path) {
  if (!rows) return no_rows_there();
  if (*rows == 0) return {};
  return std::unexpected(fmt::format(
      "has rows, and nothing at \"{}\" (`source.pages.{}`) that says whether it is the last", path,
      key));
}

}  // namespace

std::optional<std::size_t> count_rows(const report_format& format, std::string_view body) {
  switch (format.type) {
    case report_format::kind::json: {
      const auto parsed = parse_json(body);
      const auto* const rows = parsed ? array_at(*parsed, format.rows) : nullptr;
      if (rows == nullptr) return std::nullopt;
      return rows->get_array().size();
    }
    case report_format::kind::csv:
    case report_format::kind::tsv: {
      line_rows rows(format);
      rows.add(body);
      rows.finish();
      return rows.count();
    }
    case report_format::kind::jsonl: break;
  }
  std::size_t rows = 0;
  for (std::size_t at = 0; at < body.size();) {
    const auto end = std::min(body.find('\n', at), body.size());
    if (is_a_row(body.substr(at, end - at))) ++rows;
    at = end + 1;
  }
  return rows;
}

template_values page_values(const report_pages& how, std::string_view asked_by) {
  const auto number = number_of(how, asked_by);
  return {{"cursor", how.by == way::cursor ? std::string(asked_by) : std::string()},
          {"offset", fmt::format("{}", how.by == way::offset ? number : 0)},
          {"page", fmt::format("{}", how.by == way::page ? number : 0)},
          {"size", how.size > 0 ? fmt::format("{}", how.size) : std::string()}};
}

std::string without_secrets(std::string_view link, const source& spec) {
  const auto begin = std::min(link.find('?'), link.find('#'));
  if (begin == link.npos || link[begin] == '#') return std::string(link);
  const auto is_secret = [&](std::string_view parameter) {
    std::string name(parameter.substr(0, parameter.find('=')));
    std::ranges::replace(name, '+', ' ');
    name = uri_decode(name);
    const auto puts_it = [&](const auth& by) {
      const auto* const query = std::get_if<query_auth>(&by);
      return query != nullptr && query->name == name;
    };
    return name == "access_token" || puts_it(spec.auth) ||
           std::ranges::any_of(spec.more_auth, puts_it);
  };
  const auto end = std::min(link.find('#', begin), link.size());
  auto query = link.substr(begin + 1, end - begin - 1);
  std::string kept(link.substr(0, begin));
  while (!query.empty()) {
    const auto one = query.substr(0, query.find('&'));
    query.remove_prefix(std::min(one.size() + 1, query.size()));
    if (is_secret(one)) continue;
    kept += kept.size() == begin ? '?' : '&';
    kept += one;
  }
  return kept.append(link.substr(end));
}

bool is_packed(std::string_view body) {
  using namespace std::string_view_literals;
  constexpr std::string_view marks[] = {"\x1f\x8b"sv, "PK\x03\x04"sv, "\xff\xfe"sv, "\xfe\xff"sv};
  return std::ranges::any_of(marks, [&](auto mark) { return body.starts_with(mark); });
}

std::expected<std::string, std::string> next_page(const report_pages& how,
                                                  const report_format& format,
                                                  const page_answer& answer,
                                                  std::string_view asked_by) {
  const bool reads_json = !how.json.empty() || !how.last.empty() || !how.more.empty();
  const auto said = reads_json ? parse_json(answer.body) : std::nullopt;
  if (reads_json && !said) {
    return std::unexpected(std::string("is no JSON, in which the next page is looked for"));
  }
  if (!how.more.empty()) {
    const auto more = flag_at(*said, how.more);
    if (!more) return silent(count_rows(format, answer.body), "more", how.more);
    if (!*more) return {};
  }
  if (!how.header.empty()) return link_in(find_header(answer.headers, how.header));
  if (how.by == way::link || how.by == way::cursor) {
    auto next = text_at(*said, how.json).value_or("");
    if (next == "null" || next == "false") return {};
    return next;
  }
  const auto number = number_of(how, asked_by);
  const auto rows = count_rows(format, answer.body);
  if (!rows) return no_rows_there();
  const auto further =
      how.by == way::page ? number + 1 : number + static_cast<std::uint64_t>(*rows);
  const auto next = fmt::format("{}", further);
  if (!how.more.empty()) return next;
  if (!how.last.empty()) {
    const auto last = number_at(*said, how.last);
    if (!last) return silent(rows, "last", how.last);
    return further <= *last ? next : std::string();
  }
  return std::cmp_less(*rows, how.size) ? std::string() : next;
}

}  // namespace wherry::app
