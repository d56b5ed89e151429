// SPDX-License-Identifier: Apache-2.0
#pragma once
// Many small files in one, .wherry-spool.small: place n is the 64 KiB from n * 64 KiB on, and most
// of each is a hole that takes no room. Making and removing a file of one's own costs more than all
// else that is done for a small report (an inode each, and every thread waits for the directory);
// here it is one pwrite and none. Internal to app/spool.
//
// 1. A place is given to one file at a time. Which are taken is known to the process alone: after a
//    start those that are not named by a state are free (`keep`), and before that none is.
// 2. Nothing is verified: the spool knows each file by size and hash.
// 3. The file is 0600 and gone, or cut to nothing, when no place of it is taken.
//
// Threads: any.

#include <cstddef>
#include <cstdint>
#include <expected>
#include <filesystem>
#include <mutex>
#include <span>
#include <string_view>
#include <vector>

#include "spool/spool_errors.hpp"

namespace wherry::app {

class small_files {
 public:
  using place = std::uint32_t;
  static constexpr std::size_t most_bytes = 64 * 1024;  ///< of one file

  /// Requires: `directory` is open as `descriptor`, and both outlive this.
  small_files(int descriptor, const std::filesystem::path& directory)
      : directory_(descriptor), path_(directory / name) {}
  ~small_files();
  small_files(const small_files&) = delete;
  small_files& operator=(const small_files&) = delete;

  /// Opens what an earlier run left, or makes it. Returns how much of the disk it takes.
  /// Errors: io, no_space.
  [[nodiscard]] std::expected<std::uint64_t, spool_error> open();

  /// Writes a file somewhere. Requires: at most `most_bytes`. Errors: no_space, io.
  [[nodiscard]] std::expected<place, spool_error> write(std::string_view bytes);

  /// Reads from the beginning of a file; returns how much there was of it. Errors: io.
  [[nodiscard]] std::expected<std::size_t, spool_error> read(place at, std::span<char> into) const;

  /// Frees a place.
  void release(place at) noexcept;

  /// Whether a place may hold a file that an earlier run left. Requires: nothing was written since.
  [[nodiscard]] bool has(place at) const noexcept { return at < end_; }

  /// Says which places are taken, of those that it has; all others are free from now on. Requires:
  /// nothing was written since `open`.
  void keep(const std::vector<place>& taken);

 private:
  static constexpr const char* name = ".wherry-spool.small";
  [[nodiscard]] place take();

  int directory_;
  std::filesystem::path path_;
  int file_ = -1;

  std::mutex mutex_;
  std::vector<place> free_;  // below end_
  place end_ = 0;            // no place from here on was ever taken
};

}  // namespace wherry::app
