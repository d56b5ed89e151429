// SPDX-License-Identifier: Apache-2.0
#pragma once
// What the commands write. A reader that went away or a log on a full disk must not end an import:
// writing never throws. What of a command's result could not be written is known at its end.

#include <fmt/format.h>

#include <string>
#include <string_view>
#include <utility>

namespace wherry::app {

/// Writes to stdout: the result of a command.
void write_out(std::string_view text) noexcept;
/// Writes to stderr: progress, and what went wrong.
void write_err(std::string_view text) noexcept;
/// Whether all of the result has been written. Call at the end.
[[nodiscard]] bool flush_out() noexcept;

template <class... Values>
void say(fmt::format_string<Values...> text, Values&&... values) {
  write_out(fmt::format(text, std::forward<Values>(values)...));
}
template <class... Values>
void tell(fmt::format_string<Values...> text, Values&&... values) {
  write_err(fmt::format(text, std::forward<Values>(values)...));
}

/// Writes "wherry: <text>" to stderr.
void complain(const std::string& text);

}  // namespace wherry::app
