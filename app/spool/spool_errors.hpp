// SPDX-License-Identifier: Apache-2.0
#pragma once
// The words for what a file system refuses. Internal to app/spool.

#include <filesystem>
#include <string_view>

#include "spool/spool.hpp"

namespace wherry::app {

/// Makes the error for an errno: no_space for a full disk or quota, io for the rest.
[[nodiscard]] spool_error spool_io_error(int code, std::string_view verb,
                                         const std::filesystem::path& what);

}  // namespace wherry::app
