// SPDX-License-Identifier: Apache-2.0
#include "spool/small_files.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <limits>

#include "wherry/csp/assert.hpp"

namespace wherry::app {
namespace {

// Above so many, the room of free places is given back as soon as all are.
constexpr std::size_t cut_above = 256;

off_t offset_of(small_files::place at) {
  return static_cast<off_t>(at) * static_cast<off_t>(small_files::most_bytes);
}

}  // namespace

small_files::~small_files() {
  if (file_ < 0) return;
  ::close(file_);
  if (free_.size() == end_) ::unlink(path_.c_str());
}

std::expected<std::uint64_t, spool_error> small_files::open() {
  file_ = ::openat(directory_, name, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
  if (file_ < 0) return std::unexpected(spool_io_error(errno, "open", path_));
  struct stat found;
  if (::fstat(file_, &found) != 0) return std::unexpected(spool_io_error(errno, "read", path_));
  const auto size = static_cast<std::uint64_t>(found.st_size);
  end_ = static_cast<place>((size + most_bytes - 1) / most_bytes);
  constexpr std::uint64_t block_size_bytes = 512;  // st_blocks', whatever the file system's is
  return static_cast<std::uint64_t>(found.st_blocks) * block_size_bytes;
}

small_files::place small_files::take() {
  const std::lock_guard lock(mutex_);
  if (free_.empty()) {
    WHERRY_ASSERT(end_ < std::numeric_limits<place>::max(), "256 TiB of small files");
    if (free_.capacity() <= end_) free_.reserve(2 * (std::size_t{end_} + 1));  // for `release`
    return end_++;
  }
  const place at = free_.back();
  free_.pop_back();
  return at;
}

std::expected<small_files::place, spool_error> small_files::write(std::string_view bytes) {
  WHERRY_ASSERT(bytes.size() <= most_bytes, "a file that is not small");
  const place at = take();
  for (std::size_t done = 0; done < bytes.size();) {
    const auto size = ::pwrite(file_, bytes.data() + done, bytes.size() - done,
                               offset_of(at) + static_cast<off_t>(done));
    if (size < 0 && errno == EINTR) continue;
    if (size < 0) {
      const int wrong = errno;
      release(at);
      return std::unexpected(spool_io_error(wrong, "write", path_));
    }
    done += static_cast<std::size_t>(size);
  }
  return at;
}

std::expected<std::size_t, spool_error> small_files::read(place at, std::span<char> into) const {
  std::size_t done = 0;
  while (done < into.size()) {
    const auto size = ::pread(file_, into.data() + done, into.size() - done,
                              offset_of(at) + static_cast<off_t>(done));
    if (size < 0 && errno == EINTR) continue;
    if (size < 0) return std::unexpected(spool_io_error(errno, "read", path_));
    if (size == 0) break;
    done += static_cast<std::size_t>(size);
  }
  return done;
}

void small_files::release(place at) noexcept {
  const std::lock_guard lock(mutex_);
  free_.push_back(at);
  if (free_.size() < end_ || end_ < cut_above) return;
  if (::ftruncate(file_, 0) != 0) return;  // then the room is used again
  free_.clear();
  end_ = 0;
}

void small_files::keep(const std::vector<place>& taken) {
  const std::lock_guard lock(mutex_);
  std::vector<bool> is_taken(end_);
  for (const place at : taken) is_taken[at] = true;
  while (end_ > 0 && !is_taken[end_ - 1]) --end_;
  free_.clear();
  free_.reserve(end_);
  for (place at = end_; at-- > 0;) {
    if (!is_taken[at]) free_.push_back(at);
  }
  // Should that fail, the room is used again.
  [[maybe_unused]] const int cut = ::ftruncate(file_, offset_of(end_));
}

}  // namespace wherry::app
