// SPDX-License-Identifier: Apache-2.0
#include "owner_lock.hpp"

#include <fcntl.h>
#include <fmt/chrono.h>
#include <fmt/format.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <ctime>
#include <utility>

#include "database.hpp"

namespace wherry::sqlite {
namespace {

std::string lock_file(const std::filesystem::path& store) { return store.string() + ".owner"; }

struct flock whole_file() {
  struct flock range{};
  range.l_type = F_WRLCK;
  range.l_whence = SEEK_SET;
  return range;
}

std::string read_text(int descriptor) {
  std::array<char, 256> buffer{};
  const auto size = ::pread(descriptor, buffer.data(), buffer.size(), 0);
  std::string text(buffer.data(), size > 0 ? static_cast<std::size_t>(size) : 0);
  while (!text.empty() && text.back() == '\n') text.pop_back();
  return text.empty() ? "another process" : text;
}

std::string self_description() {
  std::array<char, 256> host{};
  if (::gethostname(host.data(), host.size() - 1) != 0) host[0] = '?';
  return fmt::format("pid {} on {} since {:%Y-%m-%dT%H:%M:%SZ}\n", ::getpid(), host.data(),
                     fmt::gmtime(std::time(nullptr)));
}

store_error failed(const std::string& file, int error) {
  const bool no_space = error == ENOSPC || error == EDQUOT;
  return {no_space ? store_error::kind::full : store_error::kind::io,
          fmt::format("{}: {}: {}", file, std::strerror(error),
                      no_space ? "free some space, or name a store on another disk"
                               : "a store needs a local directory that exists and that this user "
                                 "may write to")};
}

}  // namespace

owner_lock::owner_lock(const std::filesystem::path& store) {
  const auto file = lock_file(store);
  descriptor_ = ::open(file.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0644);
  if (descriptor_ < 0) throw database_failure(failed(file, errno));
  const auto give_up = [this](store_error why) {
    ::close(descriptor_);
    throw database_failure(std::move(why));
  };
  auto range = whole_file();
  if (::fcntl(descriptor_, F_OFD_SETLK, &range) != 0) {
    if (errno != EAGAIN && errno != EACCES) give_up(failed(file, errno));
    give_up(
        {store_error::kind::owned,
         fmt::format("{}: in use by {}: wait for it, or stop it; status, list and show work beside "
                     "it",
                     store.string(), read_text(descriptor_))});
  }
  const auto text = self_description();
  if (::ftruncate(descriptor_, 0) != 0 ||
      ::pwrite(descriptor_, text.data(), text.size(), 0) != static_cast<ssize_t>(text.size())) {
    give_up(failed(file, errno));
  }
}

owner_lock::owner_lock(owner_lock&& other) noexcept
    : descriptor_(std::exchange(other.descriptor_, -1)) {}

owner_lock::~owner_lock() {
  if (descriptor_ >= 0) ::close(descriptor_);
}

std::string owner_of(const std::filesystem::path& store) {
  const int descriptor = ::open(lock_file(store).c_str(), O_RDONLY | O_CLOEXEC);
  if (descriptor < 0) return {};
  auto range = whole_file();
  std::string owner;
  if (::fcntl(descriptor, F_OFD_GETLK, &range) == 0 && range.l_type != F_UNLCK) {
    owner = read_text(descriptor);
  }
  ::close(descriptor);
  return owner;
}

}  // namespace wherry::sqlite
