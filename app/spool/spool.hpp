// SPDX-License-Identifier: Apache-2.0
#pragma once
// The spool: where the bytes of a report rest between two steps.
//
// Invariants
// 1. A file is known by name, size and SHA-256, which the machine's state holds. Nothing is fsynced
//    and nothing renamed: what was lost or torn does not match, and the machine goes back a state.
// 2. Bytes are hashed while they are written and while they are read, in the same pass.
// 3. What is reserved never passes the budget. A download is reserved as it is written, an output
//    of the transform when it is adopted: until then up to `transform.threads` outputs are on the
//    disk beside the budget.
// 4. Work in progress drains: a download may fill the spool only to half, later pages of a report
//    to three quarters, and no file may be larger than half, so an output finds room at the latest
//    when the other outputs are uploaded. A writer that is refused gives back all that it holds
//    before it says so: of many that fill the spool together, those that were not refused go on. A
//    download begins with as much as the last ones took, so that most refusals come before the API
//    is called.
// 5. Files are 0600; a directory that the spool makes is 0700, one that was there keeps its mode.
// 6. Names come from (id, generation, step): a step that runs again replaces its own file.
// 7. The directory may hold files of others: only names of the spool's own shape (spool_names.hpp)
//    are counted and removed.
// 8. One spool a directory: a lock on .wherry-spool.owner, which the kernel drops with the process.

#include <atomic>
#include <chrono>
#include <cstdint>
#include <expected>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_set>

#include "spool/sha256.hpp"
#include "spool/spool_lock.hpp"

namespace wherry::app {

/// Names a finished file and what must be in it; plain data for a machine's state.
struct spool_file {
  std::string name;
  std::uint64_t size_bytes = 0;
  std::string sha256;  ///< 64 hex digits
  friend bool operator==(const spool_file&, const spool_file&) = default;
};

/// The step that makes a file; also the end of the file's name. A report that comes in pages has a
/// file for each, and then one of them all.
enum class spool_step { download, transform, page, joined };

/// Says whose bytes they are.
struct spool_key {
  std::string id;
  std::uint64_t generation = 0;
  spool_step step = spool_step::download;
  std::size_t number = 0;  ///< of a page
};

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

/// How long to wait before a full spool (it empties by itself) or a full disk (somebody must empty
/// it) is tried again.
inline constexpr std::chrono::milliseconds spool_full_wait{500};
inline constexpr std::chrono::milliseconds no_space_wait{60'000};

class spool_writer;

/// Owns the directory. Threads: any. Requires: outlives its writers.
class spool {
 public:
  /// Makes the directory if it is missing, locks it and counts the files of an earlier run in it. A
  /// relative path is taken from the current directory now, once. Errors: owned (by whom), io.
  [[nodiscard]] static std::expected<std::unique_ptr<spool>, spool_error> open(
      const std::filesystem::path& directory, std::uint64_t budget_bytes);
  ~spool();
  spool(const spool&) = delete;
  spool& operator=(const spool&) = delete;

  /// Begins a file. Nothing touches the disk before the first full buffer or `finish`.
  [[nodiscard]] spool_writer write(const spool_key& key);

  /// Reads a whole file and verifies it. Errors: damaged, io.
  [[nodiscard]] std::expected<std::string, spool_error> read(const spool_file& file) const;

  /// Hands a file to `each` piece by piece and verifies it at the end: only success says that the
  /// pieces were right. `each` ends the reading by false. Errors: damaged, io.
  [[nodiscard]] std::expected<void, spool_error> read_pieces(
      const spool_file& file, const std::function<bool(std::string_view)>& each) const;

  /// Where another writer than spool_writer may make the file of `key`; an earlier one is removed.
  /// What it made belongs to the spool, and counts, once it is adopted.
  [[nodiscard]] std::filesystem::path path_for(const spool_key& key) noexcept;
  /// Takes over the file that was made at path_for(key). Errors: full and too_large (the file is
  /// removed), io.
  [[nodiscard]] std::expected<spool_file, spool_error> adopt(const spool_key& key);

  /// The directory, absolute.
  [[nodiscard]] const std::filesystem::path& directory() const noexcept { return directory_; }

  /// Where the file is, for readers that need a path (they must cope with damage).
  [[nodiscard]] std::filesystem::path path_of(const spool_file& file) const;

  /// Removes a file, if it is there; false: it is not.
  bool remove(const spool_file& file) noexcept;
  bool remove(const spool_key& key) noexcept;

  /// Removes every file of the spool's own whose name is not in `live`. Requires: no writer at
  /// work. Errors: io.
  [[nodiscard]] std::expected<std::size_t, spool_error> remove_orphans(
      const std::unordered_set<std::string>& live);

  /// Full if a file of that step would find no room now, whatever its size; empty otherwise.
  [[nodiscard]] std::optional<spool_error> refuses(spool_step step) const;

  [[nodiscard]] std::uint64_t used_bytes() const noexcept { return used_bytes_.load(); }
  [[nodiscard]] std::uint64_t budget_bytes() const noexcept { return budget_bytes_; }

 private:
  friend class spool_writer;
  spool(std::filesystem::path directory, int descriptor, spool_lock lock,
        std::uint64_t budget_bytes);
  [[nodiscard]] spool_error full() const;
  [[nodiscard]] std::uint64_t half() const noexcept { return budget_bytes_ / 2; }
  [[nodiscard]] std::uint64_t limit_of(spool_step step) const noexcept;
  /// Reserves `more_bytes` for a file that has `had_bytes` already. Errors: full, too_large.
  [[nodiscard]] std::expected<void, spool_error> reserve(spool_step step, std::uint64_t had_bytes,
                                                         std::uint64_t more_bytes);
  void learn(std::uint64_t size_bytes) noexcept;
  void give_back(std::uint64_t size_bytes) noexcept;
  [[nodiscard]] std::expected<int, spool_error> create(const std::string& name);
  bool unlink(const std::string& name) noexcept;

  std::filesystem::path directory_;
  int descriptor_;
  spool_lock lock_;
  std::uint64_t budget_bytes_;
  std::uint64_t left_bytes_ = 0;  // of an earlier run, which may have had a larger budget
  std::atomic<std::uint64_t> used_bytes_{0};
  std::atomic<std::uint64_t> usual_bytes_{0};  // what a download is likely to take, from the last
};

/// Writes one file; dropping it before `finish` removes what was written. Threads: one at a time.
class spool_writer {
 public:
  spool_writer(spool_writer&& other) noexcept;
  spool_writer& operator=(spool_writer&&) = delete;
  ~spool_writer();

  /// Appends. After an error nothing of the file is left, and only dropping the writer makes sense.
  /// Errors: full, too_large, no_space, io.
  [[nodiscard]] std::expected<void, spool_error> write(std::string_view bytes);

  /// Completes the file. Errors: no_space, io.
  [[nodiscard]] std::expected<spool_file, spool_error> finish();

  /// Full if the spool had no room for a download of the usual size when this one began. Writing
  /// may be tried all the same.
  [[nodiscard]] const std::optional<spool_error>& refusal() const noexcept { return refusal_; }

  [[nodiscard]] std::uint64_t size_bytes() const noexcept { return size_bytes_; }

 private:
  friend class spool;
  spool_writer(spool& home, const spool_key& key);
  [[nodiscard]] std::expected<void, spool_error> flush();
  void abandon() noexcept;

  spool* home_;  // null: finished, abandoned or moved from
  spool_step step_;
  std::string name_;
  int descriptor_ = -1;
  bool created_ = false;
  std::string buffer_;
  std::optional<spool_error> refusal_;
  std::uint64_t reserved_bytes_ = 0;
  std::uint64_t size_bytes_ = 0;     // taken in, at most what is reserved
  std::uint64_t written_bytes_ = 0;  // on the disk
  sha256 hash_;
};

}  // namespace wherry::app
