// SPDX-License-Identifier: Apache-2.0
#include "source/pages.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <boost/json.hpp>
#include <charconv>

#include "source/json_path.hpp"
#include "source/line_rows.hpp"

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

std::string without_access_token(std::string link) {
  constexpr std::string_view name = "access_token=";
  for (std::size_t at = 0; (at = link.find(name, at)) != link.npos;) {
    if (at == 0 || (link[at - 1] != '?' && link[at - 1] != '&')) {
      ++at;
      continue;
    }
    const auto end = std::min(link.find_first_of("&#", at), link.size());
    const bool is_followed = end < link.size() && link[end] == '&';
    link.erase(is_followed ? at : at - 1, end - at + 1);
    if (!is_followed) at = at - 1;
  }
  return link;
}

std::expected<std::string, std::string> next_page(const report_pages& how,
                                                  const report_format& format,
                                                  const page_answer& answer,
                                                  std::string_view asked_by) {
  if (!how.header.empty()) {
    return without_access_token(link_in(find_header(answer.headers, how.header)));
  }
  const bool reads_json = !how.json.empty() || !how.last.empty() || !how.more.empty();
  const auto said = reads_json ? parse_json(answer.body) : std::nullopt;
  if (reads_json && !said) {
    return std::unexpected(std::string("is no JSON, in which the next page is looked for"));
  }
  if (how.by == way::link || how.by == way::cursor) {
    auto next = text_at(*said, how.json).value_or("");
    if (next == "null" || next == "false") return std::string();
    return how.by == way::link ? without_access_token(std::move(next)) : std::move(next);
  }
  const auto number = number_of(how, asked_by);
  const auto rows = count_rows(format, answer.body);
  if (!rows) return std::unexpected(std::string("has no rows where `source.format.rows` says"));
  const auto further =
      how.by == way::page ? number + 1 : number + static_cast<std::uint64_t>(*rows);
  const auto next = fmt::format("{}", further);
  if (!how.more.empty()) return text_at(*said, how.more) == "true" ? next : std::string();
  if (!how.last.empty()) {
    const auto last = text_at(*said, how.last);
    std::uint64_t most = 0;
    if (last) std::from_chars(last->data(), last->data() + last->size(), most);
    return further <= most ? next : std::string();
  }
  return std::cmp_less(*rows, how.size) ? std::string() : next;
}

}  // namespace wherry::app
