// SPDX-License-Identifier: Apache-2.0
#pragma once
// What the name of an object tells: its format and how it is compressed. Pure.

#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "spec/spec.hpp"

namespace wherry::app {

struct name_ending {
  std::string_view text;  ///< ".csv.gz"
  file_format format;
  compression packed;
};

/// All endings that tell a format.
[[nodiscard]] std::span<const name_ending> name_endings() noexcept;

/// Finds the ending of a name; none: it tells no format.
[[nodiscard]] std::optional<name_ending> ending_of(std::string_view name) noexcept;

/// Names what lies beside an object and holds the rows that were put aside: its name, with
/// ".rejected.csv" in place of its ending.
[[nodiscard]] std::string rejected_name(std::string_view name);

}  // namespace wherry::app
