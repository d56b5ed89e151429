// SPDX-License-Identifier: Apache-2.0
#pragma once
// One object as a file: written beside its place, fsynced, renamed into it. Blocks. Internal to
// app/sink.
//
// 1. The temporary name follows from the object's: what a crash left is taken over by the next try.
// 2. The names of all directories on the way are durable, also of those that somebody else makes
//    just now: only who made one knows that it is, so a process that did not makes it so, once.
// 3. Whoever writes there holds a flock on the file until it is renamed, so that of two writers (a
//    step that ran out of time is still at it) the second steps back and nothing is mixed.

#include <sys/stat.h>

#include <expected>
#include <filesystem>
#include <mutex>
#include <set>
#include <utility>

#include "sink/sink.hpp"
#include "spool/spool.hpp"

namespace wherry::app {

/// The directories whose names this process has made durable, by device and inode. Bounded: it
/// forgets all when it knows many. Threads: any.
class durable_directories {
 public:
  [[nodiscard]] bool knows(const struct stat& directory);
  void add(const struct stat& directory);

 private:
  std::mutex mutex_;
  std::set<std::pair<dev_t, ino_t>> known_;
};

/// What became of a file.
enum class writing { changed, unchanged };

/// What becomes of other bytes that are there.
enum class existing { replaced, stays };

/// Makes `target` hold the bytes of a spool file, durably; makes missing directories. A target that
/// holds them already stays untouched. Errors: all but throttled.
[[nodiscard]] std::expected<writing, sink_error> store_as_file(const spool& from,
                                                               const spool_file& file,
                                                               const std::filesystem::path& target,
                                                               durable_directories& known,
                                                               existing other);

/// Removes `target`, durably; one that is not there is no error. Errors: transient, permanent.
[[nodiscard]] std::expected<void, sink_error> remove_file(const std::filesystem::path& target);

}  // namespace wherry::app
