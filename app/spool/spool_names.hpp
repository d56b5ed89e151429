// SPDX-License-Identifier: Apache-2.0
#pragma once
// Names of the files in the spool, and how to tell them from those of anybody else: a spool may be
// opened on a directory that holds more. Pure. Internal to app/spool.
//
//   acme_2025-01-31-6d9f6c1e0b7a2f43-g1.download     of a key: id, hash of the id, generation, step
//   acme_2025-01-31-6d9f6c1e0b7a2f43-g1-p3.page      the same of a page, by its number
//   acme_2025-01-31-6d9f6c1e0b7a2f43-g1.download@17  the first, which lies with other small files
//   .wherry-4711-2.parquet                           an output that DuckDB has not finished
//   .wherry-4711-2.rows                              an unpacked report, for DuckDB to read

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "spool/spool.hpp"

namespace wherry::app {

/// Names the file of a key, in letters that every file system and shell takes. The readable part
/// may be the same for two ids, the hash is not.
[[nodiscard]] std::string spool_name(const spool_key& key);

/// Where a small file lies.
struct small_name {
  std::string name;  ///< that of its key
  std::uint32_t place = 0;
};

/// Names a small file.
[[nodiscard]] std::string to_string(const small_name& small);
/// Nothing: it is a file of its own.
[[nodiscard]] std::optional<small_name> parse_small_name(std::string_view name);

/// Tells whether a file's name has one of these shapes.
[[nodiscard]] bool is_spool_name(std::string_view name) noexcept;

}  // namespace wherry::app
