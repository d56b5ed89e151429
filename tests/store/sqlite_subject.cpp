// SPDX-License-Identifier: Apache-2.0
#include "sqlite_subject.hpp"

#include <signal.h>
#include <sqlite3.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>

namespace wherry::test {
namespace {

using rows = std::vector<std::string>;

/// First column of each row, as text.
rows select(const std::filesystem::path& file, const char* sql) {
  sqlite3* handle = nullptr;
  REQUIRE(sqlite3_open(file.c_str(), &handle) == SQLITE_OK);
  rows found;
  const auto collect = [](void* to, int, char** values, char**) {
    static_cast<rows*>(to)->emplace_back(values[0] != nullptr ? values[0] : "NULL");
    return 0;
  };
  char* message = nullptr;
  const int code = sqlite3_exec(handle, sql, collect, &found, &message);
  const std::string why = message != nullptr ? message : "";
  sqlite3_free(message);
  sqlite3_close(handle);
  REQUIRE_MESSAGE(code == SQLITE_OK, why);
  return found;
}

}  // namespace

std::unique_ptr<store> open_store(const std::filesystem::path& file) {
  auto opened = open_sqlite_store(file);
  REQUIRE_MESSAGE(opened.has_value(), opened.error().message);
  return std::move(*opened);
}

store_error refusal_to_open(const std::filesystem::path& file) {
  const auto opened = open_sqlite_store(file);
  REQUIRE_FALSE(opened.has_value());
  CHECK_MESSAGE(opened.error().message.find(file.filename().string()) != std::string::npos,
                opened.error().message);
  return opened.error();
}

store_error refusal_to_inspect(const std::filesystem::path& file) {
  const auto opened = inspect_sqlite_store(file);
  REQUIRE_FALSE(opened.has_value());
  CHECK_MESSAGE(opened.error().message.find(file.filename().string()) != std::string::npos,
                opened.error().message);
  return opened.error();
}

void with_store(const std::filesystem::path& file, const std::function<task<>(store&)>& body) {
  const auto subject = open_store(file);
  on_threads(body(*subject));
}

strings select_from(const std::filesystem::path& file, const char* sql) {
  return select(file, sql);
}

void run_sql(const std::filesystem::path& file, const char* sql) { select(file, sql); }

strings read_sql(const std::filesystem::path& file, const char* sql) { return select(file, sql); }

void check_consistent(const std::filesystem::path& file) {
  CHECK(select(file, "PRAGMA integrity_check") == rows{"ok"});
  CHECK(select(file, "PRAGMA foreign_key_check").empty());
  CHECK(select(file,
               "SELECT phase || ' ' || state || ' ' || n FROM counts WHERE n > 0 "
               "ORDER BY phase, state") ==
        select(file,
               "SELECT phase || ' ' || state || ' ' || count(*) FROM machines "
               "GROUP BY phase, state ORDER BY phase, state"));
  CHECK(select(file, "SELECT lane || ' ' || ready FROM lanes WHERE ready > 0 ORDER BY lane") ==
        select(file,
               "SELECT lane || ' ' || count(*) FROM machines WHERE phase = 'ready' "
               "GROUP BY lane ORDER BY lane"));
  // Each version from 1 to the row's has its line, or was trimmed: none is missing, none is ahead.
  CHECK(
      select(file,
             "SELECT id FROM machines m WHERE version - trimmed <> (SELECT coalesce(sum(runs), 0) "
             "FROM "
             "history h "
             "WHERE h.machine = m.key AND h.generation = m.generation "
             "AND h.version BETWEEN 1 AND m.version)")
          .empty());
  CHECK(select(file,
               "SELECT id FROM machines m JOIN history h ON h.machine = m.key "
               "AND h.generation = m.generation WHERE h.version > m.version")
            .empty());
}

child_process::child_process(const std::function<void(int)>& body) {
  std::array<int, 2> ends{};
  REQUIRE(::pipe(ends.data()) == 0);
  id_ = ::fork();
  REQUIRE(id_ >= 0);
  if (id_ == 0) {
    ::close(ends[0]);
    body(ends[1]);
    ::_exit(0);
  }
  ::close(ends[1]);
  pipe_ = ends[0];
}

child_process::~child_process() {
  if (id_ > 0) {
    kill_hard();
    wait_killed();
  }
  ::close(pipe_);
}

std::string child_process::read_line() {
  for (;;) {
    if (const auto end = unread_.find('\n'); end != std::string::npos) {
      auto line = unread_.substr(0, end);
      unread_.erase(0, end + 1);
      return line;
    }
    std::array<char, 4096> buffer{};
    const auto size = ::read(pipe_, buffer.data(), buffer.size());
    if (size <= 0) return {};
    unread_.append(buffer.data(), static_cast<std::size_t>(size));
  }
}

void child_process::kill_hard() { ::kill(id_, SIGKILL); }

bool child_process::wait_killed() {
  int status = 0;
  ::waitpid(id_, &status, 0);
  id_ = -1;
  return WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL;
}

void write_line(int descriptor, const std::string& line) {
  const auto text = line + "\n";
  const auto written = ::write(descriptor, text.data(), text.size());
  if (written != static_cast<ssize_t>(text.size())) ::_exit(3);
}

std::string in_child(const std::function<std::string()>& body) {
  child_process child([&](int out) {
    std::string wrong;
    try {
      wrong = body();
    } catch (const std::exception& thrown) {
      wrong = std::string("exception: ") + thrown.what();
    } catch (...) {
      wrong = "a check failed in the child";
    }
    write_line(out, "done " + wrong);
  });
  const auto line = child.read_line();
  if (!line.starts_with("done ")) return "the child ended early";
  return line.substr(5);
}

}  // namespace wherry::test
