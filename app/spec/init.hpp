// SPDX-License-Identifier: Apache-2.0
#pragma once
// What `wherry init` prints: a spec to start from, with every key in it, most of them as comments
// that show the default.

#include <string_view>

namespace wherry::app {

/// Gives the text of the spec to start from. It needs API_TOKEN and PWD in the environment.
[[nodiscard]] std::string_view starting_spec();

}  // namespace wherry::app
