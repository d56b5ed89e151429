// SPDX-License-Identifier: Apache-2.0
#pragma once
// What can go wrong in the spool, and the words for what a file system refuses.

#include <filesystem>
#include <string>
#include <string_view>

namespace wherry::app {

enum class spool_error_kind {
  full,       ///< the budget is used up: it empties by itself, as reports complete
  too_large,  ///< the file alone is over half of the budget: permanent
  no_space,   ///< the disk or the quota is used up: transient
  damaged,    ///< file missing, or not the bytes that were written: go back a state
  owned,      ///< another spool is open on the directory
  io,         ///< permission, read-only, broken disk
};

/// Says what went wrong with which file, and what to do.
struct spool_error {
  spool_error_kind kind;
  std::string message;
};

/// Makes the error for an errno: no_space for a full disk or quota, io for the rest.
[[nodiscard]] spool_error spool_io_error(int code, std::string_view verb,
                                         const std::filesystem::path& what);

}  // namespace wherry::app
