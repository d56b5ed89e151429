// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>
#include <unistd.h>

#include <cerrno>
#include <utility>

#include "spool/spool.hpp"
#include "spool/spool_errors.hpp"

namespace wherry::app {
namespace {

// A small report is one system call.
constexpr std::size_t buffer_size_bytes = 64 * 1024;

}  // namespace

spool_writer::spool_writer(spool_writer&& other) noexcept
    : home_(std::exchange(other.home_, nullptr)),
      name_(std::move(other.name_)),
      descriptor_(std::exchange(other.descriptor_, -1)),
      created_(other.created_),
      buffer_(std::move(other.buffer_)),
      size_bytes_(other.size_bytes_),
      written_bytes_(other.written_bytes_),
      hash_(std::move(other.hash_)) {}

spool_writer::~spool_writer() {
  if (home_ == nullptr) return;
  if (descriptor_ >= 0) ::close(descriptor_);
  if (created_) home_->unlink(name_);
  home_->give_back(size_bytes_ - written_bytes_);  // reserved, never on the disk
}

std::expected<void, spool_error> spool_writer::write(std::string_view bytes) {
  if (!home_->reserve(bytes.size())) {
    return std::unexpected(home_->full());
  }
  size_bytes_ += bytes.size();
  hash_.add(bytes);
  buffer_.append(bytes);
  return buffer_.size() < buffer_size_bytes ? std::expected<void, spool_error>{} : flush();
}

std::expected<void, spool_error> spool_writer::flush() {
  if (descriptor_ < 0) {
    const auto made = home_->create(name_);
    if (!made) return std::unexpected(made.error());
    descriptor_ = *made;
    created_ = true;
  }
  std::string_view left = buffer_;
  while (!left.empty()) {
    const auto size = ::write(descriptor_, left.data(), left.size());
    if (size < 0 && errno == EINTR) continue;
    if (size < 0) {
      return std::unexpected(spool_io_error(errno, "write", home_->directory_ / name_));
    }
    written_bytes_ += static_cast<std::uint64_t>(size);
    left.remove_prefix(static_cast<std::size_t>(size));
  }
  buffer_.clear();
  return {};
}

std::expected<spool_file, spool_error> spool_writer::finish() {
  if (auto flushed = flush(); !flushed) return std::unexpected(flushed.error());
  if (::close(std::exchange(descriptor_, -1)) != 0) {
    return std::unexpected(spool_io_error(errno, "write", home_->directory_ / name_));
  }
  home_ = nullptr;
  return spool_file{std::move(name_), size_bytes_, to_hex(hash_.finish())};
}

}  // namespace wherry::app
