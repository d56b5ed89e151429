// SPDX-License-Identifier: Apache-2.0
// Goal: a large report does not stay in memory behind its reader. Counted: the pages of files that
// this process has mapped and in memory, by the kernel (/proc/self/statm).
#include "transform/files.hpp"

#include <algorithm>
#include <fstream>
#include <string>

#include <doctest/doctest.h>

#include "fixture.hpp"

using namespace wherry::app;
using namespace wherry::app::testing;

namespace {

constexpr std::size_t mega = 1 << 20;

std::size_t mapped_megabytes() {
  std::size_t all = 0, resident = 0, shared = 0;
  std::ifstream("/proc/self/statm") >> all >> resident >> shared;
  return shared * 4096 / mega;
}

}  // namespace

TEST_SUITE("files.hpp") {
  TEST_CASE(
      "the pages of a mapped report go behind its reader, and come again when they are read") {
    const scratch place;
    std::string megabyte(mega, 'x');
    megabyte.back() = '\n';
    {
      std::ofstream file(place.file("report.csv"), std::ios::binary);
      for (int i = 0; i < 96; ++i) file << megabyte;
    }
    std::string unused;
    const auto file = report_file::open(place.file("report.csv"), unused);
    REQUIRE(file);
    const auto read = [&](bool gives_back) {
      const auto before = mapped_megabytes();
      passed_pages pages(gives_back ? file->bytes() : report_bytes{});
      std::size_t most = 0;
      std::size_t lines = 0;
      for (std::size_t at = 0; at < file->text().size(); at += mega) {
        lines += static_cast<std::size_t>(std::ranges::count(file->text().substr(at, mega), '\n'));
        pages.up_to(file->text().begin() + at + mega);
        most = std::max(most, mapped_megabytes() - std::min(before, mapped_megabytes()));
      }
      CHECK(lines == 96);
      return most;
    };
    CHECK(read(true) < 40);
    CHECK(file->text().substr(5 * mega - 2, 2) == "x\n");
    CHECK(read(false) > 60);  // so that the figure above means something
  }
}
