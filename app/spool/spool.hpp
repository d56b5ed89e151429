// SPDX-License-Identifier: Apache-2.0
#pragma once
// The spool: where the bytes of a report rest between two steps.
//
// Invariants
// 1. A file is known by name, size and SHA-256, which the machine's state holds. Nothing is fsynced
//    and nothing renamed: what was lost or torn does not match, and the machine goes back a state.
// 2. Bytes are hashed while they are written and while they are read, in the same pass.
// 3. A file of at most 64 KiB lies with others in one (small_files.hpp), unless somebody needs a
//    path to it; its name says where: "….download@17". What of that file is free stays on the disk
//    until all of it is.
// 4. What is reserved never passes the budget. A download is reserved as it is written, an output
//    of the transform when it is adopted: until then up to `transform.threads` outputs, and what
//    their reports unpack to, are on the disk beside the budget.
// 5. Work in progress drains: a download may fill the spool only to half, later pages of a report
//    to three quarters, and no file may be larger than half, so an output finds room at the latest
//    when the other outputs are uploaded. A writer that is refused gives back all that it holds
//    before it says so: of many that fill the spool together, those that were not refused go on. A
//    download begins with as much as the last ones took, so that most refusals come before the API
//    is called.
// 6. Files are 0600; a directory that the spool makes is 0700, one that was there keeps its mode.
// 7. Names come from (id, generation, step): a step that runs again replaces its own file.
// 8. The directory may hold files of others: only names of the spool's own shape (spool_names.hpp)
//    are counted and removed.
// 9. One spool a directory: a lock on .wherry-spool.owner, which the kernel drops with the process.

#include <atomic>
#include <chrono>
#include <cstdint>
#include <expected>
#include <filesystem>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "spool/sha256.hpp"
#include "spool/small_files.hpp"
#include "spool/spool_errors.hpp"
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
enum class spool_step { download, transform, page, joined, reject };

/// Says whose bytes they are.
struct spool_key {
  std::string id;
  std::uint64_t generation = 0;
  spool_step step = spool_step::download;
  std::size_t number = 0;  ///< of a page
};

/// Whether a file may lie with others, or needs a path, for readers that know only paths.
enum class spool_form { any, own_file };

/// How long to wait before a full spool (it empties by itself) or a full disk (somebody must empty
/// it) is tried again.
inline constexpr std::chrono::milliseconds spool_full_wait{500};
inline constexpr std::chrono::milliseconds no_space_wait{60'000};

class spool_writer;

/// Owns the directory. Threads: any. Requires: outlives its writers.
class spool {
 public:
  /// What lies with others, unless it needs a path.
  static constexpr std::size_t small_bytes = small_files::most_bytes;

  /// Makes the directory if it is missing, locks it and counts the files of an earlier run in it. A
  /// relative path is taken from the current directory now, once. Errors: owned (by whom), io.
  [[nodiscard]] static std::expected<std::unique_ptr<spool>, spool_error> open(
      const std::filesystem::path& directory, std::uint64_t budget_bytes);
  ~spool();
  spool(const spool&) = delete;
  spool& operator=(const spool&) = delete;

  /// Begins a file. Nothing touches the disk before the first full buffer or `finish`.
  [[nodiscard]] spool_writer write(const spool_key& key, spool_form form = spool_form::any);

  /// Writes a whole file. Errors: those of a writer.
  [[nodiscard]] std::expected<spool_file, spool_error> store(const spool_key& key,
                                                             std::string_view bytes,
                                                             spool_form form = spool_form::any);

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

  /// Whether the file has a path: it is large, or was written as own_file.
  [[nodiscard]] static bool has_path(const spool_file& file) noexcept;
  /// Where the file is, for readers that need a path (they must cope with damage). Requires: it has
  /// one.
  [[nodiscard]] std::filesystem::path path_of(const spool_file& file) const;

  /// Removes a file, if it is there; false: it is not.
  bool remove(const spool_file& file) noexcept;
  bool remove(const spool_key& key) noexcept;

  /// Removes every file of the spool's own but those. Requires: nothing was written yet.
  /// Errors: io.
  [[nodiscard]] std::expected<void, spool_error> keep_only(const std::vector<spool_file>& live);

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
  [[nodiscard]] std::unexpected<spool_error> damaged(const spool_file& file,
                                                     std::string_view what) const;
  [[nodiscard]] std::expected<std::string, spool_error> read_small(const spool_file& file,
                                                                   small_files::place at) const;
  /// Returns the file's whole name.
  [[nodiscard]] std::expected<std::string, spool_error> store_small(const std::string& name,
                                                                    std::string_view bytes);
  void remember_small(const std::string& name, small_files::place at, std::uint64_t size_bytes);
  bool remove_small(const std::string& name) noexcept;
  bool remove_named(const std::string& name) noexcept;
  void learn(std::uint64_t size_bytes) noexcept;
  void give_back(std::uint64_t size_bytes) noexcept;
  [[nodiscard]] std::expected<int, spool_error> create(const std::string& name);
  bool unlink(const std::string& name) noexcept;

  std::filesystem::path directory_;
  int descriptor_;
  spool_lock lock_;
  std::uint64_t budget_bytes_;
  std::uint64_t left_bytes_ = 0;        // of an earlier run, which may have had a larger budget
  std::uint64_t left_small_bytes_ = 0;  // of them, what small files may take
  std::atomic<std::uint64_t> used_bytes_{0};
  std::atomic<std::uint64_t> usual_bytes_{0};  // what a download is likely to take, from the last

  struct placed {
    small_files::place at;
    std::uint64_t size_bytes;
  };
  small_files small_;
  std::mutex mutex_;
  std::unordered_map<std::string, placed> small_by_name_;  // by spool_name
  std::unordered_set<std::string> own_names_;  // of the files with a path, that none is looked for
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
  spool_writer(spool& home, const spool_key& key, spool_form form);
  [[nodiscard]] std::expected<void, spool_error> flush();
  void abandon() noexcept;

  spool* home_;  // null: finished, abandoned or moved from
  spool_step step_;
  spool_form form_;
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
