// SPDX-License-Identifier: Apache-2.0
#pragma once
// Reports and targets as the tests of a folder use them.

#include <string>

#include "warehouse/statements.hpp"

namespace wherry::app::testing {

/// A report of that client with so many rows; its hash is told by `content`.
inline load_item report_of(const std::string& client, std::uint64_t rows = 3,
                           const std::string& content = "aa", std::int64_t generation = 1) {
  return {.id = client + "/2025-01-31",
          .generation = generation,
          .client = client,
          .day = "2025-01-31",
          .url = rows == 0 ? "" : "s3://bucket/ads/day%3D2025-01-31/" + client + ".csv",
          .size_bytes = rows * 10,
          .sha256 = rows == 0 ? "" : content,
          .rows = rows};
}

inline load_target redshift_target() {
  load_target to;
  to.import = "ads";
  to.columns = {"client", "day", "cost \"net\""};
  to.warehouse.is = warehouse::kind::redshift;
  to.warehouse.schema = "public";
  to.warehouse.table = "ads_daily";
  to.warehouse.iam_role = "arn:aws:iam::123456789012:role/copy";
  to.region = "eu-west-1";
  return to;
}

inline load_target postgresql_target() {
  auto to = redshift_target();
  to.warehouse.is = warehouse::kind::postgresql;
  to.warehouse.iam_role.clear();
  return to;
}

}  // namespace wherry::app::testing
