// SPDX-License-Identifier: Apache-2.0
#include "spool/spool.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <system_error>
#include <unordered_set>
#include <utility>

#include "spool/spool_errors.hpp"
#include "spool/spool_names.hpp"

namespace wherry::app {
namespace {

constexpr std::size_t piece_size_bytes = 256 * 1024;
// Calls `each(name, size)` for the spool's own files in a directory. Errors: errno's.
template <class Each>
std::error_code for_each_own_file(const std::filesystem::path& directory, Each each) {
  std::error_code wrong;
  for (std::filesystem::directory_iterator at{directory, wrong}, end; !wrong && at != end;
       at.increment(wrong)) {
    std::error_code ignored;  // a file that vanishes meanwhile is none
    const auto name = at->path().filename().native();
    if (!is_spool_name(name) || !at->is_regular_file(ignored)) continue;
    const auto size = at->file_size(ignored);
    each(name, ignored ? 0 : size);
  }
  return wrong;
}

// A descriptor that closes itself.
struct open_file {
  int descriptor;
  explicit open_file(int opened) : descriptor(opened) {}
  ~open_file() {
    if (descriptor >= 0) ::close(descriptor);
  }
  open_file(const open_file&) = delete;
  open_file& operator=(const open_file&) = delete;
};

}  // namespace

spool_error spool_io_error(int code, std::string_view verb, const std::filesystem::path& what) {
  if (code == ENOSPC || code == EDQUOT) {
    return {spool_error_kind::no_space,
            fmt::format("no space left to {} {}: free some, or let `spool` in the spec name a "
                        "directory on another disk",
                        verb, what.native())};
  }
  if (code == EMFILE || code == ENFILE) {
    return {spool_error_kind::io,
            fmt::format("cannot {} {}: too many open files: raise `ulimit -n` or lower `in_flight`",
                        verb, what.native())};
  }
  return {
      spool_error_kind::io,
      fmt::format("cannot {} {}: {}; check its owner and rights, or let `spool` in the spec name "
                  "another directory",
                  verb, what.native(), std::generic_category().message(code))};
}

std::expected<std::unique_ptr<spool>, spool_error> spool::open(const std::filesystem::path& named,
                                                               std::uint64_t budget_bytes) {
  std::error_code wrong;
  auto directory = std::filesystem::absolute(named, wrong).lexically_normal();
  if (wrong) return std::unexpected(spool_io_error(wrong.value(), "find", named));
  if (!directory.has_filename()) directory = directory.parent_path();  // "spool/", "."
  std::filesystem::create_directories(directory.parent_path(), wrong);
  if (wrong) return std::unexpected(spool_io_error(wrong.value(), "make", directory));
  if (::mkdir(directory.c_str(), 0700) != 0 && errno != EEXIST) {
    return std::unexpected(spool_io_error(errno, "make", directory));
  }
  const int descriptor = ::open(directory.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (descriptor < 0) return std::unexpected(spool_io_error(errno, "open", directory));
  auto lock = spool_lock::take(descriptor, directory);
  if (!lock) {
    ::close(descriptor);
    return std::unexpected(std::move(lock.error()));
  }
  std::unique_ptr<spool> made{new spool{directory, descriptor, std::move(*lock), budget_bytes}};
  wrong = for_each_own_file(directory, [&](const std::string& name, std::uint64_t size) {
    made->used_bytes_ += size;
    made->own_names_.insert(name);
  });
  if (wrong) return std::unexpected(spool_io_error(wrong.value(), "list", directory));
  const auto small = made->small_.open();
  if (!small) return std::unexpected(small.error());
  made->left_small_bytes_ = *small;
  made->used_bytes_ += *small;
  made->left_bytes_ = made->used_bytes_;
  return made;
}

spool::spool(std::filesystem::path directory, int descriptor, spool_lock lock,
             std::uint64_t budget_bytes)
    : directory_(std::move(directory)),
      descriptor_(descriptor),
      lock_(std::move(lock)),
      budget_bytes_(budget_bytes),
      small_(descriptor_, directory_) {}

spool::~spool() { ::close(descriptor_); }

spool_writer spool::write(const spool_key& key, spool_form form) {
  return spool_writer{*this, key, form};
}

std::expected<spool_file, spool_error> spool::store(const spool_key& key, std::string_view bytes,
                                                    spool_form form) {
  auto writer = write(key, form);
  if (auto written = writer.write(bytes); !written) {
    return std::unexpected(std::move(written.error()));
  }
  return writer.finish();
}

bool spool::has_path(const spool_file& file) noexcept { return !file.name.contains('@'); }

std::filesystem::path spool::path_of(const spool_file& file) const {
  return directory_ / file.name;
}

std::unexpected<spool_error> spool::damaged(const spool_file& file, std::string_view what) const {
  return std::unexpected(
      spool_error{spool_error_kind::damaged, fmt::format("{} {}", path_of(file).native(), what)});
}

std::expected<std::string, spool_error> spool::read_small(const spool_file& file,
                                                          small_files::place at) const {
  if (file.size_bytes > small_files::most_bytes) return damaged(file, "is too large to be small");
  std::string bytes(file.size_bytes, '\0');
  const auto size = small_.read(at, bytes);
  if (!size) return std::unexpected(size.error());
  if (*size < bytes.size()) return damaged(file, "has vanished from the spool");
  if (to_hex(sha256_of(bytes)) != file.sha256) {
    return damaged(file, "holds other bytes than were written");
  }
  return bytes;
}

std::expected<void, spool_error> spool::read_pieces(
    const spool_file& file, const std::function<bool(std::string_view)>& each) const {
  if (const auto small = parse_small_name(file.name)) {
    const auto bytes = read_small(file, small->place);
    if (!bytes) return std::unexpected(bytes.error());
    if (!bytes->empty()) each(*bytes);
    return {};
  }
  const open_file opened{::openat(descriptor_, file.name.c_str(), O_RDONLY | O_CLOEXEC)};
  if (opened.descriptor < 0) {
    if (errno == ENOENT) return damaged(file, "has vanished from the spool");
    return std::unexpected(spool_io_error(errno, "read", path_of(file)));
  }
  struct stat found;
  if (::fstat(opened.descriptor, &found) != 0) {
    return std::unexpected(spool_io_error(errno, "read", path_of(file)));
  }
  if (static_cast<std::uint64_t>(found.st_size) != file.size_bytes) {
    return damaged(
        file, fmt::format("has {} bytes where {} were written", found.st_size, file.size_bytes));
  }
  sha256 hash;
  std::string piece(std::min<std::uint64_t>(file.size_bytes, piece_size_bytes), '\0');
  for (std::uint64_t left = file.size_bytes; left > 0;) {
    const auto size =
        ::read(opened.descriptor, piece.data(), std::min<std::uint64_t>(left, piece.size()));
    if (size < 0 && errno == EINTR) continue;
    if (size < 0) return std::unexpected(spool_io_error(errno, "read", path_of(file)));
    if (size == 0) return damaged(file, "ended early");
    const std::string_view bytes{piece.data(), static_cast<std::size_t>(size)};
    left -= bytes.size();
    hash.add(bytes);
    if (!each(bytes)) return {};
  }
  if (to_hex(hash.finish()) != file.sha256) {
    return damaged(file, "holds other bytes than were written");
  }
  return {};
}

std::expected<std::string, spool_error> spool::read(const spool_file& file) const {
  if (const auto small = parse_small_name(file.name)) return read_small(file, small->place);
  std::string all;
  const auto done = read_pieces(file, [&](std::string_view bytes) {
    if (all.empty()) all.reserve(file.size_bytes);
    all.append(bytes);
    return true;
  });
  if (!done) return std::unexpected(done.error());
  return all;
}

std::filesystem::path spool::path_for(const spool_key& key) noexcept {
  remove(key);
  return directory_ / spool_name(key);
}

std::expected<spool_file, spool_error> spool::adopt(const spool_key& key) {
  spool_file file{.name = spool_name(key), .size_bytes = 0, .sha256 = {}};
  const open_file opened{::openat(descriptor_, file.name.c_str(), O_RDONLY | O_CLOEXEC)};
  if (opened.descriptor < 0) return std::unexpected(spool_io_error(errno, "read", path_of(file)));
  sha256 hash;
  std::string piece(piece_size_bytes, '\0');
  for (;;) {
    const auto size = ::read(opened.descriptor, piece.data(), piece.size());
    if (size < 0 && errno == EINTR) continue;
    if (size < 0) return std::unexpected(spool_io_error(errno, "read", path_of(file)));
    if (size == 0) break;
    hash.add({piece.data(), static_cast<std::size_t>(size)});
    file.size_bytes += static_cast<std::uint64_t>(size);
  }
  file.sha256 = to_hex(hash.finish());
  if (auto reserved = reserve(key.step, 0, file.size_bytes); !reserved) {
    ::unlinkat(descriptor_, file.name.c_str(), 0);
    return std::unexpected(std::move(reserved.error()));
  }
  const std::lock_guard lock(mutex_);
  own_names_.insert(file.name);
  return file;
}

bool spool::unlink(const std::string& name) noexcept {
  {
    const std::lock_guard lock(mutex_);
    if (own_names_.erase(name) == 0) return false;  // as most small reports
  }
  // Its real size, not the one in a state: the budget counts what is on the disk.
  struct stat found;
  const bool is_gone = ::fstatat(descriptor_, name.c_str(), &found, AT_SYMLINK_NOFOLLOW) == 0 &&
                       ::unlinkat(descriptor_, name.c_str(), 0) == 0;
  if (is_gone) give_back(static_cast<std::uint64_t>(found.st_size));
  return is_gone;
}

std::expected<std::string, spool_error> spool::store_small(const std::string& name,
                                                           std::string_view bytes) {
  const auto at = small_.write(bytes);
  if (!at) return std::unexpected(at.error());
  remember_small(name, *at, bytes.size());
  return to_string(small_name{name, *at});
}

// A step that runs again replaces its own file.
void spool::remember_small(const std::string& name, small_files::place at,
                           std::uint64_t size_bytes) {
  const std::lock_guard lock(mutex_);
  const auto [found, is_new] = small_by_name_.try_emplace(name, placed{at, size_bytes});
  if (is_new) return;
  small_.release(found->second.at);
  give_back(found->second.size_bytes);
  found->second = {at, size_bytes};
}

bool spool::remove_small(const std::string& name) noexcept {
  const std::lock_guard lock(mutex_);
  const auto found = small_by_name_.find(name);
  if (found == small_by_name_.end()) return false;
  small_.release(found->second.at);
  give_back(found->second.size_bytes);
  small_by_name_.erase(found);
  return true;
}

// A step may have left a file of each form, when what it was about has grown or shrunk.
bool spool::remove_named(const std::string& name) noexcept {
  const bool was_small = remove_small(name);
  return unlink(name) || was_small;
}

bool spool::remove(const spool_file& file) noexcept {
  const auto small = parse_small_name(file.name);
  return remove_named(small ? small->name : file.name);
}

bool spool::remove(const spool_key& key) noexcept { return remove_named(spool_name(key)); }

std::expected<void, spool_error> spool::keep_only(const std::vector<spool_file>& live) {
  std::unordered_set<std::string_view> names;
  std::vector<small_files::place> taken;
  give_back(std::exchange(left_small_bytes_, 0));
  for (const auto& each : live) {
    const auto small = parse_small_name(each.name);
    if (!small) names.insert(each.name);
    if (!small || !small_.has(small->place)) continue;
    remember_small(small->name, small->place, each.size_bytes);
    used_bytes_ += each.size_bytes;
    taken.push_back(small->place);
  }
  small_.keep(taken);
  const auto wrong = for_each_own_file(directory_, [&](const std::string& name, std::uint64_t) {
    if (!names.contains(name)) unlink(name);
  });
  if (wrong) return std::unexpected(spool_io_error(wrong.value(), "list", directory_));
  left_bytes_ = used_bytes_;
  return {};
}

spool_error spool::full() const {
  return {spool_error_kind::full,
          fmt::format("the spool {} is full: {} of {} bytes are used, and downloads may fill half; "
                      "it empties as reports complete; if that is always so, raise `spool_budget` "
                      "in [import]",
                      directory_.native(), used_bytes(), budget_bytes())};
}

std::optional<spool_error> spool::refuses(spool_step step) const {
  if (used_bytes() < limit_of(step)) return std::nullopt;
  return full();
}

// What an earlier run left may be more than half of a budget that was lowered since: outputs then
// have half a budget above it, or nothing would ever move.
std::uint64_t spool::limit_of(spool_step step) const noexcept {
  switch (step) {
    case spool_step::download: return half();
    case spool_step::page: return half() + half() / 2;
    case spool_step::transform:
    case spool_step::joined:
    case spool_step::reject: break;
  }
  return std::max(budget_bytes_, left_bytes_ + half());
}

std::expected<void, spool_error> spool::reserve(spool_step step, std::uint64_t had_bytes,
                                                std::uint64_t more_bytes) {
  if (had_bytes + more_bytes > half()) {
    return std::unexpected(spool_error{
        spool_error_kind::too_large,
        fmt::format("a file of over {} bytes is more than half of the spool's budget; raise "
                    "`spool_budget` in [import], now {} bytes, to over twice the largest report",
                    half(), budget_bytes_)});
  }
  const auto limit = limit_of(step);
  auto used = used_bytes_.load(std::memory_order_relaxed);
  do {
    if (used > limit || more_bytes > limit - used) return std::unexpected(full());
  } while (!used_bytes_.compare_exchange_weak(used, used + more_bytes, std::memory_order_relaxed));
  return {};
}

// The largest of the last ones, forgotten by and by.
void spool::learn(std::uint64_t size_bytes) noexcept {
  auto usual = usual_bytes_.load(std::memory_order_relaxed);
  while (!usual_bytes_.compare_exchange_weak(usual, std::max(size_bytes, usual - usual / 8),
                                             std::memory_order_relaxed)) {}
}

void spool::give_back(std::uint64_t size_bytes) noexcept {
  auto used = used_bytes_.load(std::memory_order_relaxed);
  while (!used_bytes_.compare_exchange_weak(used, used - std::min(used, size_bytes),
                                            std::memory_order_relaxed)) {}
}

std::expected<int, spool_error> spool::create(const std::string& name) {
  // A file of that name is left by an earlier run of the step. It gets a new inode, so that a
  // writer that is still at the old one cannot mix its bytes in.
  for (int tries = 0; tries < 3; ++tries) {
    const int descriptor = ::openat(descriptor_, name.c_str(),
                                    O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (descriptor < 0 && errno != EEXIST) break;
    {
      const std::lock_guard lock(mutex_);
      own_names_.insert(name);
    }
    if (descriptor >= 0) return descriptor;
    unlink(name);
    errno = EEXIST;
  }
  return std::unexpected(spool_io_error(errno, "write", directory_ / name));
}

}  // namespace wherry::app
