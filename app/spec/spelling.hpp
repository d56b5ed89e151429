// SPDX-License-Identifier: Apache-2.0
#pragma once
// A text as others spell it: in an address, or where upper and lower case are one.

#include <string>
#include <string_view>

namespace wherry::app {

/// Encodes all bytes but A-Z a-z 0-9 - . _ ~ as %XX; with `slash::keep` not the slash either.
enum class slash { keep, encode };
[[nodiscard]] std::string uri_encode(std::string_view text, slash how);

/// The bytes that an encoded text stands for; a % that begins no %XX stands for itself.
[[nodiscard]] std::string uri_decode(std::string_view text);

/// With a-z for A-Z, and all other bytes as they are.
[[nodiscard]] std::string in_lower_case(std::string_view text);

}  // namespace wherry::app
