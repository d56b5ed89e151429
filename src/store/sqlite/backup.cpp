// SPDX-License-Identifier: Apache-2.0
// Copies a store while others may write to it: one snapshot, by SQLite's backup, to a file of
// another name, which gets the name that was asked for when it is whole and durable.

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "owner_lock.hpp"
#include "schema.hpp"
#include "upkeep.hpp"
#include "views.hpp"

namespace wherry::sqlite {
namespace {

namespace fs = std::filesystem;
using kind = store_error::kind;

[[noreturn]] void refuse(const fs::path& to, std::string_view why) {
  throw database_failure({kind::refused, fmt::format("{}: {}", to.string(), why)});
}

[[noreturn]] void fail(const fs::path& file, const char* what) {
  const int error = errno;
  throw database_failure({error == ENOSPC || error == EDQUOT ? kind::full : kind::io,
                          fmt::format("{}: {}: {}: the backup was not made, the store is as it was",
                                      file.string(), what, std::strerror(error))});
}

/// What is at the target may give way, or nothing is there.
void require_free(const fs::path& from, const fs::path& to, bool replace) {
  std::error_code error;
  if (fs::is_directory(to, error)) refuse(to, "a directory: name a file in it");
  if (const auto log = to.string() + "-wal"; fs::exists(log, error)) {
    if (fs::file_size(log, error) > 0) {
      refuse(to,
             "a write-ahead log lies beside it, and would be taken for the copy's: move "
             "both away, or name another file");
    }
  }
  if (!fs::exists(to, error)) return;
  if (fs::equivalent(from, to, error)) refuse(to, "the store itself: name another file");
  if (!replace) refuse(to, "there is a file already: name another one, or say --replace");
  database there(to, access::read);
  require_store(there);
  if (const auto owner = owner_of(to); !owner.empty()) refuse(to, "a store in use by " + owner);
}

/// The copy on its way: gone at the end, unless it got its name.
class unfinished {
 public:
  explicit unfinished(const fs::path& to)
      : path(to.string() + ".part-" + std::to_string(::getpid())) {
    remove();
  }
  unfinished(const unfinished&) = delete;
  unfinished& operator=(const unfinished&) = delete;
  ~unfinished() { remove(); }

  const fs::path path;

 private:
  void remove() const noexcept {
    std::error_code absent;
    for (const char* const end : {"", "-journal", "-wal", "-shm"}) {
      fs::remove(path.string() + end, absent);
    }
  }
};

void make_durable(const fs::path& file, int flags) {
  const int descriptor = ::open(file.c_str(), flags | O_CLOEXEC);
  const bool done = descriptor >= 0 && ::fsync(descriptor) == 0;
  const int error = errno;
  if (descriptor >= 0) ::close(descriptor);
  errno = error;
  if (!done) fail(file, "fsync");
}

void give_name(const fs::path& part, const fs::path& to, bool replace) {
  if (replace) {
    if (::rename(part.c_str(), to.c_str()) != 0) fail(to, "rename");
  } else if (::link(part.c_str(), to.c_str()) != 0) {  // never over a file that came meanwhile
    if (errno == EEXIST) refuse(to, "there is a file already: name another one, or say --replace");
    fail(to, "link");
  }
  make_durable(to.parent_path().empty() ? fs::path(".") : to.parent_path(), O_RDONLY | O_DIRECTORY);
}

std::int64_t back_up(database& from, const fs::path& to, const backup_options& options,
                     const upkeep_watcher& watch) {
  require_free(from.file(), to, options.replace);
  const unfinished part(to);
  from.run("BEGIN");
  require_store(from);  // also begins the snapshot
  {
    database copy(part.path, access::create);
    // Nobody reads it before it is whole, so it needs no journal; it is made durable at the end.
    copy.run("PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF");
    from.copy_into(copy, [&](std::int64_t pages, std::int64_t of) {
      if (watch) watch({.stage = "copying", .done = pages, .of = of});
    });
  }
  from.run("COMMIT");
  {
    database copy(part.path, access::read);
    require_store(copy);
  }
  struct stat like{};
  if (::stat(from.file().c_str(), &like) != 0 || ::chmod(part.path.c_str(), like.st_mode) != 0) {
    fail(part.path, "chmod");
  }
  make_durable(part.path, O_RDWR);
  const auto bytes = static_cast<std::int64_t>(fs::file_size(part.path));
  give_name(part.path, to, options.replace);
  return bytes;
}

}  // namespace
}  // namespace wherry::sqlite

namespace wherry {

std::expected<std::int64_t, store_error> backup_sqlite_store(const std::filesystem::path& file,
                                                             const std::filesystem::path& to,
                                                             const backup_options& options,
                                                             const upkeep_watcher& watch) {
  using namespace sqlite;
  return guarded([&] {
    database from(existing_store(file), access::read);
    return back_up(from, std::filesystem::absolute(to), options, watch);
  });
}

}  // namespace wherry
