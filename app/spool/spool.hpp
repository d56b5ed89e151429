// SPDX-License-Identifier: Apache-2.0
#pragma once
// The spool: where the bytes of a report rest between two steps.
//
// Invariants
// 1. A file is known by name, size and SHA-256, which the machine's state holds. Nothing is fsynced
//    and nothing renamed: what was lost or torn does not match, and the machine goes back a state.
// 2. Bytes are hashed while they are written and while they are read, in the same pass.
// 3. The files of a process never take more than the budget. Files are 0600; a directory that the
//    spool makes is 0700, one that was there keeps its mode.
// 4. Names come from (id, generation, step): a step that runs again replaces its own file.
// 5. The directory may hold files of others: only names of the spool's own shape (spool_names.hpp)
//    are counted and removed.
// 6. One spool a directory: a lock on .wherry-spool.owner, which the kernel drops with the process.

#include <atomic>
#include <cstdint>
#include <expected>
#include <filesystem>
#include <functional>
#include <memory>
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

/// The step that makes a file; also the end of the file's name.
enum class spool_step { download, transform };

/// Says whose bytes they are.
struct spool_key {
  std::string id;
  std::uint64_t generation = 0;
  spool_step step = spool_step::download;
};

enum class spool_error_kind {
  full,      ///< the budget is used up: transient
  no_space,  ///< the disk or the quota is: transient
  damaged,   ///< file missing, or not the bytes that were written: go back a state
  owned,     ///< another spool is open on the directory
  io,        ///< permission, read-only, broken disk
};

/// Says what went wrong with which file, and what to do.
struct spool_error {
  spool_error_kind kind;
  std::string message;
  [[nodiscard]] bool transient() const noexcept {
    return kind == spool_error_kind::full || kind == spool_error_kind::no_space;
  }
};

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
  /// Takes over the file that was made at path_for(key). Errors: full (the file is removed), io.
  [[nodiscard]] std::expected<spool_file, spool_error> adopt(const spool_key& key);

  /// The directory, absolute.
  [[nodiscard]] const std::filesystem::path& directory() const noexcept { return directory_; }

  /// Where the file is, for readers that need a path (they must cope with damage).
  [[nodiscard]] std::filesystem::path path_of(const spool_file& file) const;

  /// Removes a file; one that is gone already is no error.
  void remove(const spool_file& file) noexcept;
  void remove(const spool_key& key) noexcept;

  /// Removes every file of the spool's own whose name is not in `live`. Requires: no writer at
  /// work. Errors: io.
  [[nodiscard]] std::expected<std::size_t, spool_error> remove_orphans(
      const std::unordered_set<std::string>& live);

  [[nodiscard]] std::uint64_t used_bytes() const noexcept { return used_bytes_.load(); }
  [[nodiscard]] std::uint64_t budget_bytes() const noexcept { return budget_bytes_; }

 private:
  friend class spool_writer;
  spool(std::filesystem::path directory, int descriptor, spool_lock lock,
        std::uint64_t budget_bytes);
  [[nodiscard]] spool_error full() const;
  [[nodiscard]] bool reserve(std::uint64_t size_bytes) noexcept;
  void give_back(std::uint64_t size_bytes) noexcept;
  [[nodiscard]] std::expected<int, spool_error> create(const std::string& name);
  void unlink(const std::string& name) noexcept;

  std::filesystem::path directory_;
  int descriptor_;
  spool_lock lock_;
  std::uint64_t budget_bytes_;
  std::atomic<std::uint64_t> used_bytes_{0};
};

/// Writes one file; dropping it before `finish` removes what was written. Threads: one at a time.
class spool_writer {
 public:
  spool_writer(spool_writer&& other) noexcept;
  spool_writer& operator=(spool_writer&&) = delete;
  ~spool_writer();

  /// Appends. After an error only dropping the writer makes sense. Errors: full, no_space, io.
  [[nodiscard]] std::expected<void, spool_error> write(std::string_view bytes);

  /// Completes the file. Errors: full, no_space, io.
  [[nodiscard]] std::expected<spool_file, spool_error> finish();

  [[nodiscard]] std::uint64_t size_bytes() const noexcept { return size_bytes_; }

 private:
  friend class spool;
  spool_writer(spool& home, std::string name) : home_(&home), name_(std::move(name)) {}
  [[nodiscard]] std::expected<void, spool_error> flush();

  spool* home_;
  std::string name_;
  int descriptor_ = -1;
  bool created_ = false;
  std::string buffer_;
  std::uint64_t size_bytes_ = 0;     // taken in, and reserved
  std::uint64_t written_bytes_ = 0;  // on the disk
  sha256 hash_;
};

}  // namespace wherry::app
