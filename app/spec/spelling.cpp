// SPDX-License-Identifier: Apache-2.0
#include "spec/spelling.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <cstdint>

namespace wherry::app {
namespace {

bool is_plain(char c) noexcept {
  return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' ||
         c == '.' || c == '_' || c == '~';
}

}  // namespace

std::string uri_encode(std::string_view text, slash how) {
  constexpr std::string_view digits = "0123456789ABCDEF";
  std::string encoded;
  encoded.reserve(text.size());
  for (const char c : text) {
    if (is_plain(c) || (c == '/' && how == slash::keep)) {
      encoded += c;
    } else {
      const auto value = static_cast<unsigned char>(c);
      encoded += {'%', digits[value >> 4], digits[value & 15]};
    }
  }
  return encoded;
}

std::string uri_decode(std::string_view text) {
  std::string plain;
  for (std::size_t i = 0; i < text.size(); ++i) {
    unsigned char byte = 0;
    const auto* const digits = text.data() + i + 1;
    if (text[i] == '%' && i + 2 < text.size() &&
        std::from_chars(digits, digits + 2, byte, 16).ptr == digits + 2) {
      plain += static_cast<char>(byte);
      i += 2;
    } else {
      plain += text[i];
    }
  }
  return plain;
}

std::string in_lower_case(std::string_view text) {
  std::string lower{text};
  std::ranges::transform(lower, lower.begin(), [](char c) {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  });
  return lower;
}

std::string in_base64(std::string_view bytes) {
  constexpr std::string_view digits =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::string text;
  for (std::size_t at = 0; at < bytes.size(); at += 3) {
    const auto three = bytes.substr(at, 3);
    std::uint32_t bits = 0;
    for (std::size_t i = 0; i < 3; ++i) {
      bits = bits << 8 | (i < three.size() ? static_cast<unsigned char>(three[i]) : 0u);
    }
    for (std::size_t i = 0; i < 4; ++i) {
      text += i <= three.size() ? digits[bits >> (18 - 6 * i) & 63u] : '=';
    }
  }
  return text;
}

std::string with_replaced(std::string_view text, replacements by) {
  std::ranges::sort(by, std::greater{}, [](const auto& each) { return each.first.size(); });
  std::array<bool, 256> begins{};  // whether any of them does with that byte
  for (const auto& each : by) begins[static_cast<unsigned char>(each.first.front())] = true;
  std::string made;
  made.reserve(text.size());
  while (!text.empty()) {
    const auto here = begins[static_cast<unsigned char>(text.front())]
                          ? std::ranges::find_if(
                                by, [&](const auto& each) { return text.starts_with(each.first); })
                          : by.end();
    const bool is_replaced = here != by.end();
    made += is_replaced ? std::string_view(here->second) : text.substr(0, 1);
    text.remove_prefix(is_replaced ? here->first.size() : 1);
  }
  return made;
}

}  // namespace wherry::app
