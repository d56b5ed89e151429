// SPDX-License-Identifier: Apache-2.0
// Goal: bytes that rest in the spool come back as they were, or not at all; and the budget counts
// what is on the disk. Method: real directories; damage is done behind the spool's back.
#include "spool/spool.hpp"

#include <doctest/doctest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <fstream>
#include <iterator>
#include <thread>
#include <vector>

#include "full_disk.hpp"
#include "spool/spool_names.hpp"

namespace wherry::app {
namespace {

namespace fs = std::filesystem;

struct scratch {
  fs::path path;
  scratch() {
    std::string name = (fs::temp_directory_path() / "wherry-spool-XXXXXX").native();
    REQUIRE(::mkdtemp(name.data()) != nullptr);
    path = name;
  }
  ~scratch() { fs::remove_all(path); }
};

std::unique_ptr<spool> open_spool(const fs::path& at, std::uint64_t budget = 1u << 20) {
  auto opened = spool::open(at, budget);
  REQUIRE(opened.has_value());
  return std::move(*opened);
}

spool_file put(spool& into, const spool_key& key, std::string_view bytes) {
  auto writer = into.write(key);
  REQUIRE(writer.write(bytes).has_value());
  const auto file = writer.finish();
  REQUIRE(file.has_value());
  return *file;
}

mode_t mode_of(const fs::path& path) {
  struct stat found;
  REQUIRE(::stat(path.c_str(), &found) == 0);
  return found.st_mode & 0777;
}

// How many files there are, but for the spool's lock.
std::ptrdiff_t files_in(const fs::path& directory) {
  return std::ranges::count_if(fs::directory_iterator{directory}, [](const auto& each) {
    return each.path().filename() != ".wherry-spool.owner";
  });
}

const spool_key key{"acme/2025-01-31", 1, spool_step::download};

}  // namespace

TEST_SUITE("spool/spool.hpp") {
  TEST_CASE("what was written is read back under size and SHA-256") {
    const scratch at;
    const auto files = open_spool(at.path / "a" / "spool");
    const auto file = put(*files, key, "a,b\n1,2\n");
    CHECK(file.size_bytes == 8);
    CHECK(file.sha256 == to_hex(sha256_of("a,b\n1,2\n")));
    CHECK(files->read(file) == "a,b\n1,2\n");
    CHECK(files->used_bytes() == 8);
  }

  TEST_CASE("an empty file is a file") {
    const scratch at;
    const auto files = open_spool(at.path);
    auto writer = files->write(key);
    const auto file = writer.finish();
    REQUIRE(file.has_value());
    CHECK(files->read(*file) == "");
  }

  TEST_CASE("a large file goes through in pieces") {
    const scratch at;
    const auto files = open_spool(at.path, 10'000'000);
    std::string all;
    auto writer = files->write(key);
    for (int i = 0; i < 900; ++i) {
      const std::string piece(1'000 + static_cast<std::size_t>(i), static_cast<char>('a' + i % 26));
      all += piece;
      REQUIRE(writer.write(piece).has_value());
    }
    const auto file = writer.finish();
    REQUIRE(file.has_value());
    std::string seen;
    int pieces = 0;
    CHECK(files
              ->read_pieces(*file,
                            [&](std::string_view bytes) {
                              seen.append(bytes);
                              ++pieces;
                              return true;
                            })
              .has_value());
    CHECK(seen == all);
    CHECK(pieces > 1);
  }

  TEST_CASE("only the owner may read") {
    const scratch at;
    const auto files = open_spool(at.path / "spool");
    const auto file = put(*files, key, "secret rows");
    CHECK(mode_of(at.path / "spool") == 0700);
    CHECK(mode_of(files->path_of(file)) == 0600);
  }

  TEST_CASE("names are plain and differ by id and generation and step") {
    const scratch at;
    const auto files = open_spool(at.path);
    const std::vector<spool_key> keys{key,
                                      {"acme_2025-01-31", 1, spool_step::download},
                                      {"acme/2025-01-31", 2, spool_step::download},
                                      {"acme/2025-01-31", 1, spool_step::transform},
                                      {"../../etc/passwd", 1, spool_step::download},
                                      {std::string(500, 'x'), 1, spool_step::download},
                                      {"\xc3\xbc \n", 1, spool_step::download}};
    std::unordered_set<std::string> names;
    for (const auto& each : keys) {
      const auto file = put(*files, each, each.id);
      CHECK(file.name.find_first_of("/ \n\xc3") == std::string::npos);
      CHECK(file.name.size() < 200);
      CHECK(files->read(file) == each.id);
      names.insert(file.name);
    }
    CHECK(names.size() == keys.size());
    CHECK(put(*files, key, "x").name == put(*files, key, "y").name);
  }

  TEST_CASE("damage of any kind is told and names the file") {
    const scratch at;
    const auto files = open_spool(at.path);
    const auto file = put(*files, key, "12345678");
    const auto damaged = [&] {
      const auto got = files->read(file);
      REQUIRE_FALSE(got.has_value());
      CHECK(got.error().kind == spool_error_kind::damaged);
      CHECK(got.error().message.contains(file.name));
    };
    SUBCASE("other bytes") {
      std::ofstream{files->path_of(file)} << "1234567x";
      damaged();
    }
    SUBCASE("shorter") {
      fs::resize_file(files->path_of(file), 7);
      damaged();
    }
    SUBCASE("longer") {
      fs::resize_file(files->path_of(file), 9);
      damaged();
    }
    SUBCASE("gone") {
      fs::remove(files->path_of(file));
      damaged();
    }
  }

  TEST_CASE("a writer that is dropped leaves nothing behind") {
    const scratch at;
    const auto files = open_spool(at.path);
    {
      auto writer = files->write(key);
      REQUIRE(writer.write(std::string(100'000, 'x')).has_value());
      REQUIRE(writer.write("unflushed").has_value());
      CHECK(files->used_bytes() == 100'009);
      CHECK(files_in(at.path) == 1);
    }
    CHECK(files->used_bytes() == 0);
    CHECK(files_in(at.path) == 0);
  }

  TEST_CASE("the budget refuses what is over it and takes it again after a removal") {
    const scratch at;
    const auto files = open_spool(at.path, 10);
    const auto first = put(*files, key, "12345678");
    {
      auto writer = files->write({"globex/2025-01-31", 1, spool_step::download});
      CHECK(writer.write("12").has_value());
      const auto refused = writer.write("3");
      REQUIRE_FALSE(refused.has_value());
      CHECK(refused.error().kind == spool_error_kind::full);
      CHECK(refused.error().transient());
      CHECK(refused.error().message.contains("spool_budget"));
    }
    files->remove(first);
    CHECK(files->used_bytes() == 0);
    put(*files, key, "1234567890");
  }

  TEST_CASE("a step that runs again replaces its file and is counted once") {
    const scratch at;
    const auto files = open_spool(at.path);
    const auto first = put(*files, key, "first time");
    const auto second = put(*files, key, "second");
    CHECK(files->used_bytes() == 6);
    CHECK(files->read(second) == "second");
    CHECK(files->read(first).error().kind == spool_error_kind::damaged);
  }

  TEST_CASE("removing twice is removing once") {
    const scratch at;
    const auto files = open_spool(at.path);
    const auto kept = put(*files, {"kept", 1, spool_step::download}, "1234");
    const auto file = put(*files, key, "123");
    files->remove(file);
    files->remove(file);
    CHECK(files->used_bytes() == 4);
    CHECK(files->read(kept) == "1234");
  }

  TEST_CASE("orphans are removed and what a crash left is counted") {
    const scratch at;
    std::string live;
    {
      const auto before = open_spool(at.path);
      live = put(*before, key, "live").name;
      put(*before, {"globex/2025-01-31", 1, spool_step::download}, "orphan");
    }
    const auto files = open_spool(at.path);
    CHECK(files->used_bytes() == 10);
    CHECK(files->remove_orphans({live, "never-written"}) == 1);
    CHECK(files->used_bytes() == 4);
    CHECK(fs::exists(at.path / live));
  }

  TEST_CASE("files of others in the directory are neither counted nor removed") {
    const scratch at;
    const std::vector<std::string> theirs{"ads.toml",
                                          "ads.db",
                                          "ads.db-wal",
                                          "rows.download",
                                          "x-0123456789abcde-g1.download",
                                          "x-0123456789abcdef-g.download",
                                          "x-0123456789abcdef-g1.csv",
                                          "x-0123456789ABCDEF-g1.download",
                                          "x y-0123456789abcdef-g1.download",
                                          ".wherry-1.parquet",
                                          ".wherry-1-2.parquet.bak",
                                          "wherry-1-2.parquet",
                                          ".wherry-notes.md"};
    for (const auto& name : theirs) std::ofstream{at.path / name} << "mine";
    const std::vector<std::string> ours{"x-0123456789abcdef-g1.download",
                                        "-0123456789abcdef-g22.transform", ".wherry-1-2.parquet"};
    for (const auto& name : ours) std::ofstream{at.path / name} << "12";
    const auto files = open_spool(at.path);
    CHECK(files->used_bytes() == 6);
    CHECK(files->remove_orphans({}) == 3);
    CHECK(files->used_bytes() == 0);
    for (const auto& name : theirs) CHECK_MESSAGE(fs::exists(at.path / name), name);
    CHECK(files_in(at.path) == static_cast<std::ptrdiff_t>(theirs.size()));
  }

  TEST_CASE("every name that the spool gives is its own") {
    for (const auto* id : {"acme/2025-01-31", "", "-g1.download", "\xc3\xbc \n"}) {
      for (const auto step : {spool_step::download, spool_step::transform}) {
        CHECK(is_spool_name(spool_name({id, 18'446'744'073'709'551'615u, step})));
      }
    }
  }

  TEST_CASE("a second spool on the directory is refused and told who has it") {
    const scratch at;
    auto first = open_spool(at.path);
    const auto second = spool::open(at.path, 1u << 20);
    REQUIRE_FALSE(second.has_value());
    CHECK(second.error().kind == spool_error_kind::owned);
    CHECK(second.error().message.contains("pid " + std::to_string(::getpid())));
    CHECK(second.error().message.contains("`spool` in [import]"));
    first.reset();
    CHECK(spool::open(at.path, 1u << 20).has_value());
  }

  TEST_CASE("a process that dies lets go of the directory") {
    const scratch at;
    const pid_t child = ::fork();
    if (child == 0) {
      auto held = spool::open(at.path, 1);
      ::_exit(held ? 0 : 1);  // no destructor
    }
    int status = -1;
    REQUIRE(::waitpid(child, &status, 0) == child);
    CHECK(status == 0);
    CHECK(spool::open(at.path, 1).has_value());
  }

  TEST_CASE("a relative directory is made absolute once and for all") {
    const scratch at;
    const auto before = fs::current_path();
    fs::current_path(at.path);
    const auto files = open_spool("inner/../spool/");
    const auto here = fs::current_path();
    fs::current_path(before);
    CHECK(files->directory() == here / "spool");
    const auto file = put(*files, key, "rows");
    CHECK(files->path_of(file).is_absolute());
    CHECK(files->read(file) == "rows");
    CHECK(mode_of(at.path / "spool") == 0700);
  }

  TEST_CASE("a directory that was there keeps its mode") {
    const scratch at;
    fs::create_directory(at.path / "spool");
    REQUIRE(::chmod((at.path / "spool").c_str(), 0755) == 0);
    const auto files = open_spool(at.path / "spool");
    CHECK(mode_of(at.path / "spool") == 0755);
  }

  TEST_CASE("a directory that cannot be made is named with the remedy") {
    const scratch at;
    std::ofstream{at.path / "file"} << "x";
    const auto opened = spool::open(at.path / "file" / "spool", 1);
    REQUIRE_FALSE(opened.has_value());
    CHECK(opened.error().kind == spool_error_kind::io);
    CHECK(opened.error().message.contains((at.path / "file" / "spool").native()));
    CHECK(opened.error().message.contains("`spool`"));
  }

  TEST_CASE("a full disk is told apart and nothing stays behind") {
    const scratch at;
    const auto outcome = on_small_disk(at.path, 65'536, [&] {
      const auto files = open_spool(at.path, 10'000'000);
      {
        auto writer = files->write(key);
        std::expected<void, spool_error> written;
        for (int i = 0; i < 100 && written; ++i) written = writer.write(std::string(10'000, 'x'));
        if (written || written.error().kind != spool_error_kind::no_space) return false;
        if (!written.error().transient()) return false;
        if (!written.error().message.contains(at.path.native())) return false;
      }
      return files_in(at.path) == 0 && files->used_bytes() == 0;
    });
    if (outcome == full_disk_outcome::unavailable) {
      MESSAGE("not checked: this user may not mount a small disk");
    } else {
      CHECK(outcome == full_disk_outcome::passed);
    }
  }

  TEST_CASE("writers on many threads never pass the budget") {
    const scratch at;
    constexpr std::uint64_t budget = 50'000;
    const auto files = open_spool(at.path, budget);
    std::vector<std::thread> threads;
    for (int t = 0; t < 4; ++t) {
      threads.emplace_back([&, t] {
        for (int i = 0; i < 200; ++i) {
          auto writer = files->write(
              {std::to_string(t), static_cast<std::uint64_t>(i), spool_step::download});
          while (writer.size_bytes() < 20'000 && writer.write(std::string(5'000, 'x'))) {
            CHECK(files->used_bytes() <= budget);
          }
        }
      });
    }
    for (auto& each : threads) each.join();
    CHECK(files->used_bytes() == 0);
    CHECK(files_in(at.path) == 0);
  }

}  // TEST_SUITE

TEST_SUITE("spool/sha256.hpp") {
  TEST_CASE("SHA-256 is that of FIPS 180-4") {
    CHECK(to_hex(sha256_of("abc")) ==
          "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    sha256 hash;
    hash.add("a");
    hash.add("bc");
    CHECK(hash.finish() == sha256_of("abc"));
    CHECK(hash.finish() == sha256_of(""));
  }

}  // TEST_SUITE

}  // namespace wherry::app
