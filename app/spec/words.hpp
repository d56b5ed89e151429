// SPDX-License-Identifier: Apache-2.0
#pragma once
// Words for mistakes: how a piece of somebody's input is quoted, and which known word was meant.

#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace wherry::app {

/// Quotes input for a message: in double quotes, control characters as "?", cut at 60 bytes; so
/// that no file can move a terminal's cursor or flood it.
[[nodiscard]] std::string in_quotes(std::string_view text);

/// Finds the known word nearest to a misspelt one: one edit in three letters, at most three; a swap
/// of neighbours is one edit. Empty if none is near.
[[nodiscard]] std::optional<std::string_view> closest(std::string_view word,
                                                      std::span<const std::string_view> known);

/// Says `did you mean "columns"?` or, where no known word is near, `known keys: a, b, c`.
[[nodiscard]] std::string did_you_mean(std::string_view word,
                                       std::span<const std::string_view> known,
                                       std::string_view known_as);

/// Tells whether a text speaks of secrets: token, password, key and their like.
[[nodiscard]] bool mentions_secret(std::string_view text);

}  // namespace wherry::app
