// SPDX-License-Identifier: Apache-2.0
// Goal: a report costs no file that it does not need, and no memory that stays. Method: the same
// small report again and again; the resident set as the kernel counts it.
#include <unistd.h>

#include <doctest/doctest.h>

#include "fixture.hpp"

using namespace wherry::app;
using namespace wherry::app::testing;

namespace {

constexpr auto report = "day,name,amount\n2001-03-12,a,5\n2001-03-14,,\n";

}  // namespace

TEST_SUITE("transformer.hpp: what a run costs") {
  TEST_CASE("a small output is returned, a larger one written, and both are the same") {
    for (const auto format : {file_format::csv, file_format::parquet}) {
      CAPTURE(static_cast<int>(format));
      const scratch place;
      transform_job job{.client = "acme", .day = "2001-03-12", .output = place.file("out")};
      {
        const auto one = setup{.format = format, .directory = place.path}.opened();
        const auto written = one->run(report, job);
        REQUIRE(written);
        CHECK_FALSE(written->output);
        const auto bytes = content(job.output);
        CHECK(written->size_bytes == bytes.size());
        std::filesystem::remove(job.output);
        for (int again = 0; again < 2; ++again) {
          job.returned_bytes = bytes.size();
          const auto returned = one->run(report, job);
          REQUIRE(returned);
          CHECK(returned->output == bytes);
          CHECK(returned->size_bytes == bytes.size());
          CHECK_FALSE(std::filesystem::exists(job.output));
        }
        job.returned_bytes = bytes.size() - 1;
        const auto too_large = one->run(report, job);
        REQUIRE(too_large);
        CHECK_FALSE(too_large->output);
        CHECK(content(job.output) == bytes);
      }
      CHECK(place.entries() == 1);
    }
  }

  // Of each run DuckDB kept some 2.5 kB of a prepared statement: 10 MB in all.
  TEST_CASE("thousands of reports take no more memory than hundreds") {
    const scratch place;
    const auto one = setup{}.opened();
    transform_job job{.client = "acme", .day = "2001-03-12", .returned_bytes = 1u << 16};
    const auto resident_after = [&](int reports) {
      for (int i = 0; i < reports; ++i) REQUIRE(one->run(report, job));
      std::ifstream figures("/proc/self/statm");
      std::int64_t all = 0, resident = 0;
      figures >> all >> resident;
      return resident * ::getpagesize();
    };
    const auto first = resident_after(1'000);
    const auto grown = resident_after(4'000) - first;
    CHECK(grown < 4'000'000);
  }
}  // TEST_SUITE
