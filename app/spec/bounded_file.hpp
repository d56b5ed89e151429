// SPDX-License-Identifier: Apache-2.0
#pragma once
// Reads a file that people write, whole and up to a size: what is larger, or never ends, is none of
// theirs. Blocks.

#include <cstddef>
#include <expected>
#include <filesystem>
#include <string>

namespace wherry::app {

/// Why a file was not read.
struct unread_file {
  int code = 0;             ///< of errno; EFBIG: it is over the size
  bool was_opened = false;  ///< it is there and may be read
};

[[nodiscard]] std::expected<std::string, unread_file> read_bounded(
    const std::filesystem::path& file, std::size_t most_bytes);

}  // namespace wherry::app
