// SPDX-License-Identifier: Apache-2.0
#include "transform/csv_reader.hpp"

#include <algorithm>
#include <charconv>
#include <chrono>
#include <cstring>

namespace wherry::app {
namespace {

bool is_continuation(unsigned char byte) { return (byte & 0xC0) == 0x80; }

// The length of the sequence at `at`, or 0 when it is not valid (overlong, surrogate, too high,
// cut).
std::size_t sequence_length(const unsigned char* at, const unsigned char* end) {
  const auto left = static_cast<std::size_t>(end - at);
  const unsigned first = at[0];
  if (first < 0x80) return 1;
  if (first >= 0xC2 && first <= 0xDF) return left >= 2 && is_continuation(at[1]) ? 2 : 0;
  if (first >= 0xE0 && first <= 0xEF) {
    if (left < 3 || !is_continuation(at[1]) || !is_continuation(at[2])) return 0;
    if (first == 0xE0 && at[1] < 0xA0) return 0;
    if (first == 0xED && at[1] > 0x9F) return 0;
    return 3;
  }
  if (first >= 0xF0 && first <= 0xF4) {
    if (left < 4 || !is_continuation(at[1]) || !is_continuation(at[2]) || !is_continuation(at[3]))
      return 0;
    if (first == 0xF0 && at[1] < 0x90) return 0;
    if (first == 0xF4 && at[1] > 0x8F) return 0;
    return 4;
  }
  return 0;
}

template <class Number>
std::optional<Number> whole_number(std::string_view text) {
  text = trimmed(text);
  Number value{};
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return value;
}

}  // namespace

csv_reader::csv_reader(std::string_view text, csv_dialect dialect)
    : dialect_(dialect),
      record_begin_(text.data()),
      at_(text.data()),
      end_(text.data() + text.size()) {
  if (text.starts_with("\xEF\xBB\xBF")) at_ += 3;
  special_['\n'] = special_['\r'] = true;
  special_[static_cast<unsigned char>(dialect.delimiter)] = true;
  if (dialect.quote != '\0') special_[static_cast<unsigned char>(dialect.quote)] = true;
}

bool csv_reader::skip_line() {
  const auto* const found =
      static_cast<const char*>(std::memchr(at_, '\n', static_cast<std::size_t>(end_ - at_)));
  if (found == nullptr) {
    at_ = end_;
    return false;
  }
  at_ = found + 1;
  ++line_;
  return true;
}

std::string_view csv_reader::record() const {
  std::string_view text(record_begin_, static_cast<std::size_t>(at_ - record_begin_));
  if (text.ends_with('\n')) text.remove_suffix(1);
  if (text.ends_with('\r')) text.remove_suffix(1);
  return text;
}

const char* csv_reader::after_plain_text(const char* at) const {
  while (at != end_ && !special_[static_cast<unsigned char>(*at)]) ++at;
  return at;
}

// From at_ on; null: there is none. An escaped quote is none; `doubled` is set by one.
const char* csv_reader::closing_quote(bool& doubled) {
  const auto find = [this](const char* from, char what) {
    return static_cast<const char*>(std::memchr(from, what, static_cast<std::size_t>(end_ - from)));
  };
  if (dialect_.escape == '\0') return find(at_, dialect_.quote);
  for (const char* from = at_;;) {
    const char* const quote = find(from, dialect_.quote);
    if (quote == nullptr) return nullptr;
    const auto* const escape = static_cast<const char*>(
        std::memchr(from, dialect_.escape, static_cast<std::size_t>(quote - from)));
    if (escape == nullptr) return quote;
    doubled = true;
    if (end_ - escape <= 2) return nullptr;
    from = escape + 2;
  }
}

std::expected<csv_field, csv_error> csv_reader::quoted_field() {
  const char* const begin = ++at_;
  bool doubled = false;
  for (;;) {
    const char* const quote = closing_quote(doubled);
    if (quote == nullptr) {
      return std::unexpected(csv_error{record_line_, "a quote opens and never closes"});
    }
    for (const char* c = at_; c != quote; ++c) line_ += *c == '\n' ? 1 : 0;
    at_ = quote + 1;
    if (dialect_.escape == '\0' && is_quote()) {
      doubled = true;
      ++at_;
      continue;
    }
    if (at_ != end_ && *at_ != dialect_.delimiter && *at_ != '\n' && *at_ != '\r') {
      return std::unexpected(csv_error{line_, "text follows a closing quote"});
    }
    return csv_field{{begin, static_cast<std::size_t>(quote - begin)}, true, doubled};
  }
}

std::expected<bool, csv_error> csv_reader::next(std::vector<csv_field>& fields) {
  fields.clear();
  if (at_ == end_) return false;
  record_line_ = line_;
  record_begin_ = at_;
  for (;;) {
    if (is_quote()) {
      auto field = quoted_field();
      if (!field) return std::unexpected(std::move(field.error()));
      fields.push_back(*field);
    } else {
      const char* const begin = at_;
      at_ = after_plain_text(at_);
      while (at_ != end_ && *at_ == '\r' && (at_ + 1 == end_ || at_[1] != '\n')) {
        at_ = after_plain_text(at_ + 1);  // a lone carriage return is text
      }
      if (is_quote()) {
        return std::unexpected(csv_error{line_, "a quote stands inside an unquoted field"});
      }
      fields.push_back({{begin, static_cast<std::size_t>(at_ - begin)}, false, false});
    }
    if (at_ == end_) return true;
    if (*at_ == dialect_.delimiter) {
      ++at_;
      continue;
    }
    if (*at_ == '\r') {
      ++at_;
      if (at_ == end_ || *at_ != '\n') {
        return std::unexpected(csv_error{line_, "text follows a closing quote"});
      }
    }
    ++at_;
    ++line_;
    return true;
  }
}

void append_unquoted(std::string& out, std::string_view text, const csv_dialect& dialect) {
  if (dialect.escape == '\0') {
    for (std::size_t at = 0; at < text.size(); ++at) {
      out.push_back(text[at]);
      if (text[at] == dialect.quote) ++at;
    }
    return;
  }
  for (std::size_t at = 0; at < text.size(); ++at) {
    const bool escapes = text[at] == dialect.escape && at + 1 < text.size() &&
                         (text[at + 1] == dialect.quote || text[at + 1] == dialect.escape);
    if (escapes) ++at;
    out.push_back(text[at]);
  }
}

std::optional<std::uint64_t> line_of_invalid_utf8(std::string_view text,
                                                  const std::function<void(const char*)>& passed) {
  constexpr std::ptrdiff_t block_size_bytes = 4 << 20;
  const auto* const begin = reinterpret_cast<const unsigned char*>(text.data());
  const auto* const end = begin + text.size();
  const auto* at = begin;
  while (at != end) {
    const auto* const block = end - at > block_size_bytes ? at + block_size_bytes : end;
    while (at < block) {
      std::uint64_t word = 0;
      while (block - at >= 8) {
        std::memcpy(&word, at, 8);
        if ((word & 0x8080808080808080u) != 0) break;
        at += 8;
      }
      if (at >= block) break;
      const auto length = sequence_length(at, end);
      if (length == 0) {
        return 1 + static_cast<std::uint64_t>(std::count(begin, at, '\n'));
      }
      at += length;
    }
    if (passed) passed(reinterpret_cast<const char*>(at));
  }
  return std::nullopt;
}

std::string_view trimmed(std::string_view text) {
  const auto is_space = [](char c) { return c == ' ' || c == '\t'; };
  while (!text.empty() && is_space(text.front())) text.remove_prefix(1);
  while (!text.empty() && is_space(text.back())) text.remove_suffix(1);
  return text;
}

template <class Integer>
std::optional<Integer> parse_integer(std::string_view text) {
  return whole_number<Integer>(text);
}
template std::optional<std::int16_t> parse_integer(std::string_view);
template std::optional<std::int32_t> parse_integer(std::string_view);
template std::optional<std::int64_t> parse_integer(std::string_view);

std::optional<double> parse_double(std::string_view text) { return whole_number<double>(text); }

std::optional<bool> parse_boolean(std::string_view text) {
  text = trimmed(text);
  const auto is = [text](std::string_view word) {
    if (text.size() != word.size()) return false;
    for (std::size_t i = 0; i < word.size(); ++i) {
      const char c = text[i] >= 'A' && text[i] <= 'Z' ? static_cast<char>(text[i] + 32) : text[i];
      if (c != word[i]) return false;
    }
    return true;
  };
  if (is("true") || is("t") || is("1")) return true;
  if (is("false") || is("f") || is("0")) return false;
  return std::nullopt;
}

std::optional<std::int32_t> parse_date(std::string_view text) {
  text = trimmed(text);
  if (text.size() != 10 || text[4] != '-' || text[7] != '-') return std::nullopt;
  unsigned part[3] = {0, 0, 0};
  for (std::size_t i = 0, which = 0; i < 10; ++i) {
    if (i == 4 || i == 7) {
      ++which;
      continue;
    }
    if (text[i] < '0' || text[i] > '9') return std::nullopt;
    part[which] = part[which] * 10 + static_cast<unsigned>(text[i] - '0');
  }
  const std::chrono::year_month_day date{std::chrono::year{static_cast<int>(part[0])},
                                         std::chrono::month{part[1]}, std::chrono::day{part[2]}};
  if (!date.ok()) return std::nullopt;
  return static_cast<std::int32_t>(std::chrono::sys_days{date}.time_since_epoch().count());
}

}  // namespace wherry::app
