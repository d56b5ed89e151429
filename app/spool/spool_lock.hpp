// SPDX-License-Identifier: Apache-2.0
#pragma once
// Who works in a spool directory: a lock on .wherry-spool.owner in it, whose text names the process
// for people. Two processes in one directory would take each other's files for orphans.
//
// The lock is of the open file description (fcntl, F_OFD_SETLK), as that of a store: the kernel
// drops it when the process dies, however it dies, and programs that it starts do not inherit it.

#include <expected>
#include <filesystem>
#include <utility>

namespace wherry::app {

struct spool_error;

class spool_lock {
 public:
  /// Takes the lock of a directory that is open as `descriptor`. Errors: owned (by whom), io,
  /// no_space.
  [[nodiscard]] static std::expected<spool_lock, spool_error> take(
      int descriptor, const std::filesystem::path& directory);
  spool_lock(spool_lock&& other) noexcept : file_(std::exchange(other.file_, -1)) {}
  spool_lock& operator=(spool_lock&&) = delete;
  ~spool_lock();

 private:
  explicit spool_lock(int file) noexcept : file_(file) {}
  int file_;
};

}  // namespace wherry::app
