// SPDX-License-Identifier: Apache-2.0
// The ceiling: the rows that a run of the engine leaves behind, history, counts and lanes included,
// written by a loop that does nothing else: no leases, no steps, no waiting, one thread; the
// schema, the statements and the settings of a connection that the store has; 1,000 transitions a
// transaction. What it writes is made before the clock runs.

#include <array>
#include <map>
#include <string>
#include <vector>

#include "plant.hpp"

namespace enginebench {
namespace {

using namespace wherry;

constexpr std::int64_t batch = 1'000;
constexpr std::array<std::string_view, steps + 1> names{loaded::tag, underway::tag, landed::tag,
                                                        delivered::tag};

class connection {
 public:
  explicit connection(const std::filesystem::path& file) {
    require(sqlite3_open_v2(file.c_str(), &handle, SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX,
                            nullptr) == SQLITE_OK,
            "the loop cannot open the store");
    execute(
        "PRAGMA synchronous = FULL; PRAGMA foreign_keys = ON; PRAGMA cache_size = -16000;"
        "PRAGMA wal_autocheckpoint = 4000; PRAGMA journal_size_limit = 67108864");
  }
  connection(const connection&) = delete;
  connection& operator=(const connection&) = delete;
  ~connection() { sqlite3_close_v2(handle); }

  void execute(const char* sql) const {
    require(sqlite3_exec(handle, sql, nullptr, nullptr, nullptr) == SQLITE_OK,
            std::string(sql) + ": " + sqlite3_errmsg(handle));
  }

  sqlite3* handle = nullptr;
};

class prepared {
 public:
  prepared(const connection& on, const char* sql) : on_(on.handle) {
    check(sqlite3_prepare_v3(on_, sql, -1, SQLITE_PREPARE_PERSISTENT, &handle_, nullptr));
  }
  prepared(const prepared&) = delete;
  prepared& operator=(const prepared&) = delete;
  ~prepared() { sqlite3_finalize(handle_); }

  template <class... Values>
  void run(const Values&... values) {
    int index = 0;
    (bind(++index, values), ...);
    require(sqlite3_step(handle_) == SQLITE_DONE, sqlite3_errmsg(on_));
    sqlite3_reset(handle_);
  }

 private:
  void check(int code) const { require(code == SQLITE_OK, sqlite3_errmsg(on_)); }
  void bind(int index, std::int64_t number) { check(sqlite3_bind_int64(handle_, index, number)); }
  void bind(int index, std::string_view text) {
    check(sqlite3_bind_text(handle_, index, text.data(), static_cast<int>(text.size()),
                            SQLITE_STATIC));
  }
  sqlite3* on_;
  sqlite3_stmt* handle_ = nullptr;
};

/// What one transaction writes of a machine.
struct row {
  std::int64_t key = 0;
  std::string lane;
  std::string data;
};

/// The machines of a store that was just filled: keys are given in order, from 1.
std::vector<row> rows_from(std::int64_t first, std::int64_t end, int lanes) {
  std::vector<row> rows;
  for (auto number = first; number < end; ++number) {
    rows.push_back({number + 1, "lane " + std::to_string(number % lanes),
                    detail::encode(underway{number, cargo_for(number)})});
  }
  return rows;
}

class loop {
 public:
  explicit loop(const std::filesystem::path& file) : on_(file) {}

  /// One transaction: these machines take step `step`. Returns the seconds of its COMMIT.
  double advance(const std::vector<row>& rows, int step) {
    const auto now = now_us() / 1'000;
    const auto at = static_cast<std::size_t>(step);
    const bool last = step + 1 == steps;
    const std::string_view in = last ? "completed" : "ready";
    std::map<std::string_view, std::int64_t> finished;  // by lane
    begin_.run();
    for (const auto& each : rows) {
      if (last) {
        end_.run(each.key, 1, step, in, names[at + 1], each.lane, step + 1, now, 1, now, each.data,
                 std::string_view(""), 0, step + 1, 0);
        ++finished[each.lane];
      } else {
        stay_.run(each.key, 1, step, names[at + 1], each.lane, step + 1, now, 1, now, each.data,
                  std::string_view(""), 0, step + 1, 0);
      }
      log_.run(each.key, 1, step + 1, names[at], names[at + 1], in, std::string_view("advanced"), 1,
               now, now, std::string_view(""));
    }
    const auto count = static_cast<std::int64_t>(rows.size());
    count_.run(std::string_view("ready"), names[at], -count);
    count_.run(in, names[at + 1], count);
    for (const auto& [lane, machines] : finished) lane_.run(lane, -machines);
    const stopwatch committing;
    commit_.run();
    return committing.seconds();
  }

 private:
  connection on_;
  prepared begin_{on_, "BEGIN IMMEDIATE"};
  prepared commit_{on_, "COMMIT"};
  prepared stay_{on_,
                 "UPDATE machines SET version = version + 1, state = ?4, lane = ?5, rank = ?6, "
                 "due_ms = ?7, attempt = ?8, updated_ms = ?9, data = ?10, error = ?11, "
                 "setbacks = ?12, entered = ?13, shape = ?14 "
                 "WHERE key = ?1 AND generation = ?2 AND version = ?3"};
  prepared end_{on_,
                "UPDATE machines SET version = version + 1, phase = ?4, state = ?5, lane = ?6, "
                "rank = ?7, due_ms = ?8, attempt = ?9, updated_ms = ?10, data = ?11, error = ?12, "
                "setbacks = ?13, entered = ?14, shape = ?15 "
                "WHERE key = ?1 AND generation = ?2 AND version = ?3"};
  prepared log_{on_, "INSERT INTO history VALUES (?, ?, ?, 1, ?, ?, ?, ?, ?, ?, ?, ?)"};
  prepared count_{on_,
                  "INSERT INTO counts VALUES (?1, ?2, max(?3, 0)) "
                  "ON CONFLICT DO UPDATE SET n = n + ?3"};
  prepared lane_{on_, "UPDATE lanes SET ready = ready + ?2 WHERE lane = ?1"};
};

void fill(const settings& of) {
  const auto where = open_store(of);
  thread_scheduler scheduler({.threads = 1, .blocking_threads = 1});
  scheduler.run([](store& in, const settings& wanted) -> task<> {
    haul_engine all{in, {.lanes = wanted.lanes}, options_of(wanted)};
    co_await submit(all, 0, wanted.machines);
  }(*where, of));
}

}  // namespace

void bare_loop(const settings& of) {
  fill(of);
  double seconds = 0;
  const double cpu = cpu_seconds();
  std::vector<double> commits;
  {
    loop all(of.store);
    for (std::int64_t first = 0; first < of.machines; first += batch) {
      const auto rows = rows_from(first, std::min(first + batch, of.machines), of.lanes);
      const stopwatch writing;
      for (int step = 0; step < steps; ++step) commits.push_back(all.advance(rows, step));
      seconds += writing.seconds();
    }
  }
  print("seconds", seconds);
  print("cpu_seconds", cpu_seconds() - cpu);
  print("commit_p50_ms", quantile(commits, 0.5) * 1e3);
  print("commit_p99_ms", quantile(commits, 0.99) * 1e3);
  require_completed(of);
  require(counted(of.store, "SELECT sum(n) FROM counts WHERE phase = 'completed'") == of.machines &&
              counted(of.store, "SELECT sum(ready) FROM lanes") == 0,
          "the loop's counts do not agree with its rows");
}

}  // namespace enginebench
