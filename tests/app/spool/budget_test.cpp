// SPDX-License-Identifier: Apache-2.0
// Goal: the budget holds, and work in progress always finds the room that it needs. Method: small
// budgets and files of known sizes.
#include <doctest/doctest.h>

#include <algorithm>
#include <fstream>
#include <thread>
#include <vector>

#include "fixture.hpp"

namespace wherry::app {

using namespace testing;

TEST_SUITE("spool/spool.hpp: the budget") {
  TEST_CASE("downloads fill half of the budget and more is taken again after a removal") {
    const scratch at;
    const auto files = open_spool(at.path, 20);
    const auto first = put(*files, key, "12345678");
    {
      auto writer = files->write({"globex/2025-01-31", 1, spool_step::download});
      CHECK(writer.write("12").has_value());
      const auto refused = writer.write("3");
      REQUIRE_FALSE(refused.has_value());
      CHECK(refused.error().kind == spool_error_kind::full);
      CHECK(refused.error().message.contains("spool_budget"));
    }
    CHECK(files->used_bytes() == 8);
    files->remove(first);
    CHECK(files->used_bytes() == 0);
    put(*files, key, "1234567890");
  }

  TEST_CASE("an output finds room that no download may take") {
    const scratch at;
    const auto files = open_spool(at.path, 20);
    put(*files, key, "1234567890");
    const spool_key output{"acme/2025-01-31", 1, spool_step::transform};
    std::ofstream{files->path_for(output)} << "1234567890";
    CHECK(files->adopt(output).has_value());
    CHECK(files->used_bytes() == 20);
    CHECK(files->refuses(spool_step::transform).has_value());
    const spool_key another{"globex/2025-01-31", 1, spool_step::transform};
    const auto path = files->path_for(another);
    std::ofstream{path} << "1";
    const auto refused = files->adopt(another);
    REQUIRE_FALSE(refused.has_value());
    CHECK(refused.error().kind == spool_error_kind::full);
    CHECK_FALSE(fs::exists(path));
    files->remove(key);
    CHECK_FALSE(files->refuses(spool_step::transform).has_value());
  }

  TEST_CASE("a file over half of the budget can never be and names the key") {
    const scratch at;
    const auto files = open_spool(at.path, 20);
    auto writer = files->write(key);
    const auto refused = writer.write("12345678901");
    REQUIRE_FALSE(refused.has_value());
    CHECK(refused.error().kind == spool_error_kind::too_large);
    CHECK(refused.error().message.contains("`spool_budget` in [import]"));
    const spool_key output{"acme/2025-01-31", 1, spool_step::transform};
    std::ofstream{files->path_for(output)} << "12345678901";
    CHECK(files->adopt(output).error().kind == spool_error_kind::too_large);
    CHECK(files_in(at.path) == 0);
  }

  TEST_CASE("of writers that fill the spool together a refused one leaves its room to the others") {
    const scratch at;
    const auto files = open_spool(at.path, 200'000);
    std::vector<spool_writer> writers;
    for (int i = 0; i < 4; ++i) {
      writers.push_back(files->write({std::to_string(i), 1, spool_step::download}));
    }
    // 80,000 each, in step: no more than one fits.
    std::vector<bool> refused(4, false);
    for (int piece = 0; piece < 80; ++piece) {
      for (std::size_t i = 0; i < 4; ++i) {
        if (!refused[i]) refused[i] = !writers[i].write(std::string(1'000, 'x'));
      }
    }
    CHECK(std::ranges::count(refused, false) == 1);
    CHECK(files->used_bytes() == 80'000);
  }

  TEST_CASE("a download begins with the room that the last ones took, or says that there is none") {
    const scratch at;
    const auto files = open_spool(at.path, 130);
    put(*files, key, std::string(30, 'x'));
    const spool_key second{"2", 1, spool_step::download}, third{"3", 1, spool_step::download};
    auto begun = files->write(second);
    CHECK_FALSE(begun.refusal().has_value());
    CHECK(files->used_bytes() == 60);
    {
      const auto refused = files->write(third);
      REQUIRE(refused.refusal().has_value());
      CHECK(refused.refusal()->kind == spool_error_kind::full);
    }
    REQUIRE(begun.write("1234").has_value());
    REQUIRE(begun.finish().has_value());
    CHECK(files->used_bytes() == 34);
    CHECK_FALSE(files->write(third).refusal().has_value());
    CHECK(files->used_bytes() == 34);
  }

  TEST_CASE("what a run with a larger budget left does not stop the work") {
    const scratch at;
    const auto live = put(*open_spool(at.path, 1'000), key, std::string(400, 'x'));
    const auto files = open_spool(at.path, 100);
    CHECK(files->keep_only({live}).has_value());
    CHECK(files->used_bytes() == 400);
    CHECK(files->write({"2", 1, spool_step::download}).write("1").error().kind ==
          spool_error_kind::full);
    const spool_key output{"acme/2025-01-31", 1, spool_step::transform};
    std::ofstream{files->path_for(output)} << std::string(50, 'y');
    CHECK(files->adopt(output).has_value());
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
            CHECK(files->used_bytes() <= budget / 2);  // what downloads may fill
          }
        }
      });
    }
    for (auto& each : threads) each.join();
    CHECK(files->used_bytes() == 0);
    CHECK(files_in(at.path) == 0);
  }

}  // TEST_SUITE

}  // namespace wherry::app
