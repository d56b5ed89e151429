// SPDX-License-Identifier: Apache-2.0
// Goal: a backup is a whole store of one moment, also while machines move; it never takes the place
// of what it must not, and nothing half made is left behind.
#include <algorithm>
#include <fstream>

#include "sqlite_subject.hpp"
#include "wherry/csp/go.hpp"
#include "wherry/csp/scope.hpp"
#include "wherry/store/sqlite_upkeep.hpp"

using namespace wherry;
using namespace wherry::test;
using kind = store_error::kind;

namespace {

void make_store(const std::filesystem::path& file, int machines) {
  with_store(file, [&](store& subject) -> task<> {
    std::vector<submission> many;
    for (int i = 0; i < machines; ++i) {
      many.push_back(item("machine " + std::to_string(10'000 + i)));
      many.back().data = '"' + std::string(2'000, 'x') + '"';
    }
    co_await submit_new(subject, std::move(many));
  });
}

void back_up(const std::filesystem::path& from, const std::filesystem::path& to,
             const backup_options& options = {}) {
  const auto bytes = backup_sqlite_store(from, to, options);
  REQUIRE_MESSAGE(bytes.has_value(), bytes.error().message);
  CHECK(*bytes == static_cast<std::int64_t>(std::filesystem::file_size(to)));
}

store_error refusal_to_back_up(const std::filesystem::path& from, const std::filesystem::path& to,
                               const backup_options& options = {}) {
  const auto bytes = backup_sqlite_store(from, to, options);
  REQUIRE_FALSE(bytes.has_value());
  return bytes.error();
}

std::size_t files_in(const scratch_directory& directory) {
  const std::filesystem::directory_iterator all(directory.path());
  return static_cast<std::size_t>(std::distance(begin(all), end(all)));
}

/// Whether there is nothing but the store and what lies beside it.
bool holds_the_store_alone(const scratch_directory& directory) {
  return std::ranges::all_of(
      std::filesystem::directory_iterator(directory.path()),
      [](const auto& each) { return each.path().filename().string().starts_with("store.db"); });
}

}  // namespace

TEST_SUITE("sqlite_upkeep.hpp: backup") {
  TEST_CASE("a backup is a store with all that the other has") {
    const scratch_directory directory, kept;
    make_store(directory / "store.db", 100);
    back_up(directory / "store.db", kept / "copy.db");
    CHECK_MESSAGE(files_in(kept) == 1, "nothing is left beside it");
    check_consistent(kept / "copy.db");
    CHECK(check_sqlite_store(kept / "copy.db")->empty());
    with_store(kept / "copy.db", [](store& subject) -> task<> {
      CHECK((co_await lease_all(subject, "lane")).size() == 100);
    });
  }

  TEST_CASE("a backup made while machines move is of one moment") {
    const scratch_directory directory;
    const auto file = directory / "store.db";
    make_store(file, 3'000);
    const auto subject = open_store(file);
    int copies = 0;
    // Between any two pieces of the copy a commit is made, on the thread that copies.
    on_threads([](store& owned, const scratch_directory& in, int& made) -> task<> {
      auto free = co_await lease_all(owned, "lane");
      for (int round = 0; round < 3; ++round) {
        const auto to = in / ("copy " + std::to_string(round));
        std::vector<std::int64_t> at;
        channel<std::monostate> moved{fixed{1}};
        co_await with_scope([&](scope& all) -> task<> {
          all.go([](store& on, std::vector<leased_machine>& machines,
                    channel<std::monostate> done) -> task<> {
            for (int i = 0; i < 100; ++i) {
              const auto machine = std::move(machines.back());
              machines.pop_back();
              REQUIRE(co_await record_one(on, finish(machine, phase::completed)));
            }
            done.close();
          }(owned, free, moved));
          const auto copied = co_await thread([&] {
                                return backup_sqlite_store(
                                    in / "store.db", to, {},
                                    [&](const upkeep_progress& now) { at.push_back(now.done); });
                              }).take();
          REQUIRE(copied.has_value());
          REQUIRE(copied->has_value());
          REQUIRE((**copied).has_value());
        });
        check_consistent(to);
        CHECK_MESSAGE(std::ranges::is_sorted(at), "it never begins again");
        CHECK(read_sql(to, "SELECT count(*) FROM machines") == strings{"3000"});
        ++made;
      }
    }(*subject, directory, copies));
    CHECK(copies == 3);
  }

  TEST_CASE("what is at the target stays unless a store is to be replaced") {
    const scratch_directory directory, kept;
    const auto file = directory / "store.db";
    const auto to = kept / "copy.db";
    make_store(file, 10);
    back_up(file, to);
    CHECK(refusal_to_back_up(file, to).what == kind::refused);
    with_store(file, [](store& subject) -> task<> { co_await submit_new(subject, {item("new")}); });
    back_up(file, to, {.replace = true});
    CHECK(read_sql(to, "SELECT count(*) FROM machines") == strings{"11"});
    CHECK(files_in(kept) == 1);

    std::ofstream(kept / "notes.txt") << "precious";
    CHECK(refusal_to_back_up(file, kept / "notes.txt", {.replace = true}).what == kind::foreign);
    CHECK(std::filesystem::file_size(kept / "notes.txt") == 8);
    CHECK(refusal_to_back_up(file, kept.path(), {.replace = true}).what == kind::refused);
    CHECK(files_in(kept) == 2);
  }

  TEST_CASE("neither the store itself nor one that is run is ever replaced") {
    const scratch_directory directory;
    const auto file = directory / "store.db";
    make_store(file, 10);
    CHECK(refusal_to_back_up(file, file, {.replace = true}).what == kind::refused);
    std::filesystem::create_symlink(file, directory / "link.db");
    CHECK(refusal_to_back_up(file, directory / "link.db", {.replace = true}).what == kind::refused);
    const auto other = directory / "other.db";
    const auto owner = open_store(other);
    const auto refused = refusal_to_back_up(file, other, {.replace = true});
    CHECK(refused.what == kind::refused);
    CHECK(refused.message.find("in use by pid ") != std::string::npos);
  }

  TEST_CASE("a store without an owner whose log was left is not replaced") {
    const scratch_directory directory;
    const auto file = directory / "store.db";
    make_store(file, 10);
    std::ofstream(directory / "copy.db-wal") << "of another store";
    const auto refused = refusal_to_back_up(file, directory / "copy.db");
    CHECK(refused.what == kind::refused);
    CHECK(refused.message.find("write-ahead log") != std::string::npos);
    CHECK_FALSE(std::filesystem::exists(directory / "copy.db"));
  }

  TEST_CASE("a target that cannot be made is told and leaves nothing") {
    const scratch_directory directory;
    const auto file = directory / "store.db";
    make_store(file, 10);
    const auto refused = refusal_to_back_up(file, directory / "nowhere/copy.db");
    CHECK(refused.what == kind::io);
    CHECK(refused.message.find("nowhere/copy.db") != std::string::npos);
    CHECK(refusal_to_back_up(directory / "none.db", directory / "copy.db").what == kind::missing);
    CHECK(holds_the_store_alone(directory));
  }

  TEST_CASE("a damaged store is told by its name and leaves no copy") {
    const scratch_directory directory;
    const auto file = directory / "store.db";
    make_store(file, 100);
    std::filesystem::resize_file(file, std::filesystem::file_size(file) / 2);
    const auto refused = refusal_to_back_up(file, directory / "copy.db");
    CHECK(refused.what == kind::corrupt);
    CHECK(refused.message.find("store.db") != std::string::npos);
    CHECK(holds_the_store_alone(directory));
  }

  TEST_CASE("only whoever may read the store may read its backup") {
    const scratch_directory directory;
    const auto file = directory / "store.db";
    make_store(file, 10);
    using std::filesystem::perms;
    std::filesystem::permissions(file, perms::owner_read | perms::owner_write);
    back_up(file, directory / "copy.db");
    CHECK(std::filesystem::status(directory / "copy.db").permissions() ==
          (perms::owner_read | perms::owner_write));
  }
}
