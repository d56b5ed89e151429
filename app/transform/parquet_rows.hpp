// SPDX-License-Identifier: Apache-2.0
#pragma once
// Parquet as CSV, for a database that takes only that.

#include <expected>
#include <filesystem>

#include "transform/error.hpp"

namespace wherry::app {

/// Writes the rows of a Parquet file as CSV: a header, then the rows in their order, NULL as
/// nothing. Blocks. Errors: data: it is no Parquet file; io, no_space. Threads: any.
[[nodiscard]] std::expected<void, transform_error> write_parquet_as_csv(
    const std::filesystem::path& parquet, const std::filesystem::path& csv);

}  // namespace wherry::app
