// SPDX-License-Identifier: Apache-2.0
#pragma once
// How a report is put together from pages and parts. Pure. Internal to app/report.

#include <optional>
#include <string>
#include <string_view>

#include "report/states.hpp"
#include "spec/spec.hpp"

namespace wherry::app {

/// What {part} stands for: the values of the part under way, all of them if it is not split; empty:
/// the spec splits nothing.
[[nodiscard]] std::string part_text(const std::optional<report_split>& how, const collected& of);

/// The same with half of the part under way to be asked for, then its other half: what there is of
/// its pages is forgotten. Empty: it is but one value.
[[nodiscard]] std::optional<collected> halved(const report_split& how, collected of);

/// The same with the part under way complete.
[[nodiscard]] collected with_part_complete(collected of);

/// What of a later page of CSV belongs into the whole: it repeats the lines up to the header.
/// `lines_left`: how many of them are still to come; counts down over the pieces of a page.
[[nodiscard]] std::string_view without_header(std::string_view piece, int& lines_left);

/// How many lines a page repeats that the first one has, too.
[[nodiscard]] int repeated_lines(const report_format& format);

}  // namespace wherry::app
