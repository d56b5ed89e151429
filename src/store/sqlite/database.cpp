// SPDX-License-Identifier: Apache-2.0
#include "database.hpp"

#include <fmt/format.h>
#include <sqlite3.h>

#include <cerrno>
#include <cstring>

#include "wherry/csp/assert.hpp"

namespace wherry::sqlite {
namespace {

constexpr int busy_timeout_ms = 5'000;

store_error describe(int code, int system_error, const std::string& file, const char* text) {
  using kind = store_error::kind;
  const bool no_space = system_error == ENOSPC || system_error == EDQUOT || system_error == EFBIG;
  switch (code & 0xff) {
    case SQLITE_FULL:
      return {kind::full, fmt::format("{}: no space left: free some on its disk and start again; "
                                      "all that was committed is safe",
                                      file)};
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
      return {kind::busy, fmt::format("{}: another process holds its lock for more than {} s: end "
                                      "it, or close the tool that writes to it",
                                      file, busy_timeout_ms / 1000)};
    case SQLITE_CORRUPT:
      return {kind::corrupt,
              fmt::format("{}: damaged ({}): restore it from a copy, or save what can "
                          "be read with: sqlite3 FILE .recover",
                          file, text)};
    case SQLITE_NOTADB:
      return {kind::foreign, fmt::format("{}: not a Wherry store, not even a SQLite file: name "
                                         "another file, or move this one away",
                                         file)};
    case SQLITE_READONLY:
    case SQLITE_PERM:
    case SQLITE_CANTOPEN:
    case SQLITE_AUTH:
      return {kind::io, fmt::format("{}: cannot be opened for writing ({}): the file and its "
                                    "directory must be writable by this user",
                                    file, system_error != 0 ? std::strerror(system_error) : text)};
    default:
      if (no_space) return describe(SQLITE_FULL, 0, file, text);
      return {kind::io, fmt::format("{}: {}{}{}: check the disk, then start again", file, text,
                                    system_error != 0 ? ": " : "",
                                    system_error != 0 ? std::strerror(system_error) : "")};
  }
}

}  // namespace

void statement::finalizer::operator()(sqlite3_stmt* handle) const noexcept {
  sqlite3_finalize(handle);
}

statement::statement(database& owner, std::string_view sql) : owner_(&owner) {
  sqlite3_stmt* handle = nullptr;
  const int code = sqlite3_prepare_v3(owner.handle_.get(), sql.data(), static_cast<int>(sql.size()),
                                      SQLITE_PREPARE_PERSISTENT, &handle, nullptr);
  handle_.reset(handle);
  if (code != SQLITE_OK) owner.fail(code);
}

void statement::reset() noexcept { sqlite3_reset(handle_.get()); }

void statement::bind(int index, std::string_view text) {
  // A null pointer would bind NULL; an empty text is a text.
  const char* const begin = text.data() != nullptr ? text.data() : "";
  const int code =
      sqlite3_bind_text(handle_.get(), index, begin, static_cast<int>(text.size()), SQLITE_STATIC);
  if (code != SQLITE_OK) owner_->fail(code);
}

void statement::bind(int index, std::int64_t number) {
  const int code = sqlite3_bind_int64(handle_.get(), index, number);
  if (code != SQLITE_OK) owner_->fail(code);
}

bool statement::next() {
  const int code = sqlite3_step(handle_.get());
  if (code == SQLITE_ROW) return true;
  if (code == SQLITE_DONE) {
    reset();
    return false;
  }
  try {
    owner_->fail(code);
  } catch (...) {
    reset();  // only now: it clears the connection's message
    throw;
  }
}

void statement::run() {
  while (next()) continue;
}

std::int64_t statement::value() {
  const bool found = next();
  WHERRY_ASSERT(found, "the statement has a row by its nature");
  const auto number = integer(0);
  reset();
  return number;
}

std::int64_t statement::integer(int column) const noexcept {
  return sqlite3_column_int64(handle_.get(), column);
}

std::string statement::text(int column) const {
  const void* const bytes = sqlite3_column_blob(handle_.get(), column);
  const int size = sqlite3_column_bytes(handle_.get(), column);
  return bytes == nullptr
             ? std::string{}
             : std::string(static_cast<const char*>(bytes), static_cast<std::size_t>(size));
}

void database::closer::operator()(sqlite3* handle) const noexcept { sqlite3_close_v2(handle); }

database::database(const std::filesystem::path& file, access wanted, const char* vfs)
    : file_(file) {
  int flags = SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE;
  flags |= wanted == access::read ? SQLITE_OPEN_READONLY : SQLITE_OPEN_READWRITE;
  if (wanted == access::create) flags |= SQLITE_OPEN_CREATE;
  // Before the first connection of the process, else refused and of no harm: SQLite counts each
  // piece of memory under one lock of all threads, and nobody asks for the sum.
  static const int uncounted = sqlite3_config(SQLITE_CONFIG_MEMSTATUS, 0);
  static_cast<void>(uncounted);
  sqlite3* handle = nullptr;
  const int code = sqlite3_open_v2(file.c_str(), &handle, flags, vfs);
  handle_.reset(handle);
  if (code != SQLITE_OK) fail(code);
  sqlite3_busy_timeout(handle, busy_timeout_ms);
  sqlite3_limit(handle, SQLITE_LIMIT_LENGTH, 16 << 20);
  // A store from elsewhere is data: it must not bring functions to run, nor a lying schema.
  sqlite3_db_config(handle, SQLITE_DBCONFIG_DEFENSIVE, 1, nullptr);
  sqlite3_db_config(handle, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, nullptr);
  run("PRAGMA foreign_keys = ON; PRAGMA cell_size_check = ON; PRAGMA temp_store = MEMORY;"
      "PRAGMA synchronous = FULL");
  if (wanted != access::examine) return;
  sqlite3_db_config(handle, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, nullptr);
  run("PRAGMA query_only = ON");
}

void database::run(const char* sql) {
  const int code = sqlite3_exec(handle_.get(), sql, nullptr, nullptr, nullptr);
  if (code != SQLITE_OK) fail(code);
}

std::int64_t database::changes() const noexcept { return sqlite3_changes64(handle_.get()); }
std::int64_t database::last_key() const noexcept {
  return sqlite3_last_insert_rowid(handle_.get());
}
bool database::in_transaction() const noexcept {
  return sqlite3_get_autocommit(handle_.get()) == 0;
}

void database::on_work(std::function<void()> at_work) {
  constexpr int instructions = 1'000'000;  // a call takes some ten milliseconds
  at_work_ = std::move(at_work);
  const auto call = [](void* self) {
    static_cast<database*>(self)->at_work_();
    return 0;  // go on
  };
  sqlite3_progress_handler(handle_.get(), at_work_ ? instructions : 0, at_work_ ? +call : nullptr,
                           this);
}

void database::keep_log() {
  const auto count = [](void* self, sqlite3*, const char*, int pages) {
    static_cast<database*>(self)->pages_in_log_ = pages;
    return SQLITE_OK;
  };
  sqlite3_wal_hook(handle_.get(), count, this);  // in the place of the automatic checkpoint
}

std::int64_t database::pages_written() const noexcept {
  int written = 0, highest = 0;
  sqlite3_db_status(handle_.get(), SQLITE_DBSTATUS_CACHE_WRITE, &written, &highest, 0);
  return written;
}

void database::copy_into(database& to,
                         const std::function<void(std::int64_t, std::int64_t)>& copied) {
  constexpr int pages_a_step = 2'000;
  WHERRY_ASSERT(in_transaction(), "the snapshot that is copied must not move");
  sqlite3_backup* const copy = sqlite3_backup_init(to.handle_.get(), "main", handle_.get(), "main");
  if (copy == nullptr) to.fail(sqlite3_errcode(to.handle_.get()));
  int code = SQLITE_OK;
  while (code == SQLITE_OK) {
    code = sqlite3_backup_step(copy, pages_a_step);
    const std::int64_t all = sqlite3_backup_pagecount(copy);
    copied(all - sqlite3_backup_remaining(copy), all);
  }
  const int finished = sqlite3_backup_finish(copy);  // leaves the code with the target
  if (code == SQLITE_DONE && finished == SQLITE_OK) return;
  // What is damaged is the source; what has no room, or no permission, is the target.
  const bool of_source = (code & 0xff) == SQLITE_CORRUPT || (code & 0xff) == SQLITE_NOTADB;
  (of_source ? *this : to).fail(code);
}

std::vector<std::string> database::statements() const {
  std::vector<std::string> texts;
  for (auto* each = sqlite3_next_stmt(handle_.get(), nullptr); each != nullptr;
       each = sqlite3_next_stmt(handle_.get(), each)) {
    texts.emplace_back(sqlite3_sql(each));
  }
  return texts;
}

void database::fail(int code) {
  const bool of_system = (code & 0xff) == SQLITE_IOERR || (code & 0xff) == SQLITE_CANTOPEN;
  const int system_error = of_system && handle_ ? sqlite3_system_errno(handle_.get()) : 0;
  const char* const text = handle_ ? sqlite3_errmsg(handle_.get()) : sqlite3_errstr(code);
  throw database_failure(describe(code, system_error, file_.string(), text));
}

}  // namespace wherry::sqlite
