// SPDX-License-Identifier: Apache-2.0
#pragma once
// The embedded store: one SQLite file (WAL, synchronous=FULL). One process at a time runs an engine
// on it; others read beside it and leave commands in its inbox.

#include <cstdint>
#include <expected>
#include <filesystem>
#include <memory>
#include <string>

#include "wherry/engine/simulated_disk.hpp"
#include "wherry/engine/store.hpp"

namespace wherry {

/// How long a store keeps what it needs no more. Carried out in small parts while an engine runs
/// (store::tidy), and at once by compact_sqlite_store. Zero: for ever.
struct sqlite_retention {
  /// The history of a machine goes so long after it ended; its row, with its last error, stays.
  duration history_for = std::chrono::days(90);
  /// Lines of history that a generation of a machine keeps at most, and as many are kept of all
  /// generations before it. The first and the newest stay. At least 2; zero: all.
  std::size_t history_lines = 1'000;
  /// A completed machine goes so long after it ended, with its history: it is known no more, and
  /// submitting it again runs it again.
  duration keep_for{};
};

struct sqlite_options {
  /// What the machines are for, as in "report flights". Kept by a store that has none yet; a store
  /// with another one is refused, so that two kinds of work never share a file by mistake. Empty:
  /// not looked at.
  std::string purpose{};
  sqlite_retention retention{};
};

/// Opens, or creates, the store for running: takes ownership of it.
/// Errors: owned (says by which process), foreign (some other program's file, or of another
/// purpose), newer, corrupt, io.
std::expected<std::unique_ptr<store>, store_error> open_sqlite_store(
    const std::filesystem::path& file, const sqlite_options& options = {});

/// Makes a disk for simulations: the same store in `directory`, which exists and has none yet, on a
/// disk that forgets and tears what was not synced.
std::unique_ptr<simulated_disk> simulated_sqlite_disk(const std::filesystem::path& directory);

/// Looks at a store, and leaves commands for its owner, whoever runs it. Threads: one at a time.
class sqlite_inspector {
 public:
  virtual ~sqlite_inspector() = default;
  virtual std::expected<machine_counts, store_error> count() = 0;
  virtual std::expected<std::vector<machine_view>, store_error> query(const machine_filter& filter,
                                                                      std::size_t limit,
                                                                      std::string after_id) = 0;
  virtual std::expected<std::vector<history_entry>, store_error> history(std::string_view id) = 0;
  /// Puts a command into the inbox, durably. The owner applies it within a second; without one, it
  /// waits for the next.
  virtual std::expected<void, store_error> ask(const control_request& asked) = 0;
  std::expected<void, store_error> ask(control_verb verb, const machine_filter& filter) {
    return ask({.verb = verb, .filter = filter});
  }
  /// The lanes that are paused, parked, or remembered.
  virtual std::expected<std::vector<lane_state>, store_error> lanes() = 0;
  /// When the last of the machines that wait began to, of the thousand that are due first; the
  /// epoch: none waits. Later than now: the clock was set back since, and they wait for longer.
  virtual std::expected<system_time, store_error> waiting_since() = 0;
  /// Who runs an engine on the store, as "pid 123 on host since …"; empty: nobody.
  virtual std::string owner() = 0;
};

/// A store of an older schema is brought up to date first.
/// Errors: missing, foreign, newer, corrupt, io; owned: by a version that knows only the older
/// schema.
std::expected<std::unique_ptr<sqlite_inspector>, store_error> inspect_sqlite_store(
    const std::filesystem::path& file);

}  // namespace wherry
