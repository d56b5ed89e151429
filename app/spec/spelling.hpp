// SPDX-License-Identifier: Apache-2.0
#pragma once
// A text as others spell it: in an address, in base64, or where upper and lower case are one; and
// a text with other words in place of some of its own.

#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace wherry::app {

/// Encodes all bytes but A-Z a-z 0-9 - . _ ~ as %XX; with `slash::keep` not the slash either.
enum class slash { keep, encode };
[[nodiscard]] std::string uri_encode(std::string_view text, slash how);

/// The bytes that an encoded text stands for; a % that begins no %XX stands for itself.
[[nodiscard]] std::string uri_decode(std::string_view text);

/// With a-z for A-Z, and all other bytes as they are.
[[nodiscard]] std::string in_lower_case(std::string_view text);

/// In base64, padded: RFC 4648, 4.
[[nodiscard]] std::string in_base64(std::string_view bytes);

/// What is to be replaced, and by what.
using replacements = std::vector<std::pair<std::string, std::string>>;

/// Replaces what stands in the text, from its beginning on; where two of them fit, the longer one.
/// What took a place is not looked at again. Requires: nothing empty is to be replaced.
[[nodiscard]] std::string with_replaced(std::string_view text, replacements by);

}  // namespace wherry::app
