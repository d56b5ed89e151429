// SPDX-License-Identifier: Apache-2.0
// Goal: what is no store, or a damaged one, gets an error that names it, and is left as it was.
#include <sys/stat.h>
#include <unistd.h>

#include <fstream>
#include <sstream>

#include "sqlite_subject.hpp"

using namespace wherry;
using namespace wherry::test;
using kind = store_error::kind;

namespace {

void write_file(const std::filesystem::path& file, const std::string& bytes) {
  std::ofstream(file, std::ios::binary) << bytes;
}

std::string read_file(const std::filesystem::path& file) {
  std::ostringstream bytes;
  bytes << std::ifstream(file, std::ios::binary).rdbuf();
  return bytes.str();
}

std::size_t files_in(const scratch_directory& directory) {
  const std::filesystem::directory_iterator all(directory.path());
  return static_cast<std::size_t>(std::distance(begin(all), end(all)));
}

/// A store with a thousand machines, closed.
void make_store(const std::filesystem::path& file) {
  with_store(file, [](store& subject) -> task<> {
    std::vector<submission> many;
    for (int i = 0; i < 1'000; ++i) many.push_back(item("machine " + std::to_string(i)));
    co_await submit_new(subject, std::move(many));
  });
}

}  // namespace

TEST_SUITE("sqlite.hpp: bad files") {
  TEST_CASE("a text file is refused and stays as it was") {
    const scratch_directory directory;
    const auto file = directory / "notes.txt";
    const std::string text(5'000, 'x');
    write_file(file, text);
    CHECK(refusal_to_open(file).what == kind::foreign);
    CHECK(refusal_to_inspect(file).what == kind::foreign);
    CHECK(read_file(file) == text);
    CHECK_MESSAGE(files_in(directory) == 1, "nothing is left beside it");
  }

  TEST_CASE("the file of another program is refused and stays as it was") {
    const scratch_directory directory;
    const auto file = directory / "other.db";
    run_sql(file, "CREATE TABLE machines (id)");
    const auto bytes = read_file(file);
    CHECK(refusal_to_open(file).what == kind::foreign);
    CHECK(refusal_to_inspect(file).what == kind::foreign);
    run_sql(file, "DROP TABLE machines; PRAGMA application_id = 7");
    CHECK(refusal_to_open(file).what == kind::foreign);
    CHECK(bytes != read_file(file));
    CHECK(files_in(directory) == 1);
  }

  TEST_CASE("a store of a newer version is refused and whoever knows it finds every machine") {
    const scratch_directory directory;
    const auto file = directory / "store.db";
    make_store(file);
    const auto version = read_sql(file, "PRAGMA user_version").front();
    run_sql(file, "PRAGMA user_version = 999");
    const auto bytes = read_file(file);
    CHECK(refusal_to_open(file).what == kind::newer);
    CHECK(refusal_to_inspect(file).what == kind::newer);
    for (const auto* each : {"schema 999", "install that version"}) {
      CHECK_MESSAGE(refusal_to_open(file).message.find(each) != std::string::npos, each);
    }
    CHECK(read_file(file) == bytes);
    run_sql(file, ("PRAGMA user_version = " + version).c_str());
    with_store(file, [](store& subject) -> task<> {
      CHECK(subject.count()->all() == 1'000);
      CHECK((co_await lease_all(subject, "lane")).size() == 1'000);
    });
  }

  TEST_CASE("an empty file becomes a store") {
    const scratch_directory directory;
    const auto file = directory / "store.db";
    write_file(file, "");
    CHECK(refusal_to_inspect(file).what == kind::missing);
    make_store(file);
    check_consistent(file);
  }

  TEST_CASE("a directory and a missing directory are refused") {
    const scratch_directory directory;
    std::filesystem::create_directory(directory / "folder");
    CHECK(refusal_to_open(directory / "folder").what == kind::io);
    CHECK(refusal_to_inspect(directory / "folder").what == kind::io);
    CHECK(refusal_to_open(directory / "nowhere/store.db").what == kind::io);
    CHECK(refusal_to_inspect(directory / "store.db").what == kind::missing);
    CHECK(files_in(directory) == 1);
  }

  TEST_CASE("a directory that cannot be written to is refused with the reason") {
    const scratch_directory directory;
    REQUIRE(::chmod(directory.path().c_str(), 0555) == 0);
    const auto wrong = in_child([&]() -> std::string {
      if (::geteuid() == 0 && ::setuid(65'534) != 0) return "setuid";
      const auto opened = open_sqlite_store(directory / "store.db");
      if (opened) return "it opened";
      if (opened.error().what != kind::io) return "kind";
      if (opened.error().message.find("Permission denied") == std::string::npos) {
        return opened.error().message;
      }
      return {};
    });
    CHECK(wrong == "");
    REQUIRE(::chmod(directory.path().c_str(), 0755) == 0);
  }

  TEST_CASE("a truncated store is refused as damaged") {
    const scratch_directory directory;
    const auto file = directory / "store.db";
    make_store(file);
    std::filesystem::resize_file(file, std::filesystem::file_size(file) / 2);
    CHECK(refusal_to_open(file).what == kind::corrupt);
  }

  TEST_CASE("damage is told by what meets it and never taken for data") {
    const scratch_directory directory;
    const auto file = directory / "store.db";
    make_store(file);
    auto bytes = read_file(file);
    // All but the first page: schema and header are whole, tables and indexes are not.
    for (std::size_t i = 4'096; i < bytes.size(); ++i) bytes[i] = static_cast<char>(i * 7);
    write_file(file, bytes);
    const auto opened = open_sqlite_store(file);
    if (!opened) {
      CHECK(opened.error().what == kind::corrupt);
      CHECK(opened.error().message.find("recover") != std::string::npos);
    } else {
      on_threads([](store& subject) -> task<> {
        const auto submitted = co_await subject.submit({item("a")});
        REQUIRE_FALSE(submitted.has_value());
        CHECK(submitted.error().what == kind::corrupt);
      }(**opened));
    }
  }

  TEST_CASE("damage of the machines alone is told by submit and query") {
    const scratch_directory directory;
    const auto file = directory / "store.db";
    make_store(file);
    auto bytes = read_file(file);
    // The pages that hold machines, by their ids; the tables that opening reads hold none.
    for (std::size_t page = 4'096; page < bytes.size(); page += 4'096) {
      if (bytes.substr(page, 4'096).find("machine 9") == std::string::npos) continue;
      for (std::size_t i = page; i < page + 4'096; ++i) bytes[i] = static_cast<char>(i * 7);
    }
    write_file(file, bytes);
    with_store(file, [](store& subject) -> task<> {
      const auto submitted = co_await subject.submit({item("machine 999")});
      REQUIRE_FALSE(submitted.has_value());
      CHECK(submitted.error().what == kind::corrupt);
      const auto seen = subject.query({}, 9'999, "");
      REQUIRE_FALSE(seen.has_value());
      CHECK(seen.error().what == kind::corrupt);
    });
  }
}
