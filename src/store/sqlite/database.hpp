// SPDX-License-Identifier: Apache-2.0
#pragma once
// A connection and its prepared statements. Only this file's body knows sqlite3.h.
//
// Inside this folder a failure of SQLite is an exception: it ends a transaction wherever it occurs.
// It is caught where a unit of work ends (writer, open, each query) and leaves as a store_error.
//
// Threads: a connection and its statements belong to one thread at a time.

#include <cstdint>
#include <exception>
#include <filesystem>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "wherry/engine/store.hpp"

struct sqlite3;
struct sqlite3_stmt;

namespace wherry::sqlite {

/// Carries what SQLite could not do to the end of the unit of work.
class database_failure final : public std::exception {
 public:
  explicit database_failure(store_error error) : error_(std::move(error)) {}
  [[nodiscard]] const store_error& error() const noexcept { return error_; }
  [[nodiscard]] const char* what() const noexcept override { return error_.message.c_str(); }

 private:
  store_error error_;
};

[[nodiscard]] constexpr std::int64_t to_ms(system_time at) noexcept {
  return at.time_since_epoch().count();
}
[[nodiscard]] constexpr system_time from_ms(std::int64_t ms) noexcept {
  return system_time{std::chrono::milliseconds{ms}};
}

class database;

/// A prepared statement, to be used again and again.
class statement {
 public:
  statement(database& owner, std::string_view sql);
  statement(statement&&) noexcept = default;

  /// Binds all parameters in order. Texts must live until the statement has run.
  template <class... Values>
  statement& with(const Values&... values) {
    reset();
    int index = 0;
    (bind(++index, values), ...);
    return *this;
  }
  void reset() noexcept;
  void bind(int index, std::string_view text);
  void bind(int index, std::int64_t number);

  /// Runs to the end; rows are ignored.
  void run();
  /// Goes on to the next row; at the end resets, so that no lock stays behind.
  [[nodiscard]] bool next();
  /// Runs until the first row and takes its first column. Requires: there is a row.
  [[nodiscard]] std::int64_t value();

  [[nodiscard]] std::int64_t integer(int column) const noexcept;
  [[nodiscard]] std::string text(int column) const;
  [[nodiscard]] system_time time(int column) const noexcept { return from_ms(integer(column)); }

 private:
  struct finalizer {
    void operator()(sqlite3_stmt* handle) const noexcept;
  };
  database* owner_;
  std::unique_ptr<sqlite3_stmt, finalizer> handle_;
};

/// examine: as read, and SQLite's integrity check looks at CHECK constraints too, which it does not
/// for a connection that cannot write.
enum class access : std::uint8_t { read, write, create, examine };

class database {
 public:
  /// Opens `file` with the settings that every connection of ours has. Errors: throws
  /// database_failure.
  /// `vfs`: of SQLite, by name; null: its default.
  database(const std::filesystem::path& file, access wanted, const char* vfs = nullptr);
  database(database&&) = delete;

  void run(const char* sql);
  [[nodiscard]] std::int64_t value(std::string_view sql) { return statement(*this, sql).value(); }

  /// Rows that the last statement changed.
  [[nodiscard]] std::int64_t changes() const noexcept;
  [[nodiscard]] std::int64_t last_key() const noexcept;
  [[nodiscard]] bool in_transaction() const noexcept;
  [[nodiscard]] const std::filesystem::path& file() const noexcept { return file_; }

  /// Calls `at_work` again and again while a long statement runs; empty: no more. It must not use
  /// this connection.
  void on_work(std::function<void()> at_work);
  /// Leaves the write-ahead log to who asks pages_in_log.
  void keep_log();
  /// Pages in the log after the last commit of this connection. Requires: keep_log was called.
  [[nodiscard]] std::int64_t pages_in_log() const noexcept { return pages_in_log_; }
  /// Pages that this connection has written so far, also those of a VACUUM's copy.
  [[nodiscard]] std::int64_t pages_written() const noexcept;
  /// Copies all pages, as this connection's snapshot has them, into `to`, whatever it held; calls
  /// `copied(pages, of)` in between. Requires: this connection is in a transaction that has read:
  /// so others may write meanwhile. Errors: throws database_failure, naming the file that failed.
  void copy_into(database& to, const std::function<void(std::int64_t, std::int64_t)>& copied);
  /// The text of every statement that is prepared now.
  [[nodiscard]] std::vector<std::string> statements() const;

  /// Turns a result code of SQLite into an exception that names the file and the remedy.
  [[noreturn]] void fail(int code);

 private:
  friend class statement;
  struct closer {
    void operator()(sqlite3* handle) const noexcept;
  };
  std::filesystem::path file_;
  std::function<void()> at_work_;
  std::int64_t pages_in_log_ = 0;
  std::unique_ptr<sqlite3, closer> handle_;
};

}  // namespace wherry::sqlite
