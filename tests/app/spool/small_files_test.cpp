// SPDX-License-Identifier: Apache-2.0
// Goal: small files lie in one, whose room is used again, and none is taken for another. Method: as
// in spool_test.cpp.
#include "spool/small_files.hpp"

#include <doctest/doctest.h>

#include <atomic>
#include <fstream>
#include <thread>
#include <vector>

#include "fixture.hpp"

namespace wherry::app {

using namespace testing;

TEST_SUITE("spool/small_files.hpp") {
  TEST_CASE("small files lie in one, and what is free of it is used again") {
    const scratch at;
    const auto small = at.path / ".wherry-spool.small";
    {
      const auto files = open_spool(at.path);
      const auto first = put(*files, key, std::string(100, 'a'));
      CHECK_FALSE(spool::has_path(first));
      CHECK(files_in(at.path) == 0);
      for (int i = 0; i < 1'000; ++i) {
        const spool_key next{"c/" + std::to_string(i), 1, spool_step::download};
        const auto file = put(*files, next, std::to_string(i));
        CHECK(files->read(file) == std::to_string(i));
        CHECK(files->remove(file));
      }
      CHECK(files->read(first) == std::string(100, 'a'));
      CHECK(fs::file_size(small) <= 2 * spool::small_bytes);
      CHECK(files->remove(key));
    }
    CHECK_FALSE(fs::exists(small));
  }

  TEST_CASE("many small files that are all gone take no room") {
    const scratch at;
    const auto files = open_spool(at.path);
    std::vector<spool_key> keys;
    for (int i = 0; i < 300; ++i) {
      keys.push_back({"c/" + std::to_string(i), 1, spool_step::download});
      put(*files, keys.back(), "rows");
    }
    CHECK(fs::file_size(at.path / ".wherry-spool.small") > 299 * spool::small_bytes);
    for (const auto& each : keys) files->remove(each);
    CHECK(fs::file_size(at.path / ".wherry-spool.small") == 0);
    CHECK(files->used_bytes() == 0);
    CHECK(files->read(put(*files, key, "again")) == "again");
  }

  TEST_CASE("threads that write and remove small files never meet in one place") {
    const scratch at;
    const auto files = open_spool(at.path, 100u << 20);
    std::atomic<int> wrong = 0;
    {
      std::vector<std::jthread> threads;
      for (int t = 0; t < 4; ++t) {
        threads.emplace_back([&, t] {
          for (int i = 0; i < 500; ++i) {
            const spool_key mine{std::to_string(t) + "/" + std::to_string(i % 7), 1,
                                 spool_step::download};
            const std::string bytes(static_cast<std::size_t>(1 + (t * 500 + i) % 60'000),
                                    static_cast<char>('a' + t));
            const auto file = files->store(mine, bytes);
            if (!file || files->read(*file) != bytes) ++wrong;
            if (i % 3 == 0) files->remove(mine);
          }
        });
      }
    }
    CHECK(wrong == 0);
  }

  TEST_CASE("a small file that grew and one that shrank are both removed by their key") {
    const scratch at;
    const auto files = open_spool(at.path);
    const std::string large(spool::small_bytes + 1, 'x');
    put(*files, key, "small");
    CHECK(spool::has_path(put(*files, key, large)));
    put(*files, key, "small");
    CHECK(files->remove(key));
    CHECK(files->used_bytes() == 0);
    CHECK(files_in(at.path) == 0);
  }

  TEST_CASE("damage of a small file is told and names it") {
    const scratch at;
    const auto files = open_spool(at.path);
    const auto file = put(*files, key, "12345678");
    const auto small = at.path / ".wherry-spool.small";
    SUBCASE("other bytes") { std::ofstream{small} << "1234567x"; }
    SUBCASE("shorter") { fs::resize_file(small, 7); }
    const auto got = files->read(file);
    REQUIRE_FALSE(got.has_value());
    CHECK(got.error().kind == spool_error_kind::damaged);
    CHECK(got.error().message.contains(file.name));
  }

}  // TEST_SUITE

}  // namespace wherry::app
