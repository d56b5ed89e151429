// SPDX-License-Identifier: Apache-2.0
#pragma once
// The little XML that AWS speaks: the text of one element of an answer, and text that goes into
// one. Pure.

#include <string>
#include <string_view>

namespace wherry::app {

/// Finds the text of the first <element>, as it stands; empty: there is none, or it does not end.
[[nodiscard]] std::string_view xml_text(std::string_view xml, std::string_view element) noexcept;

/// A text as it stands in an element.
[[nodiscard]] std::string xml_escaped(std::string_view text);

}  // namespace wherry::app
