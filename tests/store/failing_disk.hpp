// SPDX-License-Identifier: Apache-2.0
#pragma once
// A disk that forgets what was not synced: a VFS of SQLite in front of the real one, which can tell
// at any moment what the files would be after a power cut.
//
// Each write that no sync has followed is, by a draw, kept, lost, or torn in the middle, whatever
// became of those before it. Only real files are told apart; the memory that connections share is
// not on a disk.

#include <filesystem>
#include <map>
#include <mutex>
#include <random>
#include <string>
#include <vector>

namespace wherry::test {

/// The VFS of all connections that are opened while it lives. Outlives them. Threads: any.
class failing_disk {
 public:
  failing_disk();
  failing_disk(const failing_disk&) = delete;
  failing_disk& operator=(const failing_disk&) = delete;
  ~failing_disk();

  /// Writes to the directory `to` the files as they would be if the power failed now.
  void cut_power(const std::filesystem::path& to, std::mt19937_64& random) const;

  // What the VFS tells.
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
  static void apply(std::string& to, const write& each, std::size_t kept);

  mutable std::mutex mutex_;
  std::map<std::string, content> files_;
};

}  // namespace wherry::test
