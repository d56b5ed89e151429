// SPDX-License-Identifier: Apache-2.0
#include "recording/exchange.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <vector>

#include "spec/words.hpp"

namespace wherry::app {
namespace {

constexpr std::string_view until_closed = "until the connection closed";

void put_headers(std::string& to, char side, const http_headers& headers) {
  for (const auto& [name, value] : headers) to += fmt::format("{} {}: {}\n", side, name, value);
}

/// The lines of an exchange, one by one.
class line_reader {
 public:
  explicit line_reader(std::string_view text) : rest_(text) {}

  /// The next line without "> " or "< ", if it is of that side.
  std::optional<std::string_view> next(char side) {
    if (!rest_.starts_with(side)) return std::nullopt;
    ++number_;
    auto line = rest_.substr(1, rest_.find('\n') - std::min<std::size_t>(rest_.find('\n'), 1));
    rest_.remove_prefix(std::min(line.size() + 2, rest_.size()));
    if (line.starts_with(' ')) line.remove_prefix(1);
    return line;
  }
  [[nodiscard]] std::string_view rest() const { return rest_; }
  [[nodiscard]] std::unexpected<std::string> wrong(std::string_view what) const {
    return std::unexpected(fmt::format("line {}: {}", number_, what));
  }

 private:
  std::string_view rest_;
  int number_ = 0;
};

/// Headers up to an empty line, or to the end of the side. False: one is none.
bool read_headers(line_reader& lines, char side, http_headers& to, bool& has_body) {
  while (const auto line = lines.next(side)) {
    has_body = line->empty();
    if (has_body) return true;
    const auto colon = line->find(": ");
    if (colon == line->npos) return false;
    to.emplace_back(line->substr(0, colon), line->substr(colon + 2));
  }
  return true;
}

/// "200, 345 bytes, in 0003-GET-r.body, until the connection closed"
bool read_status(std::string_view line, read_exchange& to) {
  const auto number = [](std::string_view text, auto& into) {
    const auto read = std::from_chars(text.data(), text.data() + text.size(), into);
    return read.ptr == text.data() + text.size() && !text.empty();
  };
  bool is_first = true;
  while (!line.empty()) {
    const auto part = line.substr(0, line.find(", "));
    line.remove_prefix(std::min(part.size() + 2, line.size()));
    if (is_first) {
      if (!number(part, to.said.status) || to.said.status < 100 || to.said.status > 999)
        return false;
      is_first = false;
    } else if (part == until_closed) {
      to.said.ended_by_close = true;
    } else if (part.starts_with("in ")) {
      to.body_file = part.substr(3);
    } else if (part.ends_with(" bytes")) {
      if (!number(part.substr(0, part.find(' ')), to.body_size_bytes.emplace())) return false;
    } else {
      return false;
    }
  }
  return !is_first;
}

std::string_view address_of(std::string_view url) { return url.substr(0, url.find('?')); }

std::vector<std::string_view> parameters_of(std::string_view url) {
  std::vector<std::string_view> all;
  const auto begin = url.find('?');
  if (begin == url.npos) return all;
  for (auto query = url.substr(begin + 1); !query.empty();) {
    const auto one = query.substr(0, query.find('&'));
    query.remove_prefix(std::min(one.size() + 1, query.size()));
    all.push_back(one);
  }
  return all;
}

/// Those of `of` that `other` has not.
std::vector<std::string_view> alone(const std::vector<std::string_view>& of,
                                    const std::vector<std::string_view>& other) {
  std::vector<std::string_view> left;
  for (const auto each : of) {
    if (std::ranges::find(other, each) == other.end()) left.push_back(each);
  }
  return left;
}

std::size_t alike_from_the_start(std::string_view one, std::string_view other) noexcept {
  return static_cast<std::size_t>(std::ranges::mismatch(one, other).in1 - one.begin());
}

}  // namespace

bool is_plain_text(std::string_view body) noexcept {
  return std::ranges::none_of(body, [](char c) {
    const auto byte = static_cast<unsigned char>(c);
    return (byte < 0x20 && c != '\t' && c != '\n' && c != '\r') || byte == 0x7F;
  });
}

std::string to_text(const exchange& of, std::string_view body_file) {
  auto text = fmt::format("> {} {}\n", of.asked.method, of.asked.url);
  put_headers(text, '>', of.asked.headers);
  if (!of.asked.body.empty()) {
    text += ">\n";
    for (std::string_view rest = of.asked.body;;) {
      const auto line = rest.substr(0, rest.find('\n'));
      text += fmt::format("> {}\n", line);
      if (line.size() == rest.size()) break;
      rest.remove_prefix(line.size() + 1);
    }
  }
  text += fmt::format("< {}, {} bytes", of.status, of.body.size());
  if (!body_file.empty()) text += fmt::format(", in {}", body_file);
  if (of.ended_by_close) text += fmt::format(", {}", until_closed);
  text += '\n';
  put_headers(text, '<', of.headers);
  text += "<\n";
  if (body_file.empty()) text += of.body;
  return text;
}

std::expected<read_exchange, std::string> parse_exchange(std::string_view text) {
  read_exchange read;
  auto& [asked, status, headers, body, ended_by_close] = read.said;
  line_reader lines(text);
  const auto first = lines.next('>');
  const auto space = first ? first->find(' ') : first.value_or("").npos;
  if (space == std::string_view::npos) {
    return lines.wrong("an exchange begins with a line as \"> GET https://…\"");
  }
  asked.method = first->substr(0, space);
  asked.url = first->substr(space + 1);
  bool has_body = false;
  if (!read_headers(lines, '>', asked.headers, has_body)) {
    return lines.wrong("a header of the request is to be as \"> Name: value\"");
  }
  bool is_first_line = true;
  while (const auto line = has_body ? lines.next('>') : std::nullopt) {
    if (!is_first_line) asked.body += '\n';
    asked.body += *line;
    is_first_line = false;
  }
  const auto answer = lines.next('<');
  if (!answer) {
    return lines.wrong("no answer follows: a line as \"< 200, 345 bytes\"; the file was cut");
  }
  if (!read_status(*answer, read)) return lines.wrong("an answer begins as \"< 200, 345 bytes\"");
  bool is_whole = false;
  if (!read_headers(lines, '<', headers, is_whole)) {
    return lines.wrong("a header of the answer is to be as \"< Name: value\"");
  }
  if (!is_whole)
    return lines.wrong("no line \"<\" follows, which ends the headers; the file was cut");
  body = lines.rest();
  return read;
}

bool are_same(const question& one, const question& other) noexcept {
  return one.method == other.method && one.url == other.url && one.body == other.body;
}

std::size_t likeness(const question& one, const question& other) noexcept {
  constexpr std::size_t decides = 1u << 20;
  return decides * ((one.method == other.method ? 1 : 0) + (one.body == other.body ? 1 : 0) +
                    (address_of(one.url) == address_of(other.url) ? 2 : 0)) +
         alike_from_the_start(one.url, other.url) + alike_from_the_start(one.body, other.body);
}

std::string difference(const question& now, const question& recorded) {
  std::vector<std::string> parts;
  if (now.method != recorded.method) {
    parts.push_back(fmt::format("the method, {} then", recorded.method));
  }
  if (address_of(now.url) != address_of(recorded.url)) {
    parts.push_back(fmt::format("the address, {} then", address_of(recorded.url)));
  }
  const auto here = parameters_of(now.url), there = parameters_of(recorded.url);
  const auto fresh = alone(here, there), gone = alone(there, here);
  if (!fresh.empty() || !gone.empty()) {
    parts.push_back(
        fmt::format("the query, where {} stood in place of {}",
                    gone.empty() ? "nothing" : fmt::format("{}", fmt::join(gone, "&")),
                    fresh.empty() ? "nothing" : fmt::format("{}", fmt::join(fresh, "&"))));
  } else if (now.url != recorded.url && address_of(now.url) == address_of(recorded.url)) {
    parts.push_back("the order of the query");
  }
  if (now.body != recorded.body) {
    const auto from = alike_from_the_start(now.body, recorded.body);
    const auto at = from - std::min<std::size_t>(from, 20);
    parts.push_back(fmt::format("the body, where {} stood in place of {}",
                                in_quotes(std::string_view(recorded.body).substr(at)),
                                in_quotes(std::string_view(now.body).substr(at))));
  }
  return fmt::format("{}", fmt::join(parts, "; "));
}

}  // namespace wherry::app
