// SPDX-License-Identifier: Apache-2.0
#pragma once
// A disk that forgets what was not synced, and fails when it is told to: a VFS of SQLite in front
// of the real one, which can tell at any moment what the files would be after a power cut.
//
// Each write that no sync has followed is, by a draw, kept, lost, or torn in the middle, whatever
// became of those before it. Only real files are told apart; the memory that connections share is
// not on a disk. Nothing is ever synced for real: what is lost here is lost on purpose.

#include <cstdint>
#include <filesystem>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <random>
#include <string>
#include <string_view>
#include <vector>

namespace wherry::sqlite {

/// Outlives all connections through it. Threads: any.
class failing_disk {
 public:
  failing_disk();
  failing_disk(const failing_disk&) = delete;
  failing_disk& operator=(const failing_disk&) = delete;
  ~failing_disk();

  /// Names the VFS, for those who open a connection through it.
  [[nodiscard]] const char* name() const noexcept;

  /// Lets the write, sync or removal of that number from now fail, from 1, and all after it.
  void fail_at(std::size_t write);
  [[nodiscard]] bool has_failed() const;
  /// How many syncs there were.
  [[nodiscard]] std::size_t syncs() const;

  /// Writes to the directory `to` the files as they would be if the power failed now.
  void cut_power(const std::filesystem::path& to, std::mt19937_64& random) const;
  /// The same as if only the process ended now.
  void end_process(const std::filesystem::path& to) const;
  /// The disk is well again, and knows nothing of what was written before.
  void renew();

  // What the VFS asks before it changes a file, and tells once it has.
  [[nodiscard]] bool goes_well();
  void opened(const std::string& file);
  void wrote(const std::string& file, std::size_t at, std::string_view bytes);
  void truncated(const std::string& file, std::size_t size);
  void synced(const std::string& file);
  void removed(const std::string& file);

 private:
  struct write {
    std::size_t at = 0;
    std::string bytes;
    bool truncates = false;  // to `at` bytes
  };
  struct content {
    std::string durable;
    std::vector<write> since;
  };
  struct vfs;
  static void apply(std::string& to, const write& each, std::size_t kept);

  mutable std::mutex mutex_;
  std::map<std::string, content> files_;
  std::optional<std::size_t> writes_left_;
  bool failed_ = false;
  std::size_t syncs_ = 0;
  std::unique_ptr<vfs> vfs_;
};

}  // namespace wherry::sqlite
