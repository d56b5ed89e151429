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
#include <unordered_set>
#include <vector>

#include "../net/no_descriptors.hpp"
#include "fixture.hpp"
#include "full_disk.hpp"
#include "spool/spool_names.hpp"

namespace wherry::app {
namespace {

using namespace testing;

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
    const auto file = put(*files, key, "secret rows", spool_form::own_file);
    CHECK(mode_of(at.path / "spool") == 0700);
    CHECK(mode_of(files->path_of(file)) == 0600);
    put(*files, key, "secret rows");
    CHECK(mode_of(at.path / "spool" / ".wherry-spool.small") == 0600);
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
    CHECK(put(*files, key, "x", spool_form::own_file).name ==
          put(*files, key, "y", spool_form::own_file).name);
  }

  TEST_CASE("damage of any kind is told and names the file") {
    const scratch at;
    const auto files = open_spool(at.path);
    const auto file = put(*files, key, "12345678", spool_form::own_file);
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

  TEST_CASE("a step that runs again replaces its file and is counted once") {
    const scratch at;
    const auto files = open_spool(at.path);
    const auto first = put(*files, key, "first time");
    const auto second = put(*files, key, "second");
    CHECK(files->used_bytes() == 6);
    CHECK(files->read(second) == "second");
    put(*files, {"globex/2025-01-31", 1, spool_step::download}, "third");
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
    const spool_key other{"globex/2025-01-31", 1, spool_step::download};
    spool_file live;
    SUBCASE("of its own") {
      {
        const auto before = open_spool(at.path);
        live = put(*before, key, "live", spool_form::own_file);
        put(*before, other, "orphan", spool_form::own_file);
      }
      const auto files = open_spool(at.path);
      CHECK(files->used_bytes() == 10);
      CHECK(files->keep_only({live, {"never-written", 1, ""}}).has_value());
      CHECK(files->used_bytes() == 4);
      CHECK(files_in(at.path) == 1);
      CHECK(files->read(live) == "live");
    }
    SUBCASE("small ones") {
      spool_file orphan;
      {
        const auto before = open_spool(at.path);
        orphan = put(*before, other, "orphan");
        live = put(*before, key, "live");
      }
      const auto files = open_spool(at.path);
      CHECK(files->used_bytes() >= 10);
      const spool_file lost{"never-written@77", 1, ""};  // with its disk
      CHECK(files->keep_only({live, lost}).has_value());
      CHECK(files->used_bytes() == 4);
      CHECK_FALSE(files->remove(lost));
      CHECK(files->read(lost).error().kind == spool_error_kind::damaged);
      put(*files, other, "in the orphan's place");
      CHECK(files->read(live) == "live");
      CHECK(files->read(orphan).error().kind == spool_error_kind::damaged);
    }
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
                                        "-0123456789abcdef-g22.transform", ".wherry-1-2.parquet",
                                        ".wherry-1-2.rows", "a-0123456789abcdef-g1.reject"};
    for (const auto& name : ours) std::ofstream{at.path / name} << "12";
    const auto files = open_spool(at.path);
    CHECK(files->used_bytes() == 2 * ours.size());
    CHECK(files->keep_only({}).has_value());
    CHECK(files->used_bytes() == 0);
    for (const auto& name : theirs) CHECK_MESSAGE(fs::exists(at.path / name), name);
    CHECK(files_in(at.path) == static_cast<std::ptrdiff_t>(theirs.size()));
  }

  TEST_CASE("every name that the spool gives is its own") {
    for (const auto* id : {"acme/2025-01-31", "", "-g1.download", "\xc3\xbc \n"}) {
      for (const auto step : {spool_step::download, spool_step::transform, spool_step::reject}) {
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

  TEST_CASE("want of file descriptors is told with its remedy") {
    const scratch at;
    const auto files = open_spool(at.path);
    auto writer = files->write(key);
    std::expected<void, spool_error> got;
    {
      const no_descriptors none;
      got = writer.write(std::string(spool::small_bytes + 1, 'x'));
    }
    REQUIRE_FALSE(got.has_value());
    CHECK(got.error().message.contains("too many open files: raise `ulimit -n`"));
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
