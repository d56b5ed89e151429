// SPDX-License-Identifier: Apache-2.0
#include "sink/object_file.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <system_error>

#include "sink/sink_errors.hpp"

namespace wherry::app {
namespace {

namespace fs = std::filesystem;
using outcome = std::expected<void, sink_error>;

struct descriptor {
  int number = -1;
  ~descriptor() {
    if (number >= 0) ::close(number);
  }
  descriptor() = default;
  explicit descriptor(int opened) : number(opened) {}
  descriptor(descriptor&& other) noexcept : number(std::exchange(other.number, -1)) {}
  descriptor& operator=(descriptor&& other) noexcept {
    std::swap(number, other.number);
    return *this;
  }
};

std::unexpected<sink_error> refused(int code, const fs::path& at) {
  if (code == ENOSPC || code == EDQUOT) {
    return std::unexpected(sink_error{
        sink_error_kind::transient,
        fmt::format("no space left for {}: free some, or let `sink.url` name another disk",
                    at.native()),
        no_space_wait});
  }
  if (code == EMFILE || code == ENFILE) {
    return std::unexpected(sink_error{
        sink_error_kind::transient,
        fmt::format("cannot write {}: too many open files: raise `ulimit -n` or lower `in_flight`",
                    at.native()),
        {}});
  }
  const bool may_pass = code == EIO || code == ENOMEM;
  std::string_view remedy = "let `sink.url` name a directory where this user may write";
  if (code == EROFS) remedy = "it is mounted read-only; let `sink.url` name another directory";
  if (code == ENOTDIR || code == EISDIR || code == EEXIST) {
    remedy =
        "a file is where a directory should be, or the other way round; move it, or change "
        "`sink.url`";
  }
  if (code == ENAMETOOLONG) remedy = "make the names in `sink.url` shorter";
  return std::unexpected(
      sink_error{may_pass ? sink_error_kind::transient : sink_error_kind::permanent,
                 fmt::format("cannot write {}: {}; {}", at.native(),
                             std::generic_category().message(code), remedy),
                 {}});
}

// Makes names in a directory durable.
outcome sync_directory(const fs::path& directory) {
  const descriptor opened{::open(directory.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC)};
  if (opened.number < 0 || ::fsync(opened.number) != 0) return refused(errno, directory);
  return {};
}

std::expected<writing, sink_error> once_durable(writing done, const fs::path& directory) {
  if (auto synced = sync_directory(directory); !synced) return std::unexpected(synced.error());
  return done;
}

fs::path parent_of(const fs::path& path) {
  return path.has_parent_path() ? path.parent_path() : fs::path{"."};
}

enum class maker { us, unknown };

// Makes the name of a directory that is there durable. One that we made may have the inode of one
// that is known and gone.
outcome make_durable(const fs::path& directory, maker by, durable_directories& known) {
  struct stat found;
  if (::stat(directory.c_str(), &found) != 0) return refused(errno, directory);
  if (!S_ISDIR(found.st_mode)) return refused(ENOTDIR, directory);
  if (by == maker::unknown && known.knows(found)) return {};
  if (auto synced = sync_directory(parent_of(directory)); !synced) return synced;
  known.add(found);
  return {};
}

outcome make_directories(const fs::path& directory, durable_directories& known) {
  if (::mkdir(directory.c_str(), 0777) == 0) return make_durable(directory, maker::us, known);
  if (errno == EEXIST) return make_durable(directory, maker::unknown, known);
  if (errno != ENOENT || directory == parent_of(directory)) return refused(errno, directory);
  if (auto made = make_directories(parent_of(directory), known); !made) return made;
  if (::mkdir(directory.c_str(), 0777) != 0 && errno != EEXIST) return refused(errno, directory);
  return make_durable(directory, maker::us, known);
}

// Whether the target has these bytes already; if so they are made durable, since the writer may
// have died between the rename and its fsync.
bool holds_already(const spool_file& file, const fs::path& target) {
  struct stat found;
  if (::stat(target.c_str(), &found) != 0 || !S_ISREG(found.st_mode) ||
      static_cast<std::uint64_t>(found.st_size) != file.size_bytes) {
    return false;
  }
  const descriptor opened{::open(target.c_str(), O_RDONLY | O_CLOEXEC)};
  if (opened.number < 0) return false;
  sha256 hash;
  std::string piece(256 * 1024, '\0');
  while (true) {
    const auto size = ::read(opened.number, piece.data(), piece.size());
    if (size < 0) return false;
    if (size == 0) break;
    hash.add({piece.data(), static_cast<std::size_t>(size)});
  }
  return to_hex(hash.finish()) == file.sha256 && ::fsync(opened.number) == 0;
}

// Opens the temporary file for us alone. See rule 3.
std::expected<descriptor, sink_error> claim(const fs::path& temporary) {
  while (true) {
    descriptor opened{::open(temporary.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0666)};
    if (opened.number < 0) return refused(errno, temporary);
    if (::flock(opened.number, LOCK_EX | LOCK_NB) != 0) {
      return std::unexpected(
          sink_error{sink_error_kind::transient,
                     fmt::format("somebody else writes {} just now", temporary.native()),
                     {}});
    }
    struct stat ours, named;
    if (::fstat(opened.number, &ours) != 0) return refused(errno, temporary);
    // Renamed away between our open and our lock: that file is an object now, and not ours to
    // change.
    const bool still_there = ::lstat(temporary.c_str(), &named) == 0;
    if (!still_there || ours.st_ino != named.st_ino || ours.st_dev != named.st_dev) continue;
    if (::ftruncate(opened.number, 0) != 0) return refused(errno, temporary);
    return opened;
  }
}

outcome copy(const spool& from, const spool_file& file, int to, const fs::path& temporary) {
  int wrong = 0;
  const auto read = from.read_pieces(file, [&](std::string_view bytes) {
    while (!bytes.empty() && wrong == 0) {
      const auto size = ::write(to, bytes.data(), bytes.size());
      if (size < 0 && errno != EINTR) wrong = errno;
      if (size > 0) bytes.remove_prefix(static_cast<std::size_t>(size));
    }
    return wrong == 0;
  });
  if (wrong != 0) return refused(wrong, temporary);
  if (!read) return std::unexpected(from_spool(read.error()));
  return {};
}

}  // namespace

bool durable_directories::knows(const struct stat& directory) {
  const std::lock_guard lock(mutex_);
  return known_.contains({directory.st_dev, directory.st_ino});
}

void durable_directories::add(const struct stat& directory) {
  constexpr std::size_t many = 10'000;
  const std::lock_guard lock(mutex_);
  if (known_.size() >= many) known_.clear();
  known_.emplace(directory.st_dev, directory.st_ino);
}

std::expected<writing, sink_error> store_as_file(const spool& from, const spool_file& file,
                                                 const fs::path& target, durable_directories& known,
                                                 existing other) {
  const auto directory = parent_of(target);
  if (auto made = make_directories(directory, known); !made) return std::unexpected(made.error());
  if (holds_already(file, target)) return once_durable(writing::unchanged, directory);
  const auto temporary = directory / fmt::format(".{}.wherry", target.filename().native());
  auto opened = claim(temporary);
  if (!opened) return std::unexpected(opened.error());
  auto stored = copy(from, file, opened->number, temporary);
  if (stored && ::fsync(opened->number) != 0) stored = refused(errno, temporary);
  const unsigned how = other == existing::stays ? RENAME_NOREPLACE : 0;
  if (stored && ::renameat2(AT_FDCWD, temporary.c_str(), AT_FDCWD, target.c_str(), how) != 0) {
    stored = how != 0 && errno == EEXIST ? std::unexpected(kept_as_it_is(target.native()))
                                         : refused(errno, target);
  }
  if (!stored) {
    ::unlink(temporary.c_str());
    return std::unexpected(stored.error());
  }
  return once_durable(writing::changed, directory);
}

// Synced also when it is gone: whoever removed it may have died before that.
std::expected<void, sink_error> remove_file(const fs::path& target) {
  if (::unlink(target.c_str()) != 0 && errno != ENOENT) return refused(errno, target);
  const auto directory = parent_of(target);
  std::error_code ignored;  // what cannot be looked at cannot be synced either
  if (!fs::exists(directory, ignored) && !ignored) return {};
  return sync_directory(directory);
}

}  // namespace wherry::app
