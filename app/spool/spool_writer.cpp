// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>
#include <unistd.h>

#include <cerrno>
#include <utility>

#include "spool/spool.hpp"
#include "spool/spool_errors.hpp"
#include "spool/spool_names.hpp"
#include "wherry/csp/assert.hpp"

namespace wherry::app {
namespace {

// What never fills the buffer is small.
constexpr std::size_t buffer_size_bytes = small_files::most_bytes;

}  // namespace

spool_writer::spool_writer(spool& home, const spool_key& key, spool_form form)
    : home_(&home), step_(key.step), form_(form), name_(spool_name(key)) {
  if (step_ != spool_step::download) return;
  const auto usual = home.usual_bytes_.load(std::memory_order_relaxed);
  if (auto reserved = home.reserve(step_, 0, usual); !reserved) {
    refusal_ = std::move(reserved.error());
  } else {
    reserved_bytes_ = usual;
  }
}

spool_writer::spool_writer(spool_writer&& other) noexcept
    : home_(std::exchange(other.home_, nullptr)),
      step_(other.step_),
      form_(other.form_),
      name_(std::move(other.name_)),
      descriptor_(std::exchange(other.descriptor_, -1)),
      created_(other.created_),
      buffer_(std::move(other.buffer_)),
      refusal_(std::move(other.refusal_)),
      reserved_bytes_(other.reserved_bytes_),
      size_bytes_(other.size_bytes_),
      written_bytes_(other.written_bytes_),
      hash_(std::move(other.hash_)) {}

spool_writer::~spool_writer() { abandon(); }

void spool_writer::abandon() noexcept {
  auto* const home = std::exchange(home_, nullptr);
  if (home == nullptr) return;
  if (descriptor_ >= 0) ::close(std::exchange(descriptor_, -1));
  if (created_) home->unlink(name_);
  home->give_back(reserved_bytes_ - written_bytes_);  // never on the disk
}

std::expected<void, spool_error> spool_writer::write(std::string_view bytes) {
  WHERRY_ASSERT(home_ != nullptr, "a spool file is written to after it has ended");
  const auto needed = size_bytes_ + bytes.size();
  if (needed > reserved_bytes_) {
    auto reserved = home_->reserve(step_, reserved_bytes_, needed - reserved_bytes_);
    if (!reserved) {
      abandon();
      return reserved;
    }
    reserved_bytes_ = needed;
  }
  size_bytes_ = needed;
  hash_.add(bytes);
  buffer_.append(bytes);
  if (buffer_.size() <= buffer_size_bytes) return {};
  auto flushed = flush();
  if (!flushed) abandon();
  return flushed;
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
  WHERRY_ASSERT(home_ != nullptr, "a spool file is finished after it has ended");
  if (form_ == spool_form::any && !created_) {
    auto stored = home_->store_small(name_, buffer_);
    if (!stored) return std::unexpected(std::move(stored.error()));
    name_ = *std::move(stored);
  } else {
    if (auto flushed = flush(); !flushed) return std::unexpected(flushed.error());
    if (::close(std::exchange(descriptor_, -1)) != 0) {
      return std::unexpected(spool_io_error(errno, "write", home_->directory_ / name_));
    }
  }
  auto* const home = std::exchange(home_, nullptr);
  home->give_back(reserved_bytes_ - size_bytes_);
  if (step_ == spool_step::download) home->learn(size_bytes_);
  return spool_file{std::move(name_), size_bytes_, to_hex(hash_.finish())};
}

}  // namespace wherry::app
