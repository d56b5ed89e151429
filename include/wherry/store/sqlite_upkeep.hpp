// SPDX-License-Identifier: Apache-2.0
#pragma once
// What keeps a SQLite store in good order: a check, a compaction, a backup. `wherry store` is these
// three for the command line.
//
// check and backup read one snapshot and may run beside an engine; the write-ahead log grows while
// they do, since nothing of it may go that they still read. compact needs the store for itself.
//
// Threads: each call blocks until it is done; the watcher is called on the calling thread.

#include <cstdint>
#include <expected>
#include <filesystem>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "wherry/store/sqlite.hpp"

namespace wherry {

/// How far it is. `of` 0: how much there is to do is not known.
struct upkeep_progress {
  std::string_view stage;  ///< as in "copying"
  std::int64_t done = 0;
  std::int64_t of = 0;
};
using upkeep_watcher = std::function<void(const upkeep_progress&)>;

/// One thing that is wrong with a store.
struct store_finding {
  std::string what;
  std::string remedy;
};

/// Looks for damage (SQLite's own integrity check) and for tables that do not agree with each
/// other: counts, lanes, histories with gaps. Changes nothing. Empty: all is well.
/// Errors: missing, foreign, newer, io; corrupt only if not even the schema can be read.
std::expected<std::vector<store_finding>, store_error> check_sqlite_store(
    const std::filesystem::path& file, const upkeep_watcher& watch = {});

struct compaction {
  std::int64_t machines = 0;  ///< completed ones that went
  std::int64_t lines = 0;     ///< of history that went
  std::int64_t bytes_before = 0;
  std::int64_t bytes_after = 0;
};

/// Carries out `keep` on all machines, counts anew what `counts` and `lanes` say, and writes the
/// file anew without its holes. Whenever it is interrupted, the store is whole; called again, it
/// goes on. Needs as much free space as the store has pages in use, twice.
/// Errors: owned, full (also: told before it begins), missing, foreign, newer, corrupt, busy, io.
std::expected<compaction, store_error> compact_sqlite_store(const std::filesystem::path& file,
                                                            const sqlite_retention& keep,
                                                            const upkeep_watcher& watch = {});

struct backup_options {
  /// Whether a store that is at the target already gives way; nothing else ever does.
  bool replace = false;
};

/// Copies the store, as it is at one moment, to the file `to`; how many bytes. The copy is whole,
/// fsynced and a store by itself before it gets that name: whatever happens, `to` is the old file,
/// or none, or the new one.
/// Errors: as of check; refused: something is at `to`; full or io: of the target.
std::expected<std::int64_t, store_error> backup_sqlite_store(const std::filesystem::path& file,
                                                             const std::filesystem::path& to,
                                                             const backup_options& options = {},
                                                             const upkeep_watcher& watch = {});

}  // namespace wherry
