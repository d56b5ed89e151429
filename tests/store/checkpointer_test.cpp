// SPDX-License-Identifier: Apache-2.0
// Goal: the write-ahead log stays bounded under a writer that never rests, begins anew also after
// somebody has read for long, and is in the file at the end.
// Method: states of 100 kB are submitted until the log would be many times its bound; how large it
// got is asked of the file system. A case that fails may hang: ctest ends it.
#include "store/sqlite/checkpointer.hpp"
#include "sqlite_subject.hpp"
#include "wherry/csp/sleep.hpp"

using namespace wherry;
using namespace wherry::test;

namespace {

constexpr std::uintmax_t page = 4'096;
constexpr std::uintmax_t bulk = page * sqlite::usual_bulk_of_log;

std::uintmax_t log_size(const std::filesystem::path& file) {
  return std::filesystem::file_size(file.string() + "-wal");
}

/// Writes as much as `bytes` in one commit.
task<> write_once(store& subject, std::uintmax_t bytes, const std::string& name) {
  constexpr std::uintmax_t each = 100'000;
  std::vector<submission> some;
  for (std::uintmax_t written = 0; written < bytes; written += each) {
    some.push_back(item(name + std::to_string(written)));
    some.back().data = '"' + std::string(each, 'x') + '"';
  }
  co_await submit_new(subject, std::move(some));
}

/// Writes as much as `bytes`, a megabyte a commit.
task<> write(store& subject, std::uintmax_t bytes, const std::string& name) {
  constexpr std::uintmax_t each = 1'000'000;
  for (std::uintmax_t written = 0; written < bytes; written += each) {
    co_await write_once(subject, each, name + std::to_string(written) + "/");
  }
}

}  // namespace

TEST_SUITE("checkpointer.hpp") {
  TEST_CASE("the log of a writer that never rests stays bounded") {
    const scratch_directory directory;
    const auto file = directory / "store.db";
    with_store(file, [&](store& subject) -> task<> {
      co_await write(subject, 10 * bulk, "a");
      CHECK(log_size(file) >= bulk);
      CHECK(log_size(file) < 6 * bulk);
    });
    CHECK_MESSAGE(!std::filesystem::exists(file.string() + "-wal"), "all of it is in the file");
    check_consistent(file);
  }

  TEST_CASE("the bulk of a log reaches the file although nobody commits any more") {
    const scratch_directory directory;
    const auto file = directory / "store.db";
    with_store(file, [&](store& subject) -> task<> {
      co_await write_once(subject, bulk + bulk / 8, "a");
      while (std::filesystem::file_size(file) < bulk)
        co_await sleep_for(std::chrono::milliseconds(1));
    });
  }

  TEST_CASE("a log that somebody read from for long is emptied when they are done") {
    const scratch_directory directory;
    const auto file = directory / "store.db";
    with_store(file, [&](store& subject) -> task<> {
      co_await write(subject, page, "first");
      {
        sqlite::database reading(file, sqlite::access::read);
        reading.run("BEGIN; SELECT count(*) FROM machines");
        co_await write(subject, 3 * bulk, "a");
        CHECK_MESSAGE(log_size(file) >= 3 * bulk, "nothing may go that is still read");
      }
      const auto before = log_size(file);
      co_await write(subject, 6 * bulk, "b");
      CHECK_MESSAGE(log_size(file) < before + 4 * bulk, "it has begun anew");
    });
    check_consistent(file);
  }
}
