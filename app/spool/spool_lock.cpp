// SPDX-License-Identifier: Apache-2.0
#include "spool/spool_lock.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <string>

#include "spool/spool.hpp"
#include "spool/spool_errors.hpp"

namespace wherry::app {
namespace {

constexpr const char* file_name = ".wherry-spool.owner";

std::string owner_in(int file) {
  std::array<char, 64> buffer{};
  const auto size = ::pread(file, buffer.data(), buffer.size(), 0);
  std::string text(buffer.data(), size > 0 ? static_cast<std::size_t>(size) : 0);
  while (!text.empty() && text.back() == '\n') text.pop_back();
  return text.empty() ? "another process" : text;
}

}  // namespace

std::expected<spool_lock, spool_error> spool_lock::take(int descriptor,
                                                        const std::filesystem::path& directory) {
  const auto path = directory / file_name;
  spool_lock taken{
      ::openat(descriptor, file_name, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600)};
  if (taken.file_ < 0) return std::unexpected(spool_io_error(errno, "open", path));
  struct flock whole_file{};
  whole_file.l_type = F_WRLCK;
  whole_file.l_whence = SEEK_SET;
  if (::fcntl(taken.file_, F_OFD_SETLK, &whole_file) != 0) {
    if (errno != EAGAIN && errno != EACCES) {
      return std::unexpected(spool_io_error(errno, "lock", path));
    }
    return std::unexpected(spool_error{
        spool_error_kind::owned,
        fmt::format("the spool {} is in use by {}: wait for it or stop it, or name another "
                    "directory by `spool` in [import]",
                    directory.native(), owner_in(taken.file_))});
  }
  const auto text = fmt::format("pid {}\n", ::getpid());
  if (::ftruncate(taken.file_, 0) != 0 ||
      ::pwrite(taken.file_, text.data(), text.size(), 0) != static_cast<ssize_t>(text.size())) {
    return std::unexpected(spool_io_error(errno, "write", path));
  }
  return taken;
}

spool_lock::~spool_lock() {
  if (file_ >= 0) ::close(file_);
}

}  // namespace wherry::app
