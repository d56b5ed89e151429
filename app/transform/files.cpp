// SPDX-License-Identifier: Apache-2.0
#include "transform/files.hpp"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>
#include <cerrno>
#include <cstdio>
#include <cstring>

#include <fmt/format.h>

namespace wherry::app {
namespace {

using kind = transform_error::kind;

std::unexpected<transform_error> trouble(std::string_view doing, std::string_view path, int error) {
  const bool full = error == ENOSPC || error == EDQUOT;
  return failure(full ? kind::no_space : kind::io, file_trouble(doing, path, error));
}

// Closes a file that is only read.
class descriptor {
 public:
  explicit descriptor(int number) : number_(number) {}
  ~descriptor() {
    if (number_ >= 0) ::close(number_);
  }
  descriptor(const descriptor&) = delete;
  descriptor& operator=(const descriptor&) = delete;
  int get() const { return number_; }

 private:
  int number_;
};

}  // namespace

std::string file_trouble(std::string_view doing, std::string_view path, int error) {
  std::string_view remedy = "Check the path and its permissions";
  if (error == ENOSPC || error == EDQUOT) remedy = "Free space there, or lower the spool's budget";
  if (error == EROFS) remedy = "Choose a directory that can be written";
  if (error == ENOENT) remedy = "Check that the directory still exists";
  if (error == EMFILE || error == ENFILE) remedy = "Raise `ulimit -n` or lower `in_flight`";
  return fmt::format("{} {}: {}. {}", doing, path, std::strerror(error), remedy);
}

void passed_pages::drop(const char* at) {
  constexpr std::uintptr_t page_bytes = 4096;
  // From the page in which the last ended; the one in which this ends stays.
  const char* const begin = from_ - reinterpret_cast<std::uintptr_t>(from_) % page_bytes;
  const char* const end = at - reinterpret_cast<std::uintptr_t>(at) % page_bytes;
  // Advice: should it not be taken, all is as it was.
  (void)::madvise(const_cast<char*>(begin), static_cast<std::size_t>(end - begin), MADV_DONTNEED);
  from_ = at;
}

std::expected<report_file, transform_error> report_file::open(const std::string& path,
                                                              std::string& buffer) {
  const descriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (file.get() < 0) return trouble("cannot open the report", path, errno);
  struct stat about{};
  if (::fstat(file.get(), &about) != 0) return trouble("cannot read the report", path, errno);
  if (!S_ISREG(about.st_mode)) return trouble("cannot read the report", path, EINVAL);
  const auto size = static_cast<std::size_t>(about.st_size);
  constexpr std::size_t small = 1 << 20;
  if (size > small) {
    void* const start = ::mmap(nullptr, size, PROT_READ, MAP_PRIVATE, file.get(), 0);
    if (start == MAP_FAILED) return trouble("cannot map the report", path, errno);
    return report_file({static_cast<const char*>(start), size}, true);
  }
  buffer.resize(size);
  std::size_t at = 0;
  while (at < size) {
    const auto got = ::read(file.get(), buffer.data() + at, size - at);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return trouble("cannot read the report", path, errno);
    if (got == 0) break;  // cut meanwhile: what is there is judged as it is
    at += static_cast<std::size_t>(got);
  }
  return report_file({buffer.data(), at}, false);
}

report_file::~report_file() {
  if (mapped_) ::munmap(const_cast<char*>(text_.data()), text_.size());
}

std::expected<output_file, transform_error> output_file::create(const std::string& path,
                                                                std::size_t returned_bytes) {
  output_file made(path, returned_bytes);
  if (returned_bytes > 0) return made;
  if (auto opened = made.open(); !opened) return std::unexpected(std::move(opened.error()));
  return made;
}

std::expected<output_file, transform_error> output_file::reuse(const std::string& path) {
  output_file made(path, 0);
  made.descriptor_ = ::open(path.c_str(), O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600);
  if (made.descriptor_ < 0) return trouble("cannot create", path, errno);
  return made;
}

std::expected<void, transform_error> output_file::open() {
  constexpr int flags = O_WRONLY | O_CREAT | O_NOFOLLOW | O_CLOEXEC;
  descriptor_ = ::open(path_.c_str(), flags | O_EXCL, 0600);
  if (descriptor_ < 0 && errno == EEXIST) {
    struct stat about{};  // only a file or a link is removed; a device (/dev/full) is written to
    const bool device =
        ::lstat(path_.c_str(), &about) == 0 && !S_ISREG(about.st_mode) && !S_ISLNK(about.st_mode);
    if (!device) ::unlink(path_.c_str());
    descriptor_ = ::open(path_.c_str(), device ? flags : flags | O_EXCL, 0600);
  }
  if (descriptor_ < 0) return trouble("cannot create", path_, errno);
  return {};
}

output_file::output_file(output_file&& other) noexcept
    : path_(std::move(other.path_)),
      returned_bytes_(other.returned_bytes_),
      small_(std::move(other.small_)),
      descriptor_(std::exchange(other.descriptor_, -1)) {}

output_file::~output_file() {
  if (descriptor_ < 0) return;
  struct stat about{};
  if (::fstat(descriptor_, &about) == 0 && S_ISREG(about.st_mode)) ::unlink(path_.c_str());
  ::close(descriptor_);
}

std::expected<void, transform_error> output_file::write(std::string_view bytes) {
  if (descriptor_ < 0) {
    small_ += bytes;
    if (small_.size() <= returned_bytes_) return {};
    if (auto opened = open(); !opened) return opened;
    return flush(std::exchange(small_, {}));
  }
  return flush(bytes);
}

std::expected<void, transform_error> output_file::flush(std::string_view bytes) {
  while (!bytes.empty()) {
    const auto written = ::write(descriptor_, bytes.data(), bytes.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) return trouble("cannot write", path_, errno);
    bytes.remove_prefix(static_cast<std::size_t>(written));
  }
  return {};
}

std::expected<output_file::kept, transform_error> output_file::keep() {
  if (descriptor_ < 0) return kept{small_.size(), std::move(small_)};
  struct stat about{};
  if (::fstat(descriptor_, &about) != 0) return trouble("cannot measure", path_, errno);
  const int descriptor = std::exchange(descriptor_, -1);
  if (::close(descriptor) != 0 && errno != EINTR) {
    const int error = errno;
    ::unlink(path_.c_str());
    return trouble("cannot write", path_, error);
  }
  return kept{static_cast<std::uint64_t>(about.st_size)};
}

std::expected<output_file::kept, transform_error> output_file::keep_as(const std::string& path,
                                                                       std::size_t returned_bytes) {
  struct stat about{};
  if (::fstat(descriptor_, &about) != 0) return trouble("cannot measure", path_, errno);
  const auto size = static_cast<std::size_t>(about.st_size);
  if (size > returned_bytes) {
    if (::rename(path_.c_str(), path.c_str()) != 0) return trouble("cannot create", path, errno);
    path_ = path;
    return keep();
  }
  std::string bytes(size, '\0');
  if (const auto got = ::pread(descriptor_, bytes.data(), size, 0);
      got < 0 || static_cast<std::size_t>(got) != size) {
    return trouble("cannot read", path_, got < 0 ? errno : EIO);
  }
  ::close(std::exchange(descriptor_, -1));
  return kept{size, std::move(bytes)};
}

}  // namespace wherry::app
