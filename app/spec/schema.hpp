// SPDX-License-Identifier: Apache-2.0
#pragma once
// The spec's language for other programs: editors complete and check by it (taplo, VS Code). Made
// from the tables of keys that read_spec reads by, so it cannot drift from them.

#include <string>

namespace wherry::app {

/// Writes the JSON Schema (draft 2020-12) of a spec file, in one line.
[[nodiscard]] std::string spec_schema();

}  // namespace wherry::app
