// SPDX-License-Identifier: Apache-2.0
#pragma once
// How many decimals a currency has: the minor unit of ISO 4217 (list one, of 2024), as APIs count
// money in. ICU's data is CLDR's, which differs for some (it gives the Iraqi dinar none).
// Pure; any thread.

#include <optional>
#include <string_view>

namespace wherry::app {

/// Returns 2 for EUR, 0 for JPY, 3 for BHD; empty for what is no currency that is in use.
[[nodiscard]] std::optional<int> minor_unit_of(std::string_view code);

}  // namespace wherry::app
