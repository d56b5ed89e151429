// SPDX-License-Identifier: Apache-2.0
#include "aws/xml.hpp"

namespace wherry::app {
namespace {

// Where <element> or </element> begins; npos: nowhere.
std::size_t find_tag(std::string_view xml, std::string_view before, std::string_view element) {
  for (auto at = xml.find(before); at != xml.npos; at = xml.find(before, at + 1)) {
    const auto rest = xml.substr(at + before.size());
    if (rest.starts_with(element) && rest.substr(element.size()).starts_with('>')) return at;
  }
  return xml.npos;
}

}  // namespace

std::string_view xml_text(std::string_view xml, std::string_view element) noexcept {
  const auto begin = find_tag(xml, "<", element);
  if (begin == xml.npos) return {};
  const auto rest = xml.substr(begin + element.size() + 2);
  const auto end = find_tag(rest, "</", element);
  return end == rest.npos ? std::string_view{} : rest.substr(0, end);
}

std::string xml_escaped(std::string_view text) {
  std::string escaped;
  for (const char each : text) {
    switch (each) {
      case '&': escaped += "&amp;"; break;
      case '<': escaped += "&lt;"; break;
      case '>': escaped += "&gt;"; break;
      default: escaped += each;
    }
  }
  return escaped;
}

}  // namespace wherry::app
