// SPDX-License-Identifier: Apache-2.0
#include "failing_disk.hpp"

#include <sqlite3.h>

#include <atomic>
#include <fstream>
#include <sstream>

#include "wherry/csp/assert.hpp"

namespace wherry::sqlite {
namespace {

// SQLite allocates an open file by size, as a struct that begins with sqlite3_file; the real VFS's
// own comes right after ours.
struct open_file {
  sqlite3_file base;
  failing_disk* disk;
  std::string* name;  // null: a temporary file
};

sqlite3_vfs* the_real() {
  static sqlite3_vfs* const found = sqlite3_vfs_find("unix");
  WHERRY_ASSERT(found != nullptr, "SQLite has its own VFS for files");
  return found;
}

open_file& mine(sqlite3_file* file) { return *reinterpret_cast<open_file*>(file); }
sqlite3_file* real(sqlite3_file* file) {
  return reinterpret_cast<sqlite3_file*>(reinterpret_cast<open_file*>(file) + 1);
}

bool goes_well(sqlite3_file* file) {
  return mine(file).name == nullptr || mine(file).disk->goes_well();
}

int close_file(sqlite3_file* file) {
  delete mine(file).name;
  return real(file)->pMethods->xClose(real(file));
}
int read_file(sqlite3_file* file, void* to, int size, sqlite3_int64 at) {
  return real(file)->pMethods->xRead(real(file), to, size, at);
}
int write_file(sqlite3_file* file, const void* from, int size, sqlite3_int64 at) {
  if (!goes_well(file)) return SQLITE_IOERR_WRITE;
  const int code = real(file)->pMethods->xWrite(real(file), from, size, at);
  if (code == SQLITE_OK && mine(file).name != nullptr) {
    mine(file).disk->wrote(*mine(file).name, static_cast<std::size_t>(at),
                           {static_cast<const char*>(from), static_cast<std::size_t>(size)});
  }
  return code;
}
int truncate_file(sqlite3_file* file, sqlite3_int64 size) {
  if (!goes_well(file)) return SQLITE_IOERR_TRUNCATE;
  const int code = real(file)->pMethods->xTruncate(real(file), size);
  if (code == SQLITE_OK && mine(file).name != nullptr) {
    mine(file).disk->truncated(*mine(file).name, static_cast<std::size_t>(size));
  }
  return code;
}
int sync_file(sqlite3_file* file, int) {
  if (!goes_well(file)) return SQLITE_IOERR_FSYNC;
  if (mine(file).name != nullptr) mine(file).disk->synced(*mine(file).name);
  return SQLITE_OK;
}
int size_of_file(sqlite3_file* file, sqlite3_int64* size) {
  return real(file)->pMethods->xFileSize(real(file), size);
}
int lock_file(sqlite3_file* file, int kind) {
  return real(file)->pMethods->xLock(real(file), kind);
}
int unlock_file(sqlite3_file* file, int kind) {
  return real(file)->pMethods->xUnlock(real(file), kind);
}
int is_reserved(sqlite3_file* file, int* out) {
  return real(file)->pMethods->xCheckReservedLock(real(file), out);
}
int control_file(sqlite3_file* file, int what, void* with) {
  return real(file)->pMethods->xFileControl(real(file), what, with);
}
int sector_size(sqlite3_file* file) { return real(file)->pMethods->xSectorSize(real(file)); }
int traits_of(sqlite3_file*) { return 0; }  // none of the favours that a better disk would do
int map_shared(sqlite3_file* file, int page, int size, int extend, volatile void** out) {
  return real(file)->pMethods->xShmMap(real(file), page, size, extend, out);
}
int lock_shared(sqlite3_file* file, int offset, int count, int flags) {
  return real(file)->pMethods->xShmLock(real(file), offset, count, flags);
}
void order_shared(sqlite3_file* file) { real(file)->pMethods->xShmBarrier(real(file)); }
int unmap_shared(sqlite3_file* file, int remove) {
  return real(file)->pMethods->xShmUnmap(real(file), remove);
}

const sqlite3_io_methods methods{
    2,           close_file,   read_file,    write_file,   truncate_file, sync_file, size_of_file,
    lock_file,   unlock_file,  is_reserved,  control_file, sector_size,   traits_of, map_shared,
    lock_shared, order_shared, unmap_shared, nullptr,      nullptr};

int open_in(sqlite3_vfs* vfs, const char* name, sqlite3_file* file, int flags, int* out) {
  const int code = the_real()->xOpen(the_real(), name, real(file), flags, out);
  if (code != SQLITE_OK) {
    file->pMethods = nullptr;
    return code;
  }
  mine(file).disk = static_cast<failing_disk*>(vfs->pAppData);
  mine(file).name = name == nullptr ? nullptr : new std::string(name);
  if (name != nullptr) mine(file).disk->opened(name);
  file->pMethods = &methods;
  return code;
}

int remove_from(sqlite3_vfs* vfs, const char* name, int sync) {
  auto& disk = *static_cast<failing_disk*>(vfs->pAppData);
  if (!disk.goes_well()) return SQLITE_IOERR_DELETE;
  const int code = the_real()->xDelete(the_real(), name, sync);
  if (code == SQLITE_OK) disk.removed(name);
  return code;
}

}  // namespace

struct failing_disk::vfs {
  std::string name;
  sqlite3_vfs of_sqlite;
};

failing_disk::failing_disk() {
  static std::atomic<int> made{0};
  vfs_ = std::make_unique<vfs>(
      vfs{.name = "failing_disk_" + std::to_string(++made), .of_sqlite = *the_real()});
  auto& own = vfs_->of_sqlite;  // the functions that are not replaced look at no file of ours
  own.szOsFile = static_cast<int>(sizeof(open_file)) + the_real()->szOsFile;
  own.zName = vfs_->name.c_str();
  own.pAppData = this;
  own.xOpen = open_in;
  own.xDelete = remove_from;
  const int code = sqlite3_vfs_register(&own, 0);
  WHERRY_ASSERT(code == SQLITE_OK, "SQLite takes any number of VFS");
}

failing_disk::~failing_disk() { sqlite3_vfs_unregister(&vfs_->of_sqlite); }

const char* failing_disk::name() const noexcept { return vfs_->name.c_str(); }

void failing_disk::fail_at(std::size_t write) {
  const std::lock_guard guard(mutex_);
  writes_left_ = write - 1;
}

bool failing_disk::has_failed() const {
  const std::lock_guard guard(mutex_);
  return failed_;
}

std::size_t failing_disk::syncs() const {
  const std::lock_guard guard(mutex_);
  return syncs_;
}

bool failing_disk::goes_well() {
  const std::lock_guard guard(mutex_);
  if (writes_left_ && !failed_ && (*writes_left_)-- == 0) failed_ = true;
  return !failed_;
}

void failing_disk::renew() {
  const std::lock_guard guard(mutex_);
  files_.clear();
  writes_left_.reset();
  failed_ = false;
}

void failing_disk::opened(const std::string& file) {
  const std::lock_guard guard(mutex_);
  const auto [found, is_new] = files_.try_emplace(file);
  if (!is_new) return;
  std::ostringstream bytes;  // what was there before is durable
  bytes << std::ifstream(file, std::ios::binary).rdbuf();
  found->second.durable = bytes.str();
}

void failing_disk::wrote(const std::string& file, std::size_t at, std::string_view bytes) {
  const std::lock_guard guard(mutex_);
  files_[file].since.push_back({at, std::string(bytes), false});
}

void failing_disk::truncated(const std::string& file, std::size_t size) {
  const std::lock_guard guard(mutex_);
  files_[file].since.push_back({size, {}, true});
}

void failing_disk::synced(const std::string& file) {
  const std::lock_guard guard(mutex_);
  ++syncs_;
  auto& all = files_[file];
  for (const auto& each : all.since) apply(all.durable, each, each.bytes.size());
  all.since.clear();
}

void failing_disk::removed(const std::string& file) {
  const std::lock_guard guard(mutex_);
  files_.erase(file);
}

void failing_disk::apply(std::string& to, const write& each, std::size_t kept) {
  if (each.truncates) return to.resize(std::min(to.size(), each.at));
  if (kept == 0) return;
  to.resize(std::max(to.size(), each.at + kept));
  to.replace(each.at, kept, each.bytes, 0, kept);
}

void failing_disk::cut_power(const std::filesystem::path& to, std::mt19937_64& random) const {
  const std::lock_guard guard(mutex_);
  for (const auto& [name, content] : files_) {
    auto left = content.durable;
    for (const auto& each : content.since) {
      switch (random() % 3) {
        case 0: break;
        case 1: apply(left, each, each.bytes.size()); break;
        default: apply(left, each, each.bytes.size() / 2);
      }
    }
    std::ofstream(to / std::filesystem::path(name).filename(), std::ios::binary) << left;
  }
}

void failing_disk::end_process(const std::filesystem::path& to) const {
  const std::lock_guard guard(mutex_);
  for (const auto& [name, content] : files_) {
    auto left = content.durable;
    for (const auto& each : content.since) apply(left, each, each.bytes.size());
    std::ofstream(to / std::filesystem::path(name).filename(), std::ios::binary) << left;
  }
}

}  // namespace wherry::sqlite
