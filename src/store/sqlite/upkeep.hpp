// SPDX-License-Identifier: Apache-2.0
#pragma once
// What those who look at a store from outside begin with, inspectors and upkeep alike.

#include <filesystem>

#include "database.hpp"
#include "wherry/store/sqlite_upkeep.hpp"

namespace wherry::sqlite {

/// The whole path of a store's file. Errors: throws database_failure; missing, io (a directory).
[[nodiscard]] std::filesystem::path existing_store(const std::filesystem::path& file);

/// Errors: throws database_failure; foreign, newer, missing (an empty file).
void require_store(database& file);

}  // namespace wherry::sqlite
