// SPDX-License-Identifier: Apache-2.0
#include "transform/shown_text.hpp"

#include <algorithm>

namespace wherry::app {
namespace {

constexpr std::size_t shortest = 3;

void replace_all(std::string& in, std::string_view what, std::string_view by) {
  for (auto at = in.find(what); at != in.npos; at = in.find(what, at + by.size())) {
    in.replace(at, what.size(), by);
  }
}

}  // namespace

std::string plain_text(std::string_view text) {
  std::string plain;
  plain.reserve(text.size());
  for (std::size_t i = 0; i < text.size(); ++i) {
    const auto byte = static_cast<unsigned char>(text[i]);
    const auto next = i + 1 < text.size() ? static_cast<unsigned char>(text[i + 1]) : 0u;
    if (byte == '\n' || byte == '\r' || byte == '\t') {
      if (!plain.ends_with(' ')) plain += ' ';
    } else if (byte < 0x20 || byte == 0x7F) {
      plain += '?';
    } else if (byte == 0xC2 && next >= 0x80 && next < 0xA0) {  // U+0080 to U+009F in UTF-8
      plain += '?';
      ++i;
    } else {
      plain += text[i];
    }
  }
  return plain;
}

error_cover::error_cover(const std::map<std::string, secret>& variables) {
  for (const auto& [name, value] : variables) {
    if (value.reveal.size() < shortest) continue;
    covers_.push_back({value.reveal, "${" + name + "}"});
    // In the SQL quotes are doubled, in what it says they are not.
    for (const auto* twice : {"''", "\"\""}) {
      auto undoubled = value.reveal;
      replace_all(undoubled, twice, std::string_view{twice, 1});
      if (undoubled != value.reveal) covers_.push_back({undoubled, "${" + name + "}"});
    }
    if (auto one_line = plain_text(value.reveal); one_line != value.reveal) {
      covers_.push_back({std::move(one_line), "${" + name + "}"});
    }
  }
  std::ranges::sort(covers_, std::ranges::greater{},
                    [](const cover& one) { return one.value.size(); });
}

std::string error_cover::covered(std::string_view message) const {
  std::string text{message};
  for (const auto& each : covers_) replace_all(text, each.value, each.name);
  text = plain_text(text);
  for (const auto& each : covers_) replace_all(text, each.value, each.name);
  // A token of a value, or one that was cut.
  for (std::size_t at = 0; (at = text.find_first_of("'\"", at)) != text.npos;) {
    const auto end = text.find(text[at], at + 1);
    if (end == text.npos) break;
    const auto piece = std::string_view{text}.substr(at + 1, end - at - 1);
    const bool is_part =
        piece.size() >= shortest &&
        std::ranges::any_of(covers_, [&](const cover& one) { return one.value.contains(piece); });
    if (is_part) {
      text.replace(at + 1, piece.size(), "***");
      at += 5;  // behind the closing quote
    } else {
      ++at;  // an apostrophe opens no quotation
    }
  }
  return text;
}

}  // namespace wherry::app
