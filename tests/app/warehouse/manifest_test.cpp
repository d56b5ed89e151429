// SPDX-License-Identifier: Apache-2.0
// Goal: a manifest lists each object by its plain key, with its size, as mandatory.
#include "warehouse/manifest.hpp"

#include <doctest/doctest.h>

#include "reports.hpp"
#include "spool/sha256.hpp"

namespace wherry::app {

using namespace testing;

TEST_SUITE("warehouse/manifest.hpp") {
  TEST_CASE("each object stands there once, by its plain key, mandatory and with its size") {
    const std::vector<load_item> reports = {report_of("acme", 3), report_of("globex", 5)};
    const auto made = manifest_of(reports);
    CHECK(made.text ==
          R"({"entries":[{"url":"s3://bucket/ads/day=2025-01-31/acme.csv","mandatory":true,)"
          R"("meta":{"content_length":30}},{"url":"s3://bucket/ads/day=2025-01-31/globex.csv",)"
          R"("mandatory":true,"meta":{"content_length":50}}]})");
    CHECK(made.name == to_hex(sha256_of(made.text)));
  }

  TEST_CASE("reports without rows are not in it") {
    const std::vector<load_item> reports = {report_of("acme", 0), report_of("globex", 5)};
    CHECK_FALSE(manifest_of(reports).text.contains("acme"));
    CHECK(has_rows(reports));
    CHECK_FALSE(has_rows({reports.data(), 1}));
  }

  TEST_CASE("it lies in the sink's bucket under a name of its own") {
    CHECK(manifest_url("s3://bucket/ads/{day}/{client}.csv", "ab") ==
          "s3://bucket/_wherry/manifests/ab.json");
  }
}

}  // namespace wherry::app
