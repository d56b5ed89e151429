// SPDX-License-Identifier: Apache-2.0
#pragma once
// For what only SQLite promises: stores on a file, child processes that hold one, and a look at the
// tables themselves.

#include <functional>
#include <string>

#include "subject.hpp"
#include "wherry/store/sqlite.hpp"

namespace wherry::test {

/// Opens for running, or ends the case with the error.
[[nodiscard]] std::unique_ptr<store> open_store(const std::filesystem::path& file);

/// The error of an open that must fail.
[[nodiscard]] store_error refusal_to_open(const std::filesystem::path& file);
[[nodiscard]] store_error refusal_to_inspect(const std::filesystem::path& file);

/// Opens `file`, runs `body` on it on real threads, and closes it.
void with_store(const std::filesystem::path& file, const std::function<task<>(store&)>& body);

/// First column of each row, as text, as any tool would see it.
[[nodiscard]] strings select_from(const std::filesystem::path& file, const char* sql);

/// Runs SQL on the file as any tool could. Requires: nobody owns it.
void run_sql(const std::filesystem::path& file, const char* sql);

/// The first column of each row. Requires: nobody owns the file.
[[nodiscard]] strings read_sql(const std::filesystem::path& file, const char* sql);

/// Checks that the tables agree with each other: counts, lanes, versions, history, pages.
void check_consistent(const std::filesystem::path& file);

/// A child process, and what it writes to its end of a pipe.
class child_process {
 public:
  /// Starts `body` with the descriptor to write to; the child ends when it returns.
  explicit child_process(const std::function<void(int)>& body);
  child_process(const child_process&) = delete;
  child_process& operator=(const child_process&) = delete;
  ~child_process();

  /// The next line; empty: the child has closed its end.
  [[nodiscard]] std::string read_line();
  /// Ends it as a power switch would.
  void kill_hard();
  /// Waits for its end; true if it was killed.
  bool wait_killed();
  [[nodiscard]] int id() const noexcept { return id_; }

 private:
  int id_ = -1;
  int pipe_ = -1;
  std::string unread_;
};

/// Writes one line, whole.
void write_line(int descriptor, const std::string& line);

/// Runs `body` in a child; its text is what went wrong, empty if nothing did.
[[nodiscard]] std::string in_child(const std::function<std::string()>& body);

}  // namespace wherry::test
