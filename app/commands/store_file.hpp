// SPDX-License-Identifier: Apache-2.0
#pragma once
// Which store a command means: the one that it names, or the only one in the working directory.

#include <expected>
#include <filesystem>
#include <string>

#include "spec/spec.hpp"
#include "wherry/store/sqlite.hpp"

namespace wherry::app {

/// The path in "sqlite:reports.db"; a bare path stands for itself.
[[nodiscard]] std::filesystem::path store_path(const std::string& url);

/// How an import opens its store: what for, and how long things are kept.
[[nodiscard]] sqlite_options store_options(const spec& of);

/// Resolves what `--store` said. Errors: what is there instead, and the remedy.
[[nodiscard]] std::expected<std::filesystem::path, std::string> find_store(
    const std::string& named);

}  // namespace wherry::app
