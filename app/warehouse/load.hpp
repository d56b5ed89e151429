// SPDX-License-Identifier: Apache-2.0
#pragma once
// What is loaded, and what becomes of it: plain data between a report's step and the loader.

#include <cstdint>
#include <optional>
#include <string>

namespace wherry::app {

/// A report whose object is at its place and whose rows are to be in the table.
struct load_item {
  std::string id;  ///< of its machine
  std::int64_t generation = 1;
  std::string client;
  std::string day;  ///< 2025-01-31
  std::string url;  ///< empty: no rows, and those of before are to go
  std::uint64_t size_bytes = 0;
  std::string sha256;
  std::uint64_t rows = 0;
};

/// How the table came to hold what the report says.
enum class load_result {
  loaded,      ///< its rows took the place of those of before
  unchanged,   ///< they are there already: the same bytes were loaded before
  superseded,  ///< it does not: other bytes of a newer generation are there, and stay
};

enum class load_error_kind {
  transient,    ///< try again
  unreachable,  ///< the warehouse is down or busy: nobody needs to try for a while
  full,         ///< the spool has no room for the object: it empties by itself
  stopped,      ///< no report can be loaded before somebody has changed something
  permanent,    ///< this report cannot be loaded before somebody has changed something
  vanished,     ///< the object is not what was uploaded: make it anew
};

/// Says why the table does not hold it. `message` names the place and the remedy.
struct load_error {
  load_error_kind kind = load_error_kind::transient;
  std::string message;
  friend bool operator==(const load_error&, const load_error&) = default;
};

}  // namespace wherry::app
